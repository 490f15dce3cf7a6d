/*
 * The metadata of jobs: a log, read whole (it is small) and added to when a
 * line says something new.
 */
#include "store/meta.h"

#include <stdlib.h>

#include "base/mem.h"
#include "metric/expo.h"
#include "store/dir.h"

static const str names[STORE_META_KINDS] = {
	STR_INIT("HELP"),
	STR_INIT("TYPE"),
	STR_INIT("UNIT"),
	STR_INIT("KIND"),
};

static const enum expo_kind lines[STORE_META_KINDS] = {
	EXPO_HELP,
	EXPO_TYPE,
	EXPO_UNIT,
	EXPO_KIND,
};

/* How long "job\0metric\0KIND" is in a record's bytes; 0: it is none. */
static size_t
key_size(str bytes)
{
	size_t n = 0;

	for (int i = 0; i < 3; i++) {
		size_t k = str_chr(str_skip(bytes, n), '\0');

		if (n + k >= bytes.n)
			return 0;
		n += k + 1;
	}
	return n - 1;
}

int
store_meta_load(struct store_meta *m, int dirfd, bool write, struct error *e)
{
	struct store_rec rec;
	str bytes;
	int r;

	if (!m->open) {
		r = store_log_open(
		    &m->log, dirfd, "meta.log", STORE_META_MAGIC, write, 0, e);
		if (r != 1)
			return r;
		m->open = true;
		m->done = sizeof(struct store_log_head);
	} else if (store_view_stat(&m->log.v, e) == -1)
		return -1;
	if (m->done == store_log_size(&m->log))
		return 0;
	while (store_log_find(&m->log, &m->done, &rec, &bytes)) {
		str key = str_take(bytes, key_size(bytes));

		if (key.n > 0 && rec.size >> 24 == STORE_REC_META)
			map_add(&m->last, key, NULL)->v.i = (size_t)m->done;
		m->done = store_log_after(m->done, &rec);
		m->log.end = m->done;
	}
	m->done = m->log.end;
	return 0;
}

void
store_meta_close(struct store_meta *m)
{
	if (m->open)
		store_log_close(&m->log);
	map_fini(&m->last);
	buf_fini(&m->fresh);
	buf_fini(&m->key);
	m->open = false;
}

static str
key(struct store_meta *m, str job, str metric, enum store_meta_kind kind)
{
	buf_reset(&m->key);
	buf_add(&m->key, job);
	buf_byte(&m->key, '\0');
	buf_add(&m->key, metric);
	buf_byte(&m->key, '\0');
	buf_add(&m->key, names[kind]);
	return buf_str(&m->key);
}

str
store_meta_find(
    struct store_meta *m, str job, str metric, enum store_meta_kind kind)
{
	str k = key(m, job, metric, kind), bytes;
	const struct map_slot *slot = m->open ? map_find(&m->last, k) : NULL;
	struct store_rec rec;

	if (slot == NULL ||
	    !store_log_at(&m->log, (uint64_t)slot->v.i, &rec, &bytes))
		return STR_NONE;
	return str_skip(bytes, k.n + 1);
}

/* A key's job and metric; false if it is not the first kind they have. */
static bool
first_of(struct store_meta *m, str k, str *job, str *metric)
{
	size_t n = str_chr(k, '\0');
	str rest = str_skip(k, n + 1);
	size_t i = 0;

	*job = str_take(k, n);
	*metric = str_take(rest, str_chr(rest, '\0'));
	rest = str_skip(rest, metric->n + 1);
	while (i < STORE_META_KINDS && !str_eq(names[i], rest))
		i++;
	while (i-- > 0)
		if (store_meta_find(m, *job, *metric, (enum store_meta_kind)i)
			.p != NULL)
			return false;
	return true;
}

void
store_meta_each(struct store_meta *m,
    void (*each)(void *arg, str metric, str type, str help, str unit),
    void *arg)
{
	struct map_slot *slot = NULL;
	str job, metric;

	while ((slot = map_next(&m->last, slot)) != NULL)
		if (first_of(m, slot->key, &job, &metric))
			each(arg, metric,
			    store_meta_find(m, job, metric, STORE_META_TYPE),
			    store_meta_find(m, job, metric, STORE_META_HELP),
			    store_meta_find(m, job, metric, STORE_META_UNIT));
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

int
store_meta_walk(struct store_meta *m,
    int (*each)(void *arg, str job, str metric), void *arg)
{
	struct map_slot *slot = NULL;
	size_t n = 0, cap = 0;
	str *v = NULL, job, metric;
	int rc = 0;

	while ((slot = map_next(&m->last, slot)) != NULL)
		if (first_of(m, slot->key, &job, &metric)) {
			v = mem_grow(v, &cap, n + 1, sizeof(*v));
			/* One key: they follow each other in the record. */
			v[n++] = str_take(slot->key, job.n + 1 + metric.n);
		}
	if (n > 0)
		qsort(v, n, sizeof(*v), by_bytes);
	for (size_t i = 0; i < n && rc == 0; i++) {
		size_t k = str_chr(v[i], '\0');

		rc = each(arg, str_take(v[i], k), str_skip(v[i], k + 1));
	}
	free(v);
	return rc;
}

void
store_meta_put(struct store_meta *m, str job, str metric,
    enum store_meta_kind kind, str text)
{
	str old = store_meta_find(m, job, metric, kind);

	if ((old.p != NULL && str_eq(old, text)) ||
	    memchr(metric.p, '\0', metric.n) != NULL)
		return;
	key(m, job, metric, kind);
	buf_byte(&m->key, '\0');
	buf_add(&m->key, text);
	if (m->key.n <= STORE_REC_MAX)
		store_log_put(&m->fresh, STORE_REC_META, buf_str(&m->key));
}

int
store_meta_commit(struct store_meta *m, bool sync, struct error *e)
{
	int r;

	if (m->fresh.n == 0)
		return 0;
	r = store_log_write(&m->log, buf_str(&m->fresh), sync, e);
	buf_reset(&m->fresh);
	return r;
}

void
store_meta_lines(struct store_meta *m, struct buf *b, str job, str metric)
{
	for (int k = 0; k < STORE_META_KINDS; k++) {
		str text =
		    store_meta_find(m, job, metric, (enum store_meta_kind)k);
		struct expo_item it = {
			.kind = lines[k],
			.name = metric,
			.text = text,
		};

		if (text.p != NULL)
			expo_put_item(b, &it);
	}
}

/* Once for each job and metric: seen's keys live in a. */
static void
print_once(struct store_meta *m, struct buf *b, str job, str metric,
    struct map *seen, struct arena *a)
{
	str k =
	    arena_printf(a, "%.*s%c%.*s", STR_ARG(job), '\0', STR_ARG(metric));
	bool fresh;

	map_add(seen, k, &fresh);
	if (fresh)
		store_meta_lines(m, b, job, metric);
}

void
store_meta_print(struct store_meta *m, struct buf *b, str job, str name,
    struct map *seen, struct arena *a)
{
	static const str ends[] = {
		STR_INIT("_bucket"),
		STR_INIT("_count"),
		STR_INIT("_sum"),
		STR_INIT("_gcount"),
		STR_INIT("_gsum"),
		STR_INIT("_info"),
		STR_INIT("_total"),
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (name.n > ends[i].n && str_ends(name, ends[i]))
			print_once(m, b, job,
			    str_take(name, name.n - ends[i].n), seen, a);
	print_once(m, b, job, name, seen, a);
}
