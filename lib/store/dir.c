/*
 * Opening a store: is it ours, of which boot, which days are there.
 */
#include "store/dir.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/sealed.h"

uint32_t
store_ymd(int64_t t, int64_t *start)
{
	struct date d;
	int64_t day = t / DATE_DAY - (t % DATE_DAY < 0);

	*start = day * DATE_DAY;
	date_of(*start, NULL, &d);
	return (uint32_t)(d.year * 10000 + d.month * 100 + d.day);
}

/* Which boot this is; without /proc every time is the same one. */
static void
read_boot(uint8_t boot[16])
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof(text));
	size_t k = 0;

	memset(boot, 0, 16);
	for (ssize_t i = 0; i < n && k < 32; i++) {
		int c = (unsigned char)text[i];
		int h = c >= '0' && c <= '9' ? c - '0'
		    : c >= 'a' && c <= 'f'   ? c - 'a' + 10
					     : -1;

		if (h == -1)
			continue;
		boot[k / 2] = (uint8_t)(boot[k / 2] << 4 | h);
		k++;
	}
	if (fd != -1)
		close(fd);
}

int
store_dir_names(int dirfd, const char *name,
    int (*each)(void *arg, const char *name), void *arg, struct error *e)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *de;
	int r = 0;

	if (d == NULL) {
		if (errno == ENOENT)
			return 0;
		error_errno(e, "%s", name);
		if (fd != -1)
			close(fd);
		return -1;
	}
	while (r == 0 && (errno = 0, de = readdir(d)) != NULL)
		r = each(arg, de->d_name);
	if (r == 0 && errno != 0)
		r = error_errno(e, "%s", name);
	closedir(d);
	return r;
}

/* An all-digit number of exactly n digits with that end; or 0. */
static uint32_t
number(const char *s, size_t n, const char *end)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		v = v * 10 + (uint32_t)(s[i] - '0');
	}
	return strcmp(s + n, end) == 0 ? v : 0;
}

/* What may lie in a directory that is just being made a store. */
static int
foreign(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strcmp(name, "lock") == 0 || strcmp(name, "format.tmp") == 0 ||
		strcmp(name, "format") == 0
	    ? 0
	    : -1;
}

/* 1: it is a store; 0: there is no word of it; -1: not one we can read. */
static int
read_format(int fd, struct error *e)
{
	char text[64];
	int f = openat(fd, "format", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (f == -1)
		return errno == ENOENT ? 0 : error_errno(e, "format");
	n = read(f, text, sizeof(text));
	close(f);
	if (n == -1)
		return error_errno(e, "format");
	if ((size_t)n == sizeof(STORE_FORMAT) - 1 &&
	    memcmp(text, STORE_FORMAT, (size_t)n) == 0)
		return 1;
	if (n >= 9 && memcmp(text, "mf-store ", 9) == 0)
		return error_set(e, "a store of another version of mf-store");
	return error_set(e, "not a store: 'format' is of something else");
}

static int
write_format(const struct store *s, struct error *e)
{
	str text = STR(STORE_FORMAT);
	int fd = openat(s->fd, "format.tmp",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int r;

	if (fd == -1)
		return error_errno(e, "format.tmp");
	r = file_write_fd(fd, "format.tmp", text, e);
	if (r == 0 && fsync(fd) == -1)
		r = error_errno(e, "format.tmp");
	close(fd);
	if (r == 0 && renameat(s->fd, "format.tmp", s->fd, "format") == -1)
		r = error_errno(e, "format");
	return r;
}

/* Several may find the directory empty at once: one writes, all see it. */
static int
make_format(const struct store *s, struct error *e)
{
	int r;

	if (store_lock(s, e) == -1)
		return -1;
	r = read_format(s->fd, e);
	if (r == 0)
		r = write_format(s, e);
	store_unlock(s);
	return r == -1 ? -1 : 0;
}

/* Take the lock file; make the directory a store if it is an empty one. */
static int
open_writer(struct store *s, struct error *e)
{
	struct error none;
	int r = read_format(s->fd, e);

	if (r == -1)
		return -1;
	/* Another may be at it just now, and have got further. */
	if (r == 0 && store_dir_names(s->fd, ".", foreign, NULL, &none) == -1 &&
	    read_format(s->fd, &none) != 1)
		return error_set(e, "not a store, and not empty");
	s->lock = openat(s->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (s->lock == -1)
		return error_errno(e, "lock");
	return r == 1 ? 0 : make_format(s, e);
}

static int
open_dir(struct store *s, struct error *e)
{
	struct error none;
	int r;

	if (s->mode == STORE_WRITE && access(s->path, F_OK) == -1 &&
	    file_mkdir(s->path, e) == -1)
		return -1;
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd == -1)
		return errno == ENOENT ? error_set(e, "no store here")
				       : error_set(e, "%s", strerror(errno));
	if (s->mode == STORE_WRITE)
		return open_writer(s, e);
	r = read_format(s->fd, e);
	if (r == 0 && store_dir_names(s->fd, ".", foreign, NULL, &none) == 0)
		return error_set(e, "no store here"); /* one is being made */
	return r == 0 ? error_set(e, "not a store") : r == -1 ? -1 : 0;
}

struct store *
store_open(const char *path, enum store_mode mode, struct error *e)
{
	struct store *s = mem_zero(1, sizeof(*s));
	size_t n = strlen(path) + 1;

	s->path = memcpy(mem_alloc(n), path, n);
	s->mode = mode;
	s->fd = s->lock = -1;
	read_boot(s->boot);
	if (open_dir(s, e) == 0)
		return s;
	error_add(e, "%s", path);
	store_close(s);
	return NULL;
}

/* What was replaced goes, when nobody can be reading it. */
static void
bury(struct store_day *d)
{
	store_dict_bury(&d->dict);
	if (d->ngone == 0)
		return;
	/* They know layouts by where they lie. */
	store_layouts_fini(&d->layouts);
	while (d->ngone > 0) {
		d->ngone--;
		store_seg_close(d->gone[d->ngone]);
		free(d->gone[d->ngone]);
	}
}

void
store_day_close(struct store_day *d)
{
	bury(d);
	if (d->open)
		store_dict_close(&d->dict);
	store_names_fini(&d->names);
	store_layouts_fini(&d->layouts);
	for (size_t i = 0; i < d->n; i++) {
		store_seg_close(d->seg[i]);
		free(d->seg[i]);
	}
	free(d->gone);
	free(d->seg);
	free(d->span);
}

int
store_lock(const struct store *s, struct error *e)
{
	while (flock(s->lock, LOCK_EX) == -1)
		if (errno != EINTR)
			return error_errno(e, "lock");
	return 0;
}

int
store_lock_compact(const struct store *s, struct error *e)
{
	size_t n = strlen(s->path) + sizeof("/compact.lock");
	char *path = mem_alloc(n);
	int fd;

	snprintf(path, n, "%s/compact.lock", s->path);
	fd = file_lock(path, false, e);
	free(path);
	return fd;
}

void
store_unlock(const struct store *s)
{
	flock(s->lock, LOCK_UN);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->w != NULL)
		store_writer_free(s->w);
	for (size_t i = 0; i < s->n; i++) {
		store_day_close(s->days[i]);
		free(s->days[i]);
	}
	free(s->days);
	store_meta_close(&s->meta);
	if (s->lock != -1)
		close(s->lock);
	if (s->fd != -1)
		close(s->fd);
	free(s->path);
	free(s);
}

struct numbers {
	size_t digits;
	const char *end;
	uint32_t *v;
	size_t n, cap;
};

static int
take_number(void *arg, const char *name)
{
	struct numbers *l = arg;
	uint32_t v =
	    strlen(name) < l->digits ? 0 : number(name, l->digits, l->end);

	if (v != 0) {
		l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = v;
	}
	return 0;
}

static int
cmp_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int
numbers(int dirfd, const char *name, struct numbers *l, struct error *e)
{
	if (store_dir_names(dirfd, name, take_number, l, e) == -1) {
		free(l->v);
		l->v = NULL;
		return -1;
	}
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), cmp_number);
	return 0;
}

void
store_day_name(char out[16], uint32_t ymd)
{
	snprintf(out, 16, "%08u", (unsigned)ymd);
}

struct spans {
	struct store_span *v;
	size_t n, cap;
};

/* "000001.seg" or "000001-000016.part". */
static int
take_span(void *arg, const char *name)
{
	struct spans *l = arg;
	struct store_span x = { .part = strlen(name) == 18 };
	char first[7];

	if (strlen(name) == 10) {
		x.first = x.last = number(name, 6, ".seg");
	} else if (x.part && name[6] == '-') {
		memcpy(first, name, 6);
		first[6] = '\0';
		x.first = number(first, 6, "");
		x.last = number(name + 7, 6, ".part");
	}
	if (x.first == 0 || x.last < x.first)
		return 0;
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = x;
	return 0;
}

static int
cmp_span(const void *a, const void *b)
{
	const struct store_span *x = a, *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	if (x->part != y->part)
		return x->part ? 1 : -1;
	return (x->first < y->first) - (x->first > y->first);
}

int
store_day_list(const struct store *s, uint32_t ymd, struct store_span **v,
    size_t *n, struct error *e)
{
	struct spans l = { NULL, 0, 0 };
	char name[16];

	store_day_name(name, ymd);
	if (store_dir_names(s->fd, name, take_span, &l, e) == -1) {
		free(l.v);
		return -1;
	}
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), cmp_span);
	*v = l.v;
	*n = l.n;
	return 0;
}

/* From the end: the widest of those that end there, then what is before it. */
size_t
store_span_widest(struct store_span *v, size_t n)
{
	uint32_t first = UINT32_MAX;
	size_t k = n;

	for (size_t i = n; i-- > 0;)
		if (v[i].last < first) {
			first = v[i].first;
			v[--k] = v[i];
		}
	if (n > k)
		memmove(v, v + k, (n - k) * sizeof(*v));
	return n - k;
}

void
store_span_name(char out[32], uint32_t ymd, const struct store_span *x)
{
	if (x->part)
		store_sealed_name(out, ymd, x->first, x->last);
	else
		snprintf(
		    out, 32, "%08u/%06u.seg", (unsigned)ymd, (unsigned)x->last);
}

int64_t
store_day_start(uint32_t ymd)
{
	struct date d = {
		.year = (int)(ymd / 10000),
		.month = (int)(ymd / 100 % 100),
		.day = (int)(ymd % 100),
	};

	return date_to(&d, NULL);
}

/* A day that has gone stays open only while cursors may be reading it. */
static size_t
keep_gone(
    const struct store *s, struct store_day *d, struct store_day **v, size_t n)
{
	if (s->readers > 0) {
		v[n] = d;
		return n + 1;
	}
	store_day_close(d);
	free(d);
	return n;
}

int
store_days(struct store *s, struct error *e)
{
	struct numbers l = { .digits = 8, .end = "" };
	struct store_day **v;
	size_t n = 0, i = 0;

	if (numbers(s->fd, ".", &l, e) == -1)
		return -1;
	v = mem_zero(s->n + l.n + 1, sizeof(struct store_day *));
	for (size_t k = 0; k < l.n; k++) {
		while (i < s->n && s->days[i]->ymd < l.v[k])
			n = keep_gone(s, s->days[i++], v, n);
		if (i < s->n && s->days[i]->ymd == l.v[k]) {
			v[n++] = s->days[i++];
			continue;
		}
		v[n] = mem_zero(1, sizeof(**v));
		v[n]->ymd = l.v[k];
		v[n++]->start = store_day_start(l.v[k]);
	}
	while (i < s->n)
		n = keep_gone(s, s->days[i++], v, n);
	free(l.v);
	free(s->days);
	s->days = v;
	s->n = n;
	return 0;
}

static bool
same_spans(const struct store_span *a, size_t na, const struct store_span *b,
    size_t nb)
{
	for (size_t i = 0; na == nb && i < na; i++)
		if (cmp_span(&a[i], &b[i]) != 0)
			return false;
	return na == nb;
}

/*
 * The files as they all were at one time.  Names only come, and go when
 * another stands for them: two lists that are the same are true of the moment
 * between them, one list may have missed a part that was just made and the
 * segments it was made of.
 */
static int
list_twice(const struct store *s, const struct store_day *d,
    struct store_span **v, size_t *n, struct error *e)
{
	struct store_span *w;
	size_t m;

	if (store_day_list(s, d->ymd, v, n, e) == -1)
		return -1;
	if (same_spans(*v, *n, d->span, d->nspan))
		return 0;
	for (;;) {
		bool same;

		if (store_day_list(s, d->ymd, &w, &m, e) == -1) {
			free(*v);
			return -1;
		}
		same = same_spans(*v, *n, w, m);
		free(*v);
		*v = w;
		*n = m;
		if (same)
			return 0;
	}
}

/* What is open already of a file, taken out of the day's list; or NULL. */
static struct store_seg *
reuse(struct store_day *d, const struct store_span *x)
{
	for (size_t i = 0; i < d->n; i++) {
		struct store_seg *g = d->seg[i];

		if (g == NULL || g->first != x->first || g->no != x->last ||
		    (g->sealed != NULL) != x->part ||
		    (x->part && !store_view_current(&g->v)))
			continue;
		d->seg[i] = NULL;
		return g;
	}
	return NULL;
}

static int
open_span(struct store *s, const struct store_day *d,
    const struct store_span *x, struct store_seg **out, struct error *e)
{
	struct store_seg *g = mem_zero(1, sizeof(*g));
	int r = x->part
	    ? store_sealed_open(g, s->fd, d->ymd, x->first, x->last, e)
	    : store_seg_open(g, s->fd, d->ymd, x->last, s->boot, false, e);

	if (r != 1) {
		free(g);
		g = NULL;
	} else if (x->part) {
		store_sealed_watch(g->sealed, &s->damage, g->v.name);
	} else
		g->damage = &s->damage;
	*out = g;
	return r;
}

/* Is a file that could not be opened there at all? */
static bool
there(const struct store *s, uint32_t ymd, const struct store_span *x)
{
	struct stat st;
	char name[32];

	store_span_name(name, ymd, x);
	return fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
note_span(struct store *s, uint32_t ymd, const struct store_span *x)
{
	char name[32];

	store_span_name(name, ymd, x);
	store_damage_note(&s->damage, name);
}

static void
drop_segments(struct store_day *d, struct store_seg **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] != NULL) {
			d->gone = mem_grow(d->gone, &d->gonecap, d->ngone + 1,
			    sizeof(struct store_seg *));
			d->gone[d->ngone++] = v[i];
		}
	free(v);
}

/*
 * Open what stands for all of v, files that are not what their names say passed
 * over: then what such a part covers is looked at, if it is still there.  1; 0
 * if a file has gone meanwhile; -1.
 */
static int
open_spans(struct store *s, struct store_day *d, const struct store_span *v,
    size_t n, struct error *e)
{
	struct store_span *w = mem_alloc((n + 1) * sizeof(*w));
	struct store_seg **seg = mem_zero(n + 1, sizeof(struct store_seg *));
	uint32_t below = UINT32_MAX;
	size_t k = n;
	int r = 1;

	if (n > 0)
		memcpy(w, v, n * sizeof(*w));
	for (size_t i = n; i-- > 0 && r == 1;) {
		struct store_seg *g;

		if (w[i].last >= below)
			continue;
		g = reuse(d, &w[i]);
		if (g == NULL && open_span(s, d, &w[i], &g, e) == -1)
			r = -1;
		else if (g == NULL && !there(s, d->ymd, &w[i]))
			r = 0;
		if (g == NULL) {
			if (r == 1)
				note_span(s, d->ymd, &w[i]);
			continue;
		}
		seg[--k] = g;
		below = w[i].first;
	}
	memmove(seg, seg + k, (n - k) * sizeof(struct store_seg *));
	drop_segments(d, d->seg, d->n);
	d->seg = seg;
	d->n = n - k;
	free(w);
	return r;
}

/* See which segments and parts there are now. */
static int
day_segments(struct store *s, struct store_day *d, struct error *e)
{
	struct store_span *v;
	size_t n;
	int r = 0;

	while (r == 0) {
		if (list_twice(s, d, &v, &n, e) == -1)
			return -1;
		r = open_spans(s, d, v, n, e);
		free(d->span);
		d->span = v;
		d->nspan = n;
		if (r != 1)
			d->nspan = 0; /* nothing to go by next time */
	}
	return r == 1 ? 0 : -1;
}

/* What cannot be read of a day's labels is to be noted, and what was not. */
static void
watch(struct store *s, struct store_day *d)
{
	struct store_dict *x = &d->dict;
	char name[32];
	bool cut;

	x->log.damage = &s->damage;
	if (x->index != NULL)
		store_index_watch(x->index, &s->damage);
	cut = d->n > 0 &&
	    (!d->open ||
		(uint64_t)store_seg_log(d->seg[d->n - 1]) * 8 > x->log.end);
	if (x->log.headless || x->log.damaged || cut) {
		snprintf(
		    name, sizeof(name), "%08u/series.log", (unsigned)d->ymd);
		store_damage_note(&s->damage, name);
	}
	if (x->index_damaged) {
		snprintf(name, sizeof(name), "%08u/index", (unsigned)d->ymd);
		store_damage_note(&s->damage, name);
	}
}

/*
 * Slots first, then the dictionary: what a slot speaks of is then there.
 */
int
store_day_use(struct store *s, struct store_day *d, struct error *e)
{
	int r;

	if (s->readers == 0)
		bury(d);
	for (size_t i = 0; i < d->n; i++)
		if (store_seg_stat(d->seg[i], e) == -1)
			return -1;
	if (day_segments(s, d, e) == -1)
		return -1;
	if (d->open) {
		r = store_dict_stat(&d->dict, e);
		if (r == 1)
			store_names_fini(&d->names);
	} else {
		r = store_dict_open(&d->dict, s->fd, d->ymd, s->boot, false, e);
		d->open = r == 1;
	}
	if (r != -1)
		watch(s, d);
	return r == -1 ? -1 : 0;
}
