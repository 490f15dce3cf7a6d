/*
 * Limits are a row of names, so that the file, the options of mf-store and its
 * messages all have them from one place.
 */
#include "store/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/dur.h"
#include "base/file.h"
#include "base/num.h"

static const struct {
	const char *name;
	bool time;
} rows[STORE_LIMITS] = {
	[STORE_LIMIT_WINDOW] = { "ooo-window", true },
	[STORE_LIMIT_AGE] = { "max-age", true },
	[STORE_LIMIT_FUTURE] = { "max-future", true },
	[STORE_LIMIT_SERIES] = { "max-series", false },
	[STORE_LIMIT_LABELS] = { "max-labels", false },
	[STORE_LIMIT_LENGTH] = { "max-label-length", false },
};

#define FILE_MAX 4096

const char *
store_limit_name(enum store_limit i)
{
	return rows[i].name;
}

bool
store_limit_is_time(enum store_limit i)
{
	return rows[i].time;
}

int
store_limits_parse(
    struct store_limits *l, enum store_limit i, str text, struct error *e)
{
	int64_t v;

	if (str_eq(text, STR("none")))
		v = STORE_UNLIMITED;
	else if (rows[i].time && dur_parse(text, &v, e) == -1)
		return -1;
	else if (!rows[i].time && (num_parse_int(text, &v) == -1 || v < 0))
		return error_set(e, "'%.*s' is not a number", STR_ARG(text));
	l->v[i] = v;
	l->set |= 1U << i;
	return 0;
}

void
store_limits_print(struct buf *b, const struct store_limits *l)
{
	for (unsigned i = 0; i < STORE_LIMITS; i++) {
		if (!(l->set >> i & 1) || l->v[i] == STORE_UNLIMITED)
			continue;
		buf_printf(b, "%s ", rows[i].name);
		if (rows[i].time)
			dur_print(b, l->v[i]);
		else
			num_print_int(b, l->v[i]);
		buf_byte(b, '\n');
	}
}

static int
parse_line(struct store_limits *l, str line, struct error *e)
{
	size_t n = str_chr(line, ' ');

	for (unsigned i = 0; i < STORE_LIMITS; i++)
		if (str_eq(str_take(line, n), str_of(rows[i].name)))
			return store_limits_parse(
			    l, i, str_skip(line, n + 1), e);
	return error_set(e, "no limit '%.*s'", STR_ARG(str_take(line, n)));
}

static int
parse(struct store_limits *l, str text, struct error *e)
{
	*l = (struct store_limits){ .set = 0 };
	for (size_t k = 1; text.n > 0; k++) {
		size_t n = str_chr(text, '\n');
		str line = str_take(text, n);

		if (line.n > 0 && line.p[0] != '#' &&
		    parse_line(l, line, e) == -1)
			return error_add(e, "limits:%zu", k);
		text = str_skip(text, n + 1);
	}
	return 0;
}

static int
load(struct store *s, struct error *e)
{
	int fd = openat(s->fd, "limits", O_RDONLY | O_CLOEXEC);
	struct buf b = { NULL, 0, 0 };
	int rc;

	if (fd == -1 && errno == ENOENT) { /* it has just gone */
		s->limits.set = 0;
		return 0;
	}
	if (fd == -1)
		return error_errno(e, "limits");
	rc = file_read_fd(fd, "limits", &b, e);
	close(fd);
	if (rc == 0 && b.n > FILE_MAX)
		rc = error_set(e, "limits: too long");
	if (rc == 0)
		rc = parse(&s->limits, buf_str(&b), e);
	buf_fini(&b);
	return rc;
}

int
store_limits_load(struct store *s, struct store_limits *l, struct error *e)
{
	struct stat st, *was = &s->limits_stat;

	if (fstatat(s->fd, "limits", &st, 0) == -1) {
		if (errno != ENOENT)
			return error_errno(e, "limits");
		memset(&st, 0, sizeof(st));
	}
	if (st.st_ino != was->st_ino || st.st_size != was->st_size ||
	    st.st_mtim.tv_sec != was->st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != was->st_mtim.tv_nsec) {
		if (st.st_ino == 0)
			s->limits.set = 0;
		else if (load(s, e) == -1)
			return -1;
		*was = st;
	}
	*l = s->limits;
	return 0;
}

static void
add(struct store_limits *l, const struct store_limits *more)
{
	for (unsigned i = 0; i < STORE_LIMITS; i++)
		if (more->set >> i & 1)
			l->v[i] = more->v[i];
	l->set |= more->set;
}

int
store_limits_use(struct store *s, const struct store_limits *given,
    struct store_limits *out, struct error *e)
{
	if (store_limits_load(s, out, e) == -1)
		return -1;
	add(out, given);
	for (unsigned i = 0; i < STORE_LIMITS; i++)
		if (out->v[i] == STORE_UNLIMITED)
			out->set &= ~(1U << i);
	return 0;
}

int
store_limits_save(
    struct store *s, const struct store_limits *more, struct error *e)
{
	struct buf path = { NULL, 0, 0 }, text = { NULL, 0, 0 };
	struct store_limits l;
	int rc;

	if (store_lock(s, e) == -1)
		return error_add(e, "%s", s->path);
	rc = store_limits_load(s, &l, e);
	if (rc == 0) {
		add(&l, more);
		store_limits_print(&text, &l);
		buf_printf(&path, "%s/limits", s->path);
		rc = file_replace(buf_cstr(&path), buf_str(&text), 0666, e);
	}
	store_unlock(s);
	buf_fini(&path);
	buf_fini(&text);
	return rc;
}
