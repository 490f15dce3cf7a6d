/*
 * mf-serve's own parts beside its options: the samples behind the API, and
 * the loop.
 */
#ifndef SERVE_RUN_H
#define SERVE_RUN_H

#include "serve/serve.h"

/* The store of an mf directory as the server sees it. */
struct face;

/* dir is borrowed; the store is opened when it is first asked for. */
struct face *face_new(const char *dir);
void face_free(struct face *f);

/*
 * As struct serve_opts wants them, with a face as arg.  A store that is not
 * there yet is an empty one.
 */
const struct source *face_source(void *arg, struct error *e);
/* Say on stderr what of the store could not be read. */
void face_tell(struct face *f);
void face_draw(void *arg, struct buf *svg, const struct serve_graph *g);

/*
 * f, which may be NULL, is what the server looks into.  Serve until a signal,
 * or the end of the stream on stdin (if streaming, and it is no regular file).
 * Returns the exit status.
 */
int serve_run(struct serve *s, struct httpd *h, struct face *f, bool streaming);

/* The handler of the server; its arg is the struct serve. */
httpd_handler serve_answer;

#endif
