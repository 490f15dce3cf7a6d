/*
 * scrape_failure_log_file: a line of JSON for each round that was not up.
 * Jobs that name the same file share it.  It is opened at its first line and,
 * since others may have moved it away, anew after SIGHUP.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "scrape_flow.h"

struct file {
	struct buf path;
	int fd;
	bool failed; /* said so */
};

struct scrape_faillog {
	struct file **v;
	size_t n, cap;
	struct map by_path;
	struct buf line;
};

struct scrape_faillog *
scrape_faillog_new(void)
{
	return mem_zero(1, sizeof(struct scrape_faillog));
}

void
scrape_faillog_reopen(struct scrape_faillog *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i]->fd != -1)
			(void)close(l->v[i]->fd);
		buf_fini(&l->v[i]->path);
		free(l->v[i]);
	}
	l->n = 0;
	map_reset(&l->by_path);
}

void
scrape_faillog_free(struct scrape_faillog *l)
{
	if (l == NULL)
		return;
	scrape_faillog_reopen(l);
	free(l->v);
	map_fini(&l->by_path);
	buf_fini(&l->line);
	free(l);
}

static struct file *
find(struct scrape_faillog *l, str path)
{
	struct map_slot *at;
	struct file *f;
	bool fresh;

	at = map_add(&l->by_path, path, &fresh);
	if (!fresh)
		return at->v.p;
	f = at->v.p = mem_zero(1, sizeof(*f));
	buf_add(&f->path, path);
	f->fd = open(buf_cstr(&f->path),
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
	if (f->fd == -1)
		tool_warn("%s: %s", buf_cstr(&f->path), strerror(errno));
	at->key = buf_str(&f->path);
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	return l->v[l->n++] = f;
}

void
scrape_faillog_add(struct scrape_faillog *l, const struct scrape_target *t,
    const char *error, int64_t now)
{
	struct buf time = { 0 };
	struct json_writer w;
	struct error e;
	struct file *f;

	if (t->job->failure_log_file.n == 0)
		return;
	f = find(l, t->job->failure_log_file);
	if (f->fd == -1)
		return;
	date_print_ms(&time, now);
	buf_reset(&l->line);
	json_init(&w, &l->line, false);
	json_open(&w, '{');
	json_key(&w, STR("time"));
	json_str(&w, buf_str(&time));
	json_key(&w, STR("level"));
	json_str(&w, STR("ERROR"));
	json_key(&w, STR("msg"));
	json_str(&w, str_of(error));
	json_key(&w, STR("job_name"));
	json_str(&w, t->job->name);
	json_key(&w, STR("target"));
	json_str(&w, t->url);
	json_close(&w, '}');
	buf_byte(&l->line, '\n');
	buf_fini(&time);
	if (file_write_fd(f->fd, buf_cstr(&f->path), buf_str(&l->line), &e) ==
	    0) {
		f->failed = false;
		return;
	}
	if (!f->failed)
		tool_warn("%s", e.msg);
	f->failed = true;
}
