/* The subcommands that only show: check, routes, alerts, render. */
#include <unistd.h>

#include "base/file.h"
#include "notify_cmd.h"

/* FILE may be an operand or -c. */
static struct notify_config *
config(const struct notify_options *o, size_t *operand)
{
	struct notify_options mine = *o;

	*operand = 0;
	if (o->config == NULL && o->noperands > 0) {
		mine.config = o->operands[0];
		*operand = 1;
	}
	if (mine.config == NULL)
		tool_die(TOOL_USAGE, "give the configuration: -c FILE");
	return notify_cmd_config(&mine);
}

int
notify_check(const struct notify_options *o)
{
	size_t used, integrations = 0, receivers;
	struct notify_config *c = config(o, &used);
	const char *name = o->config ? o->config : o->operands[0];
	struct buf b = { 0 };

	if (used < o->noperands)
		tool_die(TOOL_USAGE, "'%s': check takes one configuration",
		    o->operands[used]);
	receivers = notify_config_receivers(c);
	for (size_t i = 0; i < receivers; i++)
		integrations += notify_config_integrations(c, i);
	buf_printf(&b, "%s: ok, %zu receiver%s, %zu integration%s\n", name,
	    receivers, receivers == 1 ? "" : "s", integrations,
	    integrations == 1 ? "" : "s");
	tool_print(&b);
	notify_config_free(c);
	return TOOL_OK;
}

/* The tree; or with labels, the receivers they lead to. */
int
notify_routes(const struct notify_options *o)
{
	size_t used;
	struct notify_config *c = config(o, &used);
	struct label_set s = { 0 };
	struct arena a;
	struct buf b = { 0 };

	arena_init(&a);
	for (size_t i = used; i < o->noperands; i++) {
		str value = str_of(o->operands[i]);
		str name = str_cut(&value, '=');

		if (value.p == NULL || name.n == 0)
			tool_die(TOOL_USAGE, "'%s' is not LABEL=VALUE",
			    o->operands[i]);
		label_set(&s, name, value);
	}
	if (used < o->noperands)
		notify_config_match(c, label_done(&s, &a), &b);
	else
		notify_config_routes(c, &b);
	tool_print(&b);
	label_fini(&s);
	arena_fini(&a);
	notify_config_free(c);
	return TOOL_OK;
}

/* What the directory holds; it is not owned for that. */
int
notify_alerts(const struct notify_options *o)
{
	size_t used;
	struct notify_options mine = *o;
	struct notify_config *c = config(o, &used);
	struct notify_files files;
	struct notify *n;
	struct buf b = { 0 };

	mine.dry = true;
	mine.dir = tool_dir(o->dir);
	n = notify_new(c, "", NULL, NULL, NULL);
	notify_files_open(&files, &mine, n, tool_now());
	notify_list(n, tool_now(), &b);
	tool_print(&b);
	notify_free(n);
	notify_files_close(&files);
	notify_config_free(c);
	return TOOL_OK;
}

int
notify_render_cmd(const struct notify_options *o)
{
	size_t used;
	struct notify_config *c = config(o, &used);
	struct buf json = { 0 }, out = { 0 };
	struct error e;
	int rc;

	if (o->noperands != used + 1)
		tool_die(TOOL_USAGE, "render: give one template");
	if (file_read_fd(STDIN_FILENO, "stdin", &json, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	rc = notify_render(
	    c, buf_str(&json), str_of(o->operands[used]), tool_now(), &out, &e);
	if (rc != 0)
		tool_die(rc == -1 ? TOOL_USAGE : TOOL_FAILED, "%s", e.msg);
	buf_byte(&out, '\n');
	tool_write(buf_str(&out));
	buf_fini(&json);
	buf_fini(&out);
	notify_config_free(c);
	return TOOL_OK;
}
