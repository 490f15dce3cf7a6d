/*
 * What overlaps becomes a run, and a run stands where the mean of its members
 * wants it (isotonic regression by pooling neighbours): no one is favoured.
 */
#include "plot/spread.h"

#include <stdlib.h>

/* Members that touch; mean is where the first of them would stand. */
struct run {
	size_t n;
	double mean;
};

static int
by_want(const void *a, const void *b)
{
	const struct plot_place *x = a, *y = b;

	if (x->want != y->want)
		return x->want < y->want ? -1 : 1;
	return (x->what > y->what) - (x->what < y->what);
}

/* Pool place i into the runs before it that it would overlap. */
static size_t
pool(struct run *r, size_t k, double want, int gap)
{
	r[k++] = (struct run){ 1, want };
	while (
	    k > 1 && r[k - 1].mean < r[k - 2].mean + (double)r[k - 2].n * gap) {
		struct run *a = &r[k - 2], *b = &r[k - 1];
		double n = (double)(a->n + b->n);

		a->mean = (a->mean * (double)a->n +
			      (b->mean - (double)a->n * gap) * (double)b->n) /
		    n;
		a->n += b->n;
		k--;
	}
	return k;
}

size_t
plot_spread(struct plot_place *v, size_t n, int gap, int max, struct arena *a)
{
	struct run *r = arena_array(a, n, struct run);
	size_t k = 0, i = 0;
	int low = 0;

	qsort(v, n, sizeof(*v), by_want);
	if (n > (size_t)(max / gap) + 1)
		n = (size_t)(max / gap) + 1;
	for (i = 0; i < n; i++)
		k = pool(r, k, v[i].want, gap);
	i = 0;
	for (size_t j = 0; j < k; j++)
		for (size_t m = 0; m < r[j].n; m++, i++) {
			v[i].at = (int)(r[j].mean + (double)m * gap);
			if (v[i].at < low)
				v[i].at = low;
			low = v[i].at + gap;
		}
	for (int most = max; i-- > 0; most = v[i].at - gap)
		if (v[i].at > most)
			v[i].at = most;
	return n;
}
