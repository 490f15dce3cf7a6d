/* Nodes as source text again: what Go shows between < and > in its errors. */
#include "tmpl/node.h"
#include "base/quote.h"

static void
join(struct buf *b, struct tmpl_node *const *v, size_t n, const char *sep)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_z(b, sep);
		if (v[i]->type == NODE_PIPE) {
			buf_byte(b, '(');
			tmpl_node_print(b, v[i]);
			buf_byte(b, ')');
		} else
			tmpl_node_print(b, v[i]);
	}
}

static void
pipe_print(struct buf *b, const struct tmpl_node *n)
{
	if (n->ndecl > 0) {
		join(b, n->decl, n->ndecl, ", ");
		buf_z(b, n->assign ? " = " : " := ");
	}
	join(b, n->v, n->n, " | ");
}

static void
names_print(struct buf *b, const struct tmpl_node *n)
{
	if (n->type == NODE_CHAIN) {
		join(b, &n->pipe, 1, "");
	}
	for (size_t i = 0; i < n->nnames; i++) {
		if (i > 0 || n->type != NODE_VAR)
			buf_byte(b, '.');
		buf_add(b, n->names[i]);
	}
}

static void
control_print(struct buf *b, const struct tmpl_node *n, const char *word)
{
	buf_printf(b, "{{%s ", word);
	tmpl_node_print(b, n->pipe);
	buf_z(b, "}}");
	tmpl_node_print(b, n->list);
	if (n->orelse != NULL) {
		buf_z(b, "{{else}}");
		tmpl_node_print(b, n->orelse);
	}
	buf_z(b, "{{end}}");
}

static void
template_print(struct buf *b, const struct tmpl_node *n)
{
	buf_z(b, "{{template ");
	quote_add(b, n->text);
	if (n->pipe != NULL) {
		buf_byte(b, ' ');
		tmpl_node_print(b, n->pipe);
	}
	buf_z(b, "}}");
}

void
tmpl_node_print(struct buf *b, const struct tmpl_node *n)
{
	switch (n->type) {
	case NODE_LIST:
		join(b, n->v, n->n, "");
		break;
	case NODE_TEXT:
	case NODE_IDENT:
	case NODE_BOOL:
	case NODE_NIL:
	case NODE_NUMBER:
	case NODE_STRING:
		buf_add(b, n->text);
		break;
	case NODE_DOT:
		buf_byte(b, '.');
		break;
	case NODE_ACTION:
		buf_z(b, "{{");
		pipe_print(b, n->pipe);
		buf_z(b, "}}");
		break;
	case NODE_PIPE:
		pipe_print(b, n);
		break;
	case NODE_COMMAND:
		join(b, n->v, n->n, " ");
		break;
	case NODE_FIELD:
	case NODE_CHAIN:
	case NODE_VAR:
		names_print(b, n);
		break;
	case NODE_IF:
		control_print(b, n, "if");
		break;
	case NODE_RANGE:
		control_print(b, n, "range");
		break;
	case NODE_WITH:
		control_print(b, n, "with");
		break;
	case NODE_TEMPLATE:
		template_print(b, n);
		break;
	case NODE_BREAK:
		buf_z(b, "{{break}}");
		break;
	case NODE_CONTINUE:
		buf_z(b, "{{continue}}");
		break;
	case NODE_END:
		buf_z(b, "{{end}}");
		break;
	case NODE_ELSE:
		buf_z(b, "{{else}}");
		break;
	}
}
