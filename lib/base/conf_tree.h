/*
 * Inside of conf: what a struct conf holds, and the steps it is made in.  Only
 * the files conf*.c include this.
 *
 * A text is read by conf_tree_next() into nodes of the conf's arena; each
 * scalar passes conf_expand() on its way.  conf_manifest_find() takes the text
 * under a key of a manifest, and says where its lines are in the file.
 */
#ifndef BASE_CONF_TREE_H
#define BASE_CONF_TREE_H

#include <yaml.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/conf.h"

#define CONF_TREE_DEPTH 100

struct conf {
	struct arena a;
	struct conf_opts o; /* set is copied */
	str name;           /* of the file, as given */
	str key;            /* of the manifest, or empty */
	str manifest;       /* its whole text; p NULL: not from one */
	const struct conf_node *root;
	/*
	 * Where the text stands in the file: added to its lines and columns;
	 * or, when the file's lines are not the text's (base64), the place the
	 * value begins at, line 0 meaning "not so".
	 */
	int add_line, add_col;
	int at_line, at_col;
};

/* Documents of a text, one after another. */
struct conf_tree {
	struct conf *c;
	str text;
	bool expand;
	yaml_parser_t y;
};

void conf_tree_open(struct conf_tree *t, struct conf *c, str text, bool expand);
void conf_tree_close(struct conf_tree *t);

/* 1 with the root of the next document, 0 after the last, -1 on an error. */
int conf_tree_next(
    struct conf_tree *t, const struct conf_node **root, struct error *e);

/* Put "name:line:col: " (line and col of the file) before e's message. */
int conf_tree_at(const struct conf *c, int line, int col, struct error *e);

/* Are --set, --env or the manifest's rules to be applied at all? */
bool conf_expand_on(const struct conf *c);

/*
 * Fill in the ${NAME} of a scalar, and, if bare is set, the bare names of
 * --set.  Without env only --set counts and what is not filled stays.  *out is
 * s itself or in c's arena.
 */
int conf_expand(
    struct conf *c, str s, bool env, bool bare, str *out, struct error *e);

/* Is the tree a Kubernetes object's? */
bool conf_manifest_is(const struct conf_node *root);

/* Standard base64 with its padding; line ends and blanks are passed over. */
int conf_unbase64(str s, struct buf *out);

/* What stands under a key of a manifest. */
struct conf_manifest {
	str text;                               /* in the arena asked for */
	int add_line, add_col, at_line, at_col; /* as in struct conf */
};

/*
 * Look for a key in c->manifest, in all its documents.  1 found, 0 not there,
 * -1 on an error.  Base64 is decoded, the placeholders before it filled in.
 */
int conf_manifest_find(
    struct conf *c, str key, struct conf_manifest *m, struct error *e);

#endif
