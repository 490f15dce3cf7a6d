/*
 * Replays a case folder of $CORPUS/alertmanager through the pure step: its
 * alerts and API calls at their times, its scripted answers; what is delivered
 * must be what Alertmanager 0.33.1 sent, at the same times (+-0.35 s, attempts
 * after the first at any), byte for byte.  Prints differences and "passed" or
 * "failed".
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/json.h"
#include "base/num.h"
#include "notify/notify.h"

#define FAR (INT64_C(1) << 60)

struct answer {
	uint64_t id;
	int64_t t;
	struct notify_answer a;
};

struct world {
	struct arena a;
	const char *dir;
	int64_t base, now;
	struct notify_config *c;
	struct notify *n;
	const struct json_value *want[200];
	bool used[200];
	size_t nwant;
	struct answer answers[50];
	size_t nanswers;
	int silences;
	bool failed;
};

static str
load(struct world *w, const char *name)
{
	struct buf b = { 0 };
	struct error e;
	str s;

	if (file_read(arena_printf(&w->a, "%s/%s", w->dir, name).p, &b, &e) ==
	    -1) {
		fprintf(stderr, "%s\n", e.msg);
		exit(2);
	}
	s = arena_dup(&w->a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static struct notify_config *
configure(str text)
{
	struct notify_config *c = NULL;
	struct buf b = { 0 };
	struct error e;
	struct conf *tree;

	while (text.n > 0) { /* PORT is where the receiver listened */
		size_t at = str_find(text, STR("PORT"));

		buf_add(&b, str_take(text, at));
		if (at < text.n)
			buf_z(&b, "9");
		text = str_skip(text, at + 4);
	}
	tree = conf_parse(buf_str(&b), "config.yml", NULL, &e);
	if (tree != NULL)
		c = notify_config_new(tree, &e);
	if (c == NULL)
		printf("# %s\n", e.msg);
	buf_fini(&b);
	return c;
}

static int64_t
time_of(str s)
{
	int64_t t = 0;

	date_parse_rfc3339(s, &t, NULL, NULL);
	return t;
}

static double
num(const struct json_value *v, const char *key)
{
	const struct json_value *x = json_find(v, key);

	return x != NULL ? x->number : 0;
}

static str
path_of(str url)
{
	url = str_skip(url, str_find(url, STR("://")) + 3);
	return str_skip(url, str_chr(url, '/'));
}

static void
differ(struct world *w, const char *what, const struct notify_delivery *d,
    int64_t now, str want)
{
	printf("# %s at %.3f %.*s\n#  got %.*s# want %.*s", what,
	    (double)(now - w->base) / 1000, STR_ARG(path_of(d->url)),
	    STR_ARG(d->body), STR_ARG(want));
	w->failed = true;
}

/* The expected delivery this is, or NULL. */
static const struct json_value *
expected(struct world *w, const struct notify_delivery *d, int64_t now)
{
	for (size_t i = 0; i < w->nwant; i++) {
		const struct json_value *x = w->want[i];
		double off = num(x, "t") - (double)(now - w->base) / 1000;
		str body;

		if (w->used[i] ||
		    !str_eq(path_of(d->url), json_find_str(x, "path")) ||
		    ((off > 0.35 || off < -0.35) && d->attempt == 1))
			continue;
		body = load(w,
		    arena_printf(&w->a, "v0.33.1/%.*s",
			STR_ARG(json_find_str(x, "body_file")))
			.p);
		if (!str_eq(body, d->body))
			continue;
		w->used[i] = true;
		return x;
	}
	return NULL;
}

static void
send(struct world *w, const struct notify_delivery *d, int64_t now)
{
	const struct json_value *x = expected(w, d, now), *r;
	struct answer *a = &w->answers[w->nanswers++];
	double delay;

	*a = (struct answer){ d->id, now,
		{ NULL, 200, STR("text/plain"), STR("ok") } };
	if (x == NULL) {
		differ(w, "unexpected", d, now, STR("\n"));
		return;
	}
	if ((r = json_find(x, "response")) == NULL)
		return;
	delay = num(r, "delay") * 1000;
	a->a.status = (int)num(r, "code");
	a->a.body = json_find_str(r, "body");
	a->a.content_type = json_find_str(r, "content_type");
	if (delay > (double)d->timeout) {
		delay = (double)d->timeout;
		a->a.error = "context deadline exceeded";
	}
	a->t += (int64_t)delay;
}

static int64_t
next_answer(const struct world *w, size_t *which)
{
	int64_t t = FAR;

	for (size_t i = 0; i < w->nanswers; i++)
		if (w->answers[i].t < t) {
			t = w->answers[i].t;
			*which = i;
		}
	return t;
}

/* Everything that happens before the time until. */
static void
run(struct world *w, int64_t until)
{
	const struct notify_delivery *d;
	struct error e;
	size_t i = 0;

	for (;;) {
		int64_t wake = notify_wake(w->n), ans = next_answer(w, &i);
		int64_t now = wake < ans ? wake : ans;

		if (now >= until)
			return;
		w->now = now = now > w->now ? now : w->now;
		if (ans <= wake) {
			struct answer a = w->answers[i];

			w->answers[i] = w->answers[--w->nanswers];
			notify_answer(w->n, a.id, &a.a, a.t, &e);
			continue;
		}
		notify_step(w->n, now);
		while ((d = notify_next(w->n, now)) != NULL)
			send(w, d, now);
	}
}

static struct labels
labels(struct world *w, const struct json_value *v)
{
	struct label_set s = { 0 };
	struct labels ls;

	for (size_t i = 0; v != NULL && i < v->n; i++)
		label_set(&s, v->v[i].key, v->v[i].string);
	ls = label_done(&s, &w->a);
	label_fini(&s);
	return ls;
}

static void
alerts(struct world *w, const struct json_value *v, int64_t now)
{
	for (size_t i = 0; v != NULL && i < v->n; i++) {
		const struct json_value *x = &v->v[i];
		struct notify_alert a = {
			.labels = labels(w, json_find(x, "labels")),
			.annotations = labels(w, json_find(x, "annotations")),
			.generator_url = json_find_str(x, "generatorURL"),
			.starts = time_of(json_find_str(x, "startsAt")),
			.ends = time_of(json_find_str(x, "endsAt")),
		};

		notify_alert(w->n, &a, now, NULL);
	}
}

static void
silence(struct world *w, const struct json_value *v)
{
	const struct json_value *m = json_find(v, "matchers");
	struct buf b = { 0 }, text = { 0 };

	for (size_t i = 0; m != NULL && i < m->n; i++) {
		const struct json_value *re = json_find(&m->v[i], "isRegex");

		if (i > 0)
			buf_byte(&text, ',');
		buf_add(&text, json_find_str(&m->v[i], "name"));
		buf_z(&text, re != NULL && re->boolean ? "=~" : "=");
		label_print_value(&text, json_find_str(&m->v[i], "value"));
	}
	buf_printf(&b,
	    "# SILENCE {id=\"%d\"} 0 startsAt=%lld endsAt=%lld matchers=",
	    w->silences++, (long long)time_of(json_find_str(v, "startsAt")),
	    (long long)time_of(json_find_str(v, "endsAt")));
	label_print_value(&b, buf_str(&text));
	if (notify_load_silences(w->n, buf_str(&b)) != 0)
		printf("# bad silence %s\n", buf_cstr(&b));
	buf_fini(&b);
	buf_fini(&text);
}

/* As after a kill: a new process with what was on disk. */
static void
restart(struct world *w, int64_t now)
{
	struct buf a = { 0 }, log = { 0 };

	notify_dump_alerts(w->n, &a);
	notify_trim_log(buf_str(&notify_journal(w->n)->log), now, &log);
	notify_free(w->n);
	w->n = notify_new(w->c, "http://am.example.org:9093", NULL, NULL, NULL);
	notify_load_log(w->n, buf_str(&log), now);
	notify_load_alerts(w->n, buf_str(&a));
	buf_fini(&a);
	buf_fini(&log);
	w->nanswers = 0;
}

static void
step(struct world *w, const struct json_value *x)
{
	/* A request takes a moment, so an end at "now" has passed. */
	int64_t now = w->base + (int64_t)(num(x, "t_actual") * 1000) + 15;
	const struct json_value *api = json_find(x, "api");
	struct notify_config *c;

	run(w, now);
	if (json_find(x, "kill") != NULL)
		restart(w, now);
	if (json_find(x, "config") != NULL &&
	    (c = configure(json_find_str(x, "config"))) != NULL) {
		notify_configure(w->n, c, now);
		notify_config_free(w->c);
		w->c = c;
	}
	if (api != NULL && api->n > 2 &&
	    str_eq(api->v[0].string, STR("POST")) &&
	    str_eq(api->v[1].string, STR("/api/v2/silences")))
		silence(w, &api->v[2]);
	alerts(w, json_find(x, "alerts"), now);
}

/* The base from a time that was written relative to its step; 0 if not. */
static int64_t
base_of(const struct json_value *sym, const struct json_value *real,
    const char *key, double at)
{
	str s = json_find_str(sym, key);
	int64_t off = 0;

	if (s.n == 0 || s.p[0] != '@')
		return 0;
	num_parse_int(str_skip(s, s.p[1] == '+' ? 2 : 1), &off);
	return time_of(json_find_str(real, key)) - off * 1000 -
	    (int64_t)(at * 1000);
}

/* When the case began. */
static int64_t
begin(const struct json_value *sym, const struct json_value *real)
{
	int64_t t = 0;

	for (size_t i = 0; i < sym->n && t == 0; i++) {
		const struct json_value *a = json_find(&sym->v[i], "alerts");
		const struct json_value *b = json_find(&real->v[i], "alerts");
		double at = num(&real->v[i], "t_actual");

		for (size_t k = 0; a != NULL && k < a->n && t == 0; k++) {
			t = base_of(&a->v[k], &b->v[k], "startsAt", at);
			if (t == 0)
				t = base_of(&a->v[k], &b->v[k], "endsAt", at);
		}
	}
	return t != 0 ? t : INT64_C(1795000000000);
}

static void
read_wanted(struct world *w)
{
	str text = load(w, "v0.33.1/requests.jsonl");

	while (text.p != NULL) {
		str line = str_trim(str_cut(&text, '\n'));

		if (line.n > 0)
			w->want[w->nwant++] = json_parse(&w->a, line, NULL);
	}
}

int
main(int argc, char **argv)
{
	struct world w = { .dir = argv[1] };
	const struct json_value *real, *about;
	struct error e;

	if (argc != 2) {
		fprintf(stderr, "usage: notify CASE\n");
		return 2;
	}
	arena_init(&w.a);
	real = json_parse(&w.a, load(&w, "v0.33.1/steps.json"), &e);
	about = json_parse(&w.a, load(&w, "v0.33.1/case.json"), &e);
	w.base =
	    begin(json_parse(&w.a, load(&w, "steps.symbolic.json"), &e), real);
	w.c = configure(load(&w, "config.yml"));
	if (w.c == NULL)
		return 1;
	w.n = notify_new(w.c, "http://am.example.org:9093", NULL, NULL, NULL);
	read_wanted(&w);
	for (size_t i = 0; i < real->n; i++)
		step(&w, &real->v[i]);
	run(&w, w.base + (int64_t)(num(about, "until_s") * 1000));
	for (size_t i = 0; i < w.nwant; i++)
		if (!w.used[i]) {
			w.failed = true;
			printf("# missing: %.3f %.*s\n", num(w.want[i], "t"),
			    STR_ARG(json_find_str(w.want[i], "path")));
		}
	puts(w.failed ? "failed" : "passed");
	notify_free(w.n);
	notify_config_free(w.c);
	arena_fini(&w.a);
	return w.failed;
}
