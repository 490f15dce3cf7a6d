/*
 * The loop: what is due begins, what has come is printed, and news of a
 * discovery or a SIGHUP change which targets there are.  A reader of stdout
 * that takes nothing makes rounds be skipped, not wait.
 */
#include <sys/resource.h>

#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "scrape_flow.h"

#define TARGETS_EVERY INT64_C(10000) /* ms between writes of "targets" */
#define TRIM_EVERY INT64_C(20000)    /* ms between looks for free pages */
#define SPARE ((rlim_t)64)           /* descriptors that are not requests' */
#define MANY 4096
#define SD_FDS 64 /* of discoveries, polled at a time */

/*
 * The time a round has: the one it was due at, unless it begins later by more
 * than a clock's imprecision.
 */
static int64_t
tick(const struct slot *s, int64_t now)
{
	int64_t slack = s->t->interval / 100;

	return now - s->due <= (slack < 2 ? slack : 2) ? s->due : now;
}

static bool
is_full(struct flow *f)
{
	if (!f->full && scrape_out_waiting(&f->out) > FLOW_BACKLOG) {
		f->full = true;
		f->missed = 0;
		tool_warn("the reader of stdout is too slow: rounds are "
			  "skipped");
	}
	return f->full;
}

/* The round of a slot that is due; the next one is put down. */
static void
take(struct slot *s, int64_t now)
{
	struct flow *f = s->f;
	int64_t t = tick(s, now), every = s->t->interval;

	slot_schedule(s, s->due + (now - s->due) / every * every + every);
	if (is_full(f) || s->busy) {
		f->sum.skipped++;
		f->missed += f->full;
	} else {
		slot_begin(s, t);
	}
}

/* Begin what is due; returns when the next is. */
static int64_t
due(struct flow *f, int64_t now)
{
	struct slot *s;

	/* A clock that was set back would let all wait for long. */
	if (now < f->clock - 1000)
		flow_reschedule(f, now);
	f->clock = now;
	while ((s = slot_first(f)) != NULL && s->due <= now) {
		if (!s->gone)
			take(s, now);
		else if (s->busy)
			slot_schedule(s, now + 1000);
		else
			flow_sweep(f, now, false);
	}
	return s == NULL ? INT64_MAX : s->due;
}

/* What waited for stdout to take what was printed. */
static void
settle(struct flow *f)
{
	str after = scrape_out_after(&f->out);

	if (f->full && scrape_out_waiting(&f->out) < FLOW_BACKLOG / 2) {
		tool_warn("%zu rounds were skipped", f->missed);
		f->full = false;
	}
	if (after.n > 0) {
		scrape_state_append(&f->state, f->m, after);
		buf_reset(&f->out.after);
	}
}

static void
write_targets(struct flow *f, int64_t now)
{
	struct scrape_status *v;

	if (f->state.dir != NULL) {
		v = mem_zero(f->n, sizeof(*v));
		for (size_t i = 0; i < f->n; i++) {
			v[i] = f->v[i]->status;
			v[i].t = f->v[i]->t;
			v[i].error = buf_str(&f->v[i]->error);
		}
		scrape_state_targets(
		    &f->state, f->m, v, f->n, f->set->set, f->sd, now);
		free(v);
	}
	f->changed = false;
	f->written = now;
}

/* Wait for the network, commands, stdout, a signal or the time to come. */
static void
wait_for(struct flow *f, int64_t ms)
{
	size_t n = 0, out = SIZE_MAX;
	struct pollfd *p;
	struct error e;
	short happened;

	p = f->fds = mem_grow(
	    f->fds, &f->fds_cap, 2 + f->nexec + SD_FDS, sizeof(*f->fds));
	if (!f->watched)
		p[n++] =
		    (struct pollfd){ .fd = tool_wake_fd(), .events = POLLIN };
	if (f->out.fd != -1 &&
	    (!f->watched || scrape_out_waiting(&f->out) > 0)) {
		p[out = n++] = (struct pollfd){ .fd = f->out.fd };
		if (scrape_out_waiting(&f->out) > 0)
			p[out].events = POLLOUT;
	}
	if (f->sd != NULL)
		n += scrape_sd_fds(f->sd, p + n, SD_FDS);
	ms = ms > 60000 ? 60000 : ms;
	for (size_t i = 0; i < f->nexec; i++) {
		int64_t wake = scrape_exec_wake(f->exec[i]);

		ms = wake < ms ? wake : ms;
		if (scrape_exec_fd(f->exec[i]) != -1)
			p[n++] =
			    (struct pollfd){ .fd = scrape_exec_fd(f->exec[i]),
				    .events = POLLIN };
	}
	if (fetch_step(f->fetch, p, n, ms < 0 ? 0 : (int)ms, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	happened = out != SIZE_MAX ? p[out].revents
				   : fetch_watched(f->fetch, f->out.fd);
	if (happened & (POLLERR | POLLHUP))
		f->out.gone = true;
	for (size_t i = f->nexec; i-- > 0;)
		if (scrape_exec_step(f->exec[i]))
			f->exec[i] = f->exec[--f->nexec];
	scrape_out_step(&f->out);
	settle(f);
	slot_pump(f);
}

/* Say what a discovery failed at, once. */
static void
hear_errors(struct flow *f)
{
	struct error e;

	while (scrape_sd_error(f->sd, &e)) {
		if (tool_verbose >= 0)
			tool_warn("%s", e.msg);
		f->sum.sd_failures++;
		f->changed = true;
	}
}

/* The targets that the discoveries know now become the slots'. */
static void
adopt(struct flow *f, int64_t now)
{
	struct scrape_set *set =
	    scrape_targets(f->conf->plan.jobs, f->sd, &f->conf->plan.spread);

	for (size_t i = 0; i < set->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(set->warnings[i]));
	flow_adopt(f, set, !f->found, now);
	f->sum.updates++;
}

/*
 * Discoveries: as long as those of a configuration have not all answered, what
 * was scraped before it goes on, and nothing is thought to have left.  Returns
 * after how many ms to look again.
 */
static int64_t
discover(struct flow *f, int64_t now)
{
	int64_t ms;
	bool ready, news;
	str job, what;

	if (f->sd == NULL)
		return 60000;
	ms = scrape_sd_step(f->sd);
	hear_errors(f);
	ready = scrape_sd_ready(f->sd) && !f->found;
	f->found |= ready;
	news = scrape_sd_changed(f->sd) || ready;
	if (news)
		adopt(f, now);
	/* One that fails may be the one that knows them. */
	if (news && f->found && f->orphans &&
	    !scrape_sd_fault(f->sd, 0, &job, &what)) {
		f->orphans = false;
		flow_sweep(f, now, true);
	}
	return ms < 0 ? 60000 : ms;
}

/*
 * Go over to another configuration; -1 and nothing is done if its discoveries
 * can't be.
 */
static int
go_over(struct flow *f, struct scrape_plan plan, int64_t now, struct error *e)
{
	struct scrape_sd *sd = NULL;

	if (plan.jobs != NULL &&
	    (sd = scrape_sd_new(plan.jobs, f->fetch, tool_clock(),
		 f->o->dns_server, e)) == NULL)
		return -1;
	if (sd != NULL)
		scrape_sd_inherit(sd, f->sd);
	scrape_sd_free(f->sd);
	f->sd = sd;
	flow_conf_drop(f->conf);
	f->conf = flow_conf_new(plan);
	f->found = false;
	f->sum.reloaded = now;
	f->sum.reload_ok = true;
	scrape_plan_warn(&plan);
	if (sd == NULL) {
		f->found = true;
		f->conf->plan.set = NULL;
		flow_adopt(f, plan.set, false, now);
	} else {
		(void)discover(f, now);
		if (f->set == NULL)
			adopt(f, now);
	}
	return 0;
}

/* SIGHUP: a configuration that is wrong leaves the old one in force. */
static void
reload(struct flow *f)
{
	struct scrape_plan plan;
	struct error e;

	scrape_faillog_reopen(f->faillog);
	if (f->o->config == NULL)
		return;
	if (scrape_plan_load(&plan, f->o, &e) == 0) {
		if (go_over(f, plan, tool_now(), &e) == 0) {
			scrape_reload(f->m);
			f->sum.reloads++;
			tool_note("reloaded: %zu target%s", f->set->set->n,
			    f->set->set->n == 1 ? "" : "s");
			return;
		}
		scrape_plan_free(&plan);
	}
	f->sum.bad_reloads++;
	f->sum.reload_ok = false;
	tool_warn("%s; the old configuration stays", e.msg);
}

/*
 * What is learnt of a page at first is packed later, a target at a time, and
 * leaves holes between what stays.  Nothing else gives their pages back.
 */
static void
trim(struct flow *f, int64_t now)
{
	if (now - f->trimmed < TRIM_EVERY && now >= f->trimmed)
		return;
	(void)malloc_trim(0);
	f->trimmed = now;
}

/*
 * When "targets" is to be written: ms from now, 0 if now.  Who has just
 * started a mf-scrape looks soon, so the first times are after 1 s, 2 s, 4 s.
 */
static int64_t
until_write(const struct flow *f, int64_t now)
{
	int64_t every = f->written - f->started, past = now - f->written;

	if (!f->changed || f->state.dir == NULL)
		return INT64_MAX;
	if (every < 1000)
		every = 1000;
	if (every > TARGETS_EVERY)
		every = TARGETS_EVERY;
	return past < 0 || past >= every ? 0 : every - past;
}

static void
stay(struct flow *f)
{
	int64_t now, next, ms, wake;

	while (!tool_stopping() && !f->out.gone) {
		if (tool_reloading())
			reload(f);
		ms = discover(f, tool_now());
		now = tool_now();
		next = due(f, now);
		if (until_write(f, now) == 0)
			write_targets(f, now);
		trim(f, now);
		wake = until_write(f, now);
		next -= tool_now();
		ms = next < ms ? next : ms;
		wait_for(f, wake < ms ? wake : ms);
	}
}

/* Every target once, at one time. */
static void
once(struct flow *f)
{
	int64_t now = tool_now(),
		patience = scrape_plan_patience(&f->conf->plan);
	const struct clock *c = tool_clock();
	int64_t end = c->mono(c->arg) / 1000000 + patience;

	while (!f->found && !tool_stopping()) {
		int64_t ms = discover(f, now);
		int64_t left = end - c->mono(c->arg) / 1000000;

		if (!f->found && left > 0)
			wait_for(f, left < ms ? left : ms);
		else if (!f->found)
			scrape_sd_expire(f->sd, patience);
	}
	for (size_t i = 0; i < f->n; i++)
		slot_begin(f->v[i], now);
	while ((f->under_way > 0 || !STAILQ_EMPTY(&f->waiting)) &&
	    !tool_stopping() && !f->out.gone) {
		(void)tool_reloading(); /* there is nothing to reload for */
		wait_for(f, 60000);
	}
	if (f->self != NULL)
		slot_begin(f->self, now);
}

/* Was a single round all that it should have been?  A reader may have left. */
static bool
is_whole(const struct flow *f)
{
	size_t left = f->n;
	str job, what;

	for (size_t i = 0; i < f->n; i++)
		left -= !f->v[i]->busy;
	if (f->out.gone)
		return f->sum.failed == 0;
	if (left > 0 || !f->found)
		tool_warn("ended before all targets had answered");
	return f->sum.failed == 0 && left == 0 && f->found && !f->state.lost &&
	    scrape_out_waiting(&f->out) == 0 &&
	    (f->sd == NULL || !scrape_sd_fault(f->sd, 0, &job, &what));
}

/*
 * As many requests at once as there are descriptors, of which we take all that
 * we may have.  Of few net/fetch gives idle ones up for new ones; of many it
 * keeps half.
 */
static size_t
room(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return SPARE;
	/* A request may have four: its socket, and the resolver's. */
	if (l.rlim_cur < 4 * SPARE)
		return l.rlim_cur < 8 ? 1 : (size_t)l.rlim_cur / 4;
	return l.rlim_cur < MANY ? (size_t)l.rlim_cur - 2 * SPARE
				 : (size_t)l.rlim_cur / 2 - 8 * SPARE;
}

static void
flow_init(struct flow *f, const struct scrape_options *o)
{
	bool keep = !o->dry && (o->config != NULL || o->dir != NULL);

	*f = (struct flow){ .o = o, .orphans = true };
	STAILQ_INIT(&f->waiting);
	f->clock = f->started = f->trimmed = tool_now();
	f->m = scrape_memory_new();
	scrape_state_open(&f->state, keep ? tool_dir(o->dir) : NULL, f->m);
	f->room = room();
	scrape_out_open(&f->out);
	f->fetch = scrape_plan_fetch(o);
	f->watched = fetch_watch(f->fetch, tool_wake_fd(), POLLIN) == 0 &&
	    (f->out.fd == -1 || fetch_watch(f->fetch, f->out.fd, 0) == 0);
	f->faillog = scrape_faillog_new();
	f->self = slot_self(f);
}

static void
flow_fini(struct flow *f)
{
	while (f->nexec > 0)
		scrape_exec_kill(f->exec[--f->nexec]);
	free(f->exec);
	scrape_sd_free(f->sd);
	fetch_free(f->fetch);
	slot_self_free(f->self);
	flow_slots_free(f);
	flow_set_drop(f->set);
	flow_conf_drop(f->conf);
	scrape_memory_free(f->m);
	scrape_faillog_free(f->faillog);
	free(f->fds);
	buf_fini(&f->out.q);
	buf_fini(&f->out.after);
	buf_fini(&f->x.out);
	buf_fini(&f->x.before);
	buf_fini(&f->x.after);
}

int
scrape_run(const struct scrape_options *o)
{
	struct scrape_plan plan;
	struct flow f;
	struct error e;
	bool single = o->once || (o->config == NULL && o->every == 0);
	int status;

	/* A large configuration takes its time, in which SIGHUP may come. */
	tool_signals();
	if (scrape_plan_load(&plan, o, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	flow_init(&f, o);
	if (go_over(&f, plan, tool_now(), &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	if (single) {
		once(&f);
	} else {
		if (f.self != NULL)
			slot_schedule(f.self, tool_now());
		stay(&f);
	}
	scrape_out_finish(&f.out);
	settle(&f);
	write_targets(&f, tool_now());
	status = single && !is_whole(&f) ? TOOL_FAILED : TOOL_OK;
	flow_fini(&f);
	return status;
}
