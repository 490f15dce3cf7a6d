/*
 * The three ways to run: for ever, once, and on the time of the input.  stdin
 * is always read, whatever deliveries do; its end ends all three.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "metric/batch.h"
#include "notify_cmd.h"

#define RELOAD_PATIENCE (INT64_C(10) * 1000000000) /* ns */
#define JOURNAL ((size_t)256 << 10) /* bytes of lines that may wait */

struct flow {
	const struct notify_options *o;
	struct notify_config *config, *next; /* next: a reload that waits */
	int64_t reload_by;                   /* monotonic, ns */
	struct notify *n;
	struct notify_files files;
	struct notify_sender sender;
	struct file_lines lines;
	struct batch_reader *batches;
	int64_t newest; /* of a replay */
	size_t bad;     /* alerts that were none */
};

static void
report_line(void *arg, const char *msg)
{
	(void)arg;
	tool_fault("stdin", msg);
}

/* A template that failed, a delivery that was given up. */
static void
report(void *arg, const char *msg)
{
	struct flow *f = arg;

	tool_warn("%s", msg);
	f->sender.failed++;
}

struct notify_config *
notify_cmd_config(const struct notify_options *o)
{
	struct notify_config *c = NULL;
	struct conf *tree;
	struct error e;

	tree = conf_load(o->config, tool_conf_opts(), &e);
	if (tree != NULL)
		c = notify_config_new(tree, &e);
	if (c == NULL)
		tool_die(TOOL_USAGE, "%s", e.msg);
	return c;
}

static int64_t
key_int(const struct expo_item *x, str name)
{
	str s = expo_key(x, name);
	int64_t v = 0;

	for (size_t i = 0; i < s.n && i < 18; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

static void
take_alert(struct flow *f, const struct expo_item *x, int64_t now)
{
	struct notify_alert a = { .labels = x->labels,
		.annotations = x->extra,
		.generator_url = expo_key(x, STR("generatorURL")),
		.starts = key_int(x, STR("startsAt")),
		.ends = key_int(x, STR("endsAt")) };
	str state = expo_key(x, STR("state"));
	struct error e, at;

	if (str_eq(state, STR("pending")))
		return;
	if (str_eq(state, STR("resolved")) && a.ends == 0)
		a.ends = x->t;
	if (notify_alert(f->n, &a, now, &e) == -1) {
		error_set(&at, "%zu: %s", x->line, e.msg);
		tool_fault("stdin", at.msg);
		f->bad++;
	}
}

static void
take_batch(struct flow *f, const struct batch *b, int64_t now)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->v[i].kind == EXPO_ALERT)
			take_alert(f, &b->v[i], now);
		if (notify_journal(f->n)->alerts.n > JOURNAL)
			notify_files_write(&f->files, f->n, false);
	}
	notify_files_write(&f->files, f->n, false);
}

/* All that is due up to t happens, each at its own time. */
static void
replay_to(struct flow *f, int64_t t)
{
	for (;;) {
		int64_t wake = notify_wake(f->n);

		if (wake > t)
			return;
		if (wake > f->sender.virtual_now)
			f->sender.virtual_now = wake;
		notify_step(f->n, f->sender.virtual_now);
		notify_send(&f->sender);
		notify_send_finish(&f->sender);
	}
}

static void
replay_batch(struct flow *f, const struct batch *b)
{
	int64_t t = b->t > f->newest ? b->t : f->newest;

	replay_to(f, t);
	f->newest = f->sender.virtual_now = t;
	take_batch(f, b, t);
}

static void
take_batches(struct flow *f)
{
	struct batch b;

	while (batch_next(f->batches, &b) == 1)
		if (f->o->replay)
			replay_batch(f, &b);
		else
			take_batch(f, &b, tool_now());
}

/* Read stdin once; false at its end. */
static bool
read_input(struct flow *f)
{
	struct error e;
	str lines;

	switch (file_lines_next(&f->lines, &lines, &e)) {
	case 1:
		batch_feed(f->batches, lines);
		take_batches(f);
		return true;
	case 2:
		return true;
	case 0:
		batch_end(f->batches);
		take_batches(f);
		return false;
	}
	tool_die(TOOL_FAILED, "stdin: %s", e.msg);
}

static void
step(struct flow *f)
{
	int64_t now = tool_now();

	if (notify_wake(f->n) > now)
		return;
	notify_files_silences(&f->files, f->n);
	notify_step(f->n, now);
	notify_send(&f->sender);
}

static int64_t
mono(void)
{
	const struct clock *c = tool_clock();

	return c->mono(c->arg);
}

/* A bad file is said and the old configuration stays. */
static void
reload(struct flow *f)
{
	struct notify_config *c = NULL;
	struct conf *tree;
	struct error e;

	tree = conf_load(f->o->config, tool_conf_opts(), &e);
	if (tree != NULL)
		c = notify_config_new(tree, &e);
	if (c == NULL) {
		tool_warn("%s; the old configuration stays", e.msg);
		return;
	}
	notify_config_free(f->next);
	f->next = c;
	f->reload_by = mono() + RELOAD_PATIENCE;
}

/*
 * A new configuration takes over when nothing of the old one is on its way.
 * Nothing is begun until then, what waits for a retry is given up, and an
 * answer that does not come is not waited for.
 */
static void
take_over(struct flow *f)
{
	if (f->next == NULL)
		return;
	notify_give_up(f->n, false);
	if (notify_pending(f->n) > 0 && mono() < f->reload_by)
		return;
	notify_send_cancel(&f->sender);
	notify_give_up(f->n, true);
	notify_configure(f->n, f->next, tool_now());
	notify_config_free(f->config);
	f->config = f->next;
	f->next = NULL;
	tool_note("configuration reloaded");
}

static int
timeout(const struct flow *f)
{
	int64_t wake = notify_wake(f->n), now = tool_now();

	if (f->next != NULL)
		return 500;
	if (wake == NOTIFY_NEVER)
		return -1;
	return wake <= now ? 0 : wake - now > 60000 ? 60000 : (int)(wake - now);
}

/* Wait for stdin, a signal, the network or the next thing that is due. */
static void
wait(struct flow *f, struct pollfd *fds)
{
	struct error e;

	fds[0] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
	fds[1] = (struct pollfd){ tool_wake_fd(), POLLIN, 0 };
	if (f->sender.fetch != NULL && fetch_pending(f->sender.fetch) > 0) {
		if (fetch_step(f->sender.fetch, fds, 2, timeout(f), &e) == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
	} else if (poll(fds, 2, timeout(f)) == -1 && errno != EINTR)
		tool_die(TOOL_FAILED, "poll: %s", strerror(errno));
}

static void
run_live(struct flow *f)
{
	struct pollfd fds[2];
	bool more = true;

	tool_signals();
	while (more && !tool_stopping()) {
		wait(f, fds);
		if (tool_stopping())
			break;
		if (tool_reloading())
			reload(f);
		if (fds[0].revents != 0)
			more = read_input(f);
		take_over(f);
		if (f->next == NULL)
			step(f);
	}
}

static void
run_once(struct flow *f)
{
	while (read_input(f))
		continue;
	notify_files_silences(&f->files, f->n);
	notify_step(f->n, tool_now());
	notify_send(&f->sender);
}

static void
run_replay(struct flow *f)
{
	while (read_input(f))
		continue;
	replay_to(f, f->o->end != NOTIFY_NO_END ? f->o->end : f->newest);
}

static void
finish(struct flow *f)
{
	notify_send_finish(&f->sender);
	notify_send_cancel(&f->sender);
	notify_give_up(f->n, true);
	notify_files_write(&f->files, f->n, true);
	batch_free(f->batches);
	file_lines_fini(&f->lines);
	notify_free(f->n);
	notify_config_free(f->config);
	notify_config_free(f->next);
	notify_files_close(&f->files);
}

int
notify_run(const struct notify_options *o)
{
	struct flow f = { .o = o, .sender = { .o = o, .files = &f.files } };
	char url[300] = "http://localhost:9093";
	size_t bad;

	f.config = notify_cmd_config(o);
	if (o->external_url == NULL && gethostname(url + 7, 255) == 0)
		strlcat(url, ":9093", sizeof(url));
	f.n = notify_new(f.config, o->external_url ? o->external_url : url,
	    tool_clock(), report, &f);
	f.sender.n = f.n;
	TAILQ_INIT(&f.sender.under_way);
	notify_files_open(&f.files, o, f.n, o->replay ? 0 : tool_now());
	file_lines_init(&f.lines, STDIN_FILENO);
	f.batches = batch_new(
	    EXPO_MF, o->replay ? 0 : tool_now(), o->strict, report_line, NULL);
	if (o->replay)
		run_replay(&f);
	else if (o->once)
		run_once(&f);
	else
		run_live(&f);
	bad = batch_bad(f.batches) + f.bad;
	finish(&f);
	return bad > 0 || f.sender.failed > 0 || f.files.failed ? TOOL_FAILED
								: TOOL_OK;
}
