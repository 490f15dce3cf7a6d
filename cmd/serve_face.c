/*
 * Where mf-serve's folders meet: serve/ asks, store/ has, plot/ draws.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/num.h"
#include "damaged.h"
#include "metric/series.h"
#include "plot/plot.h"
#include "serve_run.h"
#include "tool.h"

struct face {
	const char *dir;
	struct store *store; /* NULL: not open yet */
	struct series_set *empty;
	struct source source;
};

struct face *
face_new(const char *dir)
{
	struct face *f = mem_zero(1, sizeof(*f));

	f->dir = dir;
	f->empty = series_new();
	return f;
}

void
face_free(struct face *f)
{
	if (f == NULL)
		return;
	if (f->store != NULL)
		store_close(f->store);
	series_free(f->empty);
	free(f);
}

void
face_tell(struct face *f)
{
	if (f != NULL && f->store != NULL)
		(void)damaged_tell(f->store);
}

const struct source *
face_source(void *arg, struct error *e)
{
	struct face *f = arg;
	struct buf path = { 0 };
	struct stat st;

	if (f->store != NULL)
		return &f->source;
	buf_printf(&path, "%s/store", f->dir);
	if (stat(buf_cstr(&path), &st) == -1 && errno == ENOENT) {
		f->source = series_source(f->empty);
		buf_fini(&path);
		return &f->source;
	}
	f->store = store_open(buf_cstr(&path), STORE_READ, e);
	buf_fini(&path);
	if (f->store == NULL)
		return NULL;
	f->source = store_source(f->store);
	return &f->source;
}

void
face_draw(void *arg, struct buf *svg, const struct serve_graph *g)
{
	struct plot_series *v = mem_zero(g->result->n, sizeof(*v));
	struct plot p = {
		.v = v,
		.n = g->result->n,
		.title = g->title,
		.from = g->from,
		.to = g->to,
		.step = g->step,
		.warn = num_nan(),
		.crit = num_nan(),
		.zone_name = STR("UTC"),
	};

	(void)arg;
	for (size_t i = 0; i < p.n; i++) {
		const struct promql_series *s = &g->result->v[i];

		/* nothing is drawn of a histogram */
		v[i] = (struct plot_series){ s->labels, s->t, s->v,
			s->h == NULL ? s->n : 0 };
	}
	plot_svg(svg, &p, g->width, g->height);
	free(v);
}
