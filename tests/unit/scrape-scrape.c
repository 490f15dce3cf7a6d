/*
 * scrape/scrape: answers to batches, and what is remembered of targets.  Covers
 * answer.c, memory.c and report.c.
 */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "scrape/memory.h"
#include "scrape/scrape.h"

#define T0 INT64_C(1637582400000)

static char dir[] = "/tmp/scrape-scrape.XXXXXX";
static char path[64];

struct fixture {
	struct promconf *p;
	struct scrape_config *c;
	struct scrape_set *set;
	struct scrape_memory *m;
	struct scrape_text x;
	struct scrape_result r;
	int64_t now;
	bool meta;
};

static int64_t
mono(void *arg)
{
	return *(const int64_t *)arg;
}

static int64_t ns = INT64_C(1000000000);
static const struct clock clock_of = { .mono = mono, .arg = &ns };

/* A fixture with one job, "j", of target h:1, and what job says more. */
static void
up(struct fixture *f, const char *job)
{
	struct buf b = { 0 };
	struct error e = { "" };
	struct scrape_sd *sd;

	*f = (struct fixture){ .now = T0 };
	buf_printf(&b,
	    "scrape_configs:\n- job_name: j\n"
	    "  static_configs: [{targets: ['h:1'], labels: {env: p}}]\n%s\n",
	    job);
	CHECK(file_replace(path, buf_str(&b), 0644, &e) == 0);
	f->p = promconf_load(path, NULL, &e);
	if (f->p == NULL)
		printf("# %s\n", e.msg);
	f->c = scrape_load(f->p, &e);
	if (f->c == NULL)
		printf("# %s\n", e.msg);
	sd = scrape_sd_new(f->c, NULL, &clock_of, NULL, &e);
	CHECK(sd != NULL);
	(void)scrape_sd_step(sd);
	f->set = scrape_targets(f->c, sd, &(struct scrape_spread){ 0 });
	CHECK(f->set->n == 1);
	scrape_sd_free(sd);
	f->m = scrape_memory_new();
	buf_fini(&b);
}

static void
down(struct fixture *f)
{
	buf_fini(&f->x.out);
	buf_fini(&f->x.before);
	buf_fini(&f->x.after);
	scrape_memory_free(f->m);
	scrape_free(f->set);
	scrape_config_free(f->c);
	promconf_free(f->p);
}

static void
round_of(struct fixture *f, const struct scrape_answer *a)
{
	buf_reset(&f->x.out);
	buf_reset(&f->x.before);
	buf_reset(&f->x.after);
	scrape_round(f->m, f->set->v[0], a, f->now, f->meta, &f->x, &f->r);
	f->now += 1000;
}

static void
page(struct fixture *f, const char *body)
{
	struct scrape_answer a = { .status = 200,
		.content_type = STR("text/plain; version=0.0.4"),
		.body = str_of(body),
		.took = 2000000 };

	round_of(f, &a);
}

/* The batch without its report series and their metadata. */
static bool
shows(struct fixture *f, const char *want)
{
	struct buf b = { 0 };
	str rest = buf_str(&f->x.out);
	bool same;

	while (rest.n > 0) {
		str line = str_cut(&rest, '\n'), s = line;

		if (str_starts(s, STR("# HELP ")) ||
		    str_starts(s, STR("# TYPE ")))
			s = str_skip(s, 7);
		if (str_starts(s, STR("up")) || str_starts(s, STR("scrape_")))
			continue;
		buf_add(&b, line);
		buf_byte(&b, '\n');
	}
	same = str_eq(buf_str(&b), str_of(want));
	if (!same)
		printf("# got:\n%s", buf_cstr(&b));
	buf_fini(&b);
	return same;
}

static bool
has(const struct fixture *f, const char *line)
{
	return str_find(buf_str(&f->x.out), str_of(line)) < f->x.out.n;
}

#define TARGET "{env=\"p\",instance=\"h:1\",job=\"j\"}"

static void
first_and_next(void)
{
	struct fixture f;

	up(&f, "");
	page(&f,
	    "# HELP a_total What.\n# TYPE a_total counter\n"
	    "a_total{x=\"1\",job=\"own\"} 5\na_total 7 1637582300000\n"
	    "# BATCH {a=\"b\"} 1\n# STALE a_total 3\n");
	CHECK(shows(&f,
	    "# BATCH " TARGET " 1637582400000\n"
	    "# HELP a_total What.\n# TYPE a_total counter\n"
	    "a_total{env=\"p\",exported_job=\"own\",instance=\"h:1\","
	    "job=\"j\",x=\"1\"} 5 1637582400000\n"
	    "a_total" TARGET " 7 1637582300000\n"
	    "# STALE * 1637582400000\n# EOF\n"));
	CHECK(f.r.up && f.r.scraped == 2 && f.r.kept == 2 && f.r.added == 2);
	CHECK(has(&f, "\nup" TARGET " 1 1637582400000\n"));
	CHECK(has(
	    &f, "\nscrape_duration_seconds" TARGET " 0.002 1637582400000\n"));
	CHECK(has(&f, "# TYPE scrape_series_added gauge\n"));
	page(&f,
	    "# TYPE a_total counter\na_total{x=\"1\",job=\"own\"} 6\n"
	    "b 1\nb 2");
	CHECK(shows(&f,
	    "# BATCH " TARGET " 1637582401000\n"
	    "a_total{env=\"p\",exported_job=\"own\",instance=\"h:1\","
	    "job=\"j\",x=\"1\"} 6 1637582401000\n"
	    "b" TARGET " 1 1637582401000\n# EOF\n"));
	CHECK(f.r.scraped == 3 && f.r.added == 1);
	CHECK(!has(&f, "# TYPE"));
	page(&f, "b 3\n# HELP c new\nc 1\n");
	CHECK(shows(&f,
	    "# BATCH " TARGET " 1637582402000\n# HELP c new\n"
	    "b" TARGET " 3 1637582402000\nc" TARGET " 1 1637582402000\n"
	    "# STALE a_total{env=\"p\",exported_job=\"own\",instance=\"h:1\","
	    "job=\"j\",x=\"1\"} 1637582402000\n# EOF\n"));
	page(&f, "");
	CHECK(f.r.up && f.r.stale == 2);
	down(&f);
}

static void
failures(void)
{
	struct fixture f;
	struct scrape_answer a = { .error = "no route" };

	up(&f, "");
	page(&f, "a 1\n");
	round_of(&f, &a);
	CHECK(shows(&f,
	    "# BATCH " TARGET " 1637582401000 error=\"no route\"\n"
	    "# STALE * 1637582401000\n# EOF\n"));
	CHECK(!f.r.up && f.r.stale == 1 && has(&f, "\nup" TARGET " 0 "));
	CHECK(!has(&f, "# TYPE"));
	page(&f, "a 1\nb nope\n");
	CHECK(!f.r.up && strncmp(f.r.error, "2:3: ", 5) == 0);
	CHECK(has(&f, "scrape_samples_scraped" TARGET " 1 "));
	CHECK(!has(&f, "\na{"));
	page(&f, "# TYPE a gauge\na 1\n");
	CHECK(f.r.up && f.r.added == 0 && has(&f, "# TYPE a gauge\n"));
	/* what a bad page says was not printed: the next one says it */
	page(&f, "# TYPE a counter\na 1\nb nope\n");
	CHECK(!f.r.up && !has(&f, "# TYPE a "));
	page(&f, "# TYPE a counter\na 1\n");
	CHECK(f.r.up && has(&f, "# TYPE a counter\n"));
	a = (struct scrape_answer){ .status = 503,
		.content_type = STR("text/plain"),
		.body = STR("a 1\n") };
	round_of(&f, &a);
	CHECK(strcmp(f.r.error,
		  "server returned HTTP status 503 Service Unavailable") == 0);
	a.status = 200;
	a.content_type = STR("text/html");
	round_of(&f, &a);
	CHECK(strstr(f.r.error,
		  "received unsupported Content-Type "
		  "\"text/html\"") != NULL);
	a.content_type = STR("");
	round_of(&f, &a);
	CHECK(strstr(f.r.error, "sending blank Content-Type") != NULL);
	a.content_type = STR("application/openmetrics-text; version=1.0.0");
	round_of(&f, &a);
	CHECK(!f.r.up); /* no EOF */
	a.body = STR("# TYPE a counter\na_total 1 # {t=\"x\"} 2\n# EOF\n");
	round_of(&f, &a);
	CHECK(f.r.up && has(&f, "# TYPE a_total counter\n") &&
	    has(&f, "# EXEMPLAR a_total" TARGET " {t=\"x\"} 2\n"));
	page(&f, "a \n\x01");
	CHECK(!f.r.up);
	down(&f);
}

/* Parameters of a Content-Type that Go's mime package takes, and refuses. */
static void
content_types(void)
{
	static const struct {
		const char *type, *why; /* NULL: taken */
	} rows[] = { { "text/plain;", NULL }, { "text/plain ; a = b", NULL },
		{ "Text/Plain; a=b; A=b", NULL },
		{ "text/plain; a=\"x;\\\"y\"; b=c;", NULL },
		{ "text/plain; a=\"\"", NULL },
		{ "text/plain;;",
		    "cannot parse Content-Type \"text/plain;;\" "
		    "and no fallback_scrape_protocol for target: "
		    "invalid media parameter" },
		{ "text/plain; a", "invalid media parameter" },
		{ "text/plain; a=", "invalid media parameter" },
		{ "text/plain; =a", "invalid media parameter" },
		{ "text/plain; a=\"b", "invalid media parameter" },
		{ "text/plain; a=\"b\"c", "invalid media parameter" },
		{ "text/plain; \xe9=b", "invalid media parameter" },
		{ "text/plain; a=b c=d", "invalid media parameter" },
		{ "text/plain; a=b; A=c", "duplicate parameter name" } };
	struct scrape_answer a = { .status = 200, .body = STR("a 1\n") };
	struct fixture f;

	up(&f, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		a.content_type = str_of(rows[i].type);
		round_of(&f, &a);
		CHECK(f.r.up == (rows[i].why == NULL));
		CHECK(f.r.up || strstr(f.r.error, rows[i].why) != NULL);
	}
	down(&f);
}

static void
honest(void)
{
	struct fixture f;

	up(&f,
	    "  honor_labels: true\n  honor_timestamps: false\n"
	    "  extra_scrape_metrics: true\n  sample_limit: 2\n");
	page(&f, "a{job=\"own\",exported_job=\"x\"} 1 5\n");
	CHECK(shows(&f,
	    "# BATCH " TARGET " 1637582400000\n"
	    "a{env=\"p\",exported_job=\"x\",instance=\"h:1\","
	    "job=\"own\"} 1 1637582400000\n"
	    "# STALE * 1637582400000\n# EOF\n"));
	CHECK(has(&f, "scrape_sample_limit" TARGET " 2 ") &&
	    has(&f, "scrape_timeout_seconds" TARGET " 10 "));
	page(&f, "a 1\nb 1\nc 1\n");
	CHECK(strcmp(f.r.error, "sample limit exceeded") == 0);
	CHECK(f.r.scraped == 3);
	down(&f);
	up(&f, "  label_limit: 4\n");
	page(&f, "a{exported_job=\"1\",exported_env=\"2\",env=\"3\"} 1\n");
	CHECK(strstr(f.r.error,
		  "label_limit exceeded (metric: a, number of "
		  "labels: 7, limit: 4)") != NULL);
	down(&f);
	up(&f,
	    "  label_value_length_limit: 3\n  fallback_scrape_protocol: "
	    "PrometheusText0.0.4\n");
	page(&f, "a{b=\"1234\"} 1\n");
	CHECK(strstr(f.r.error, "label_value_length_limit exceeded") != NULL);
	struct scrape_answer a = { .status = 200, .body = STR("a 1\n") };
	round_of(&f, &a);
	CHECK(f.r.up);
	down(&f);
}

/* Past sample_limit those that were there have their place, new ones wait. */
static void
keep_known(void)
{
	struct fixture f;

	up(&f, "  sample_limit: 2\n");
	f.c->jobs[0]->keep_known = true;
	f.set->v[0]->keep_known = true;
	page(&f, "a 1\nb 1\nb 2\nc 1\n");
	CHECK(f.r.up && f.r.keep && f.r.scraped == 4 && f.r.kept == 4);
	CHECK(has(&f, "\na" TARGET " 1 ") && has(&f, "\nb" TARGET " 1 ") &&
	    !has(&f, "\nc{"));
	page(&f, "n 1\nm 1\na 1\nb 1\n");
	CHECK(f.r.keep && f.r.added == 0 && f.r.stale == 0);
	CHECK(!has(&f, "\nn{") && has(&f, "\nb" TARGET " 1 "));
	page(&f, "n 1\nm 1\nb 1\n");
	CHECK(f.r.keep && f.r.stale == 1 && !has(&f, "\nn{"));
	page(&f, "n 1\nm 1\nb 1\n");
	CHECK(f.r.keep && f.r.added == 1 && has(&f, "\nn{"));
	page(&f, "n 1\nb 1\n");
	CHECK(!f.r.keep && f.r.added == 0 && f.r.stale == 0);
	down(&f);
}

/* Rules are asked once for a series, and again after a reload. */
static void
relabelled(void)
{
	struct fixture f;

	up(&f,
	    "  metric_relabel_configs:\n"
	    "  - {source_labels: [x], regex: drop, action: drop}\n"
	    "  - {source_labels: [x], regex: one, target_label: x,\n"
	    "     replacement: two}\n"
	    "  - {regex: up, action: labeldrop}\n");
	for (int i = 0; i < 4; i++) {
		page(&f,
		    "a{x=\"drop\"} 1\na{x=\"one\"} 2\na{x=\"two\"} 3\n"
		    "# TYPE b counter\nb 4\n");
		CHECK(f.r.up && f.r.scraped == 4 && f.r.kept == 3);
		CHECK(f.r.added == (i == 0 ? 2 : 0) && f.r.stale == 0);
		CHECK(has(&f,
		    "\na{env=\"p\",instance=\"h:1\",job=\"j\",x=\"two\"} 2 "));
		CHECK(!has(&f, "drop") && !has(&f, "two\"} 3 "));
		CHECK(has(&f,
		    "\nscrape_samples_post_metric_relabeling" TARGET " 3 "));
		CHECK(has(&f, "\nup" TARGET " 1 "));
	}
	relabel_free(&f.c->jobs[0]->metric_relabel);
	f.c->jobs[0]->metric_relabel = (struct relabels){ 0 };
	page(&f, "a{x=\"drop\"} 1\na{x=\"one\"} 2\n");
	CHECK(f.r.kept == 1); /* as it was */
	scrape_reload(f.m);
	page(&f, "a{x=\"drop\"} 1\na{x=\"one\"} 2\n");
	CHECK(f.r.kept == 2 && f.r.added == 2 && f.r.stale == 1);
	down(&f);
}

/* Series with times of their own end when they are tracked, and not else. */
static void
stamped(void)
{
	struct fixture f;
	struct scrape_answer bad = { .error = "gone" };
	struct scrape_memory *m;
	struct buf log = { 0 };

	up(&f, "");
	page(&f, "a 1 1637582399000\nb 1\nc 1 1637583001000\n");
	CHECK(f.r.kept == 3 && has(&f, "\na" TARGET " 1 1637582399000\n"));
	CHECK(!has(&f, "\nc{")); /* more than ten minutes ahead */
	round_of(&f, &bad);
	CHECK(f.r.stale == 1 && has(&f, "# STALE * "));
	page(&f, "d 1 1637582399000\nd 2\nd 3 1637582398000\n");
	CHECK(has(&f, "\nd" TARGET " 3 1637582398000\n") &&
	    !has(&f, "\nd" TARGET " 2 "));
	down(&f);
	up(&f, "  track_timestamps_staleness: true\n");
	page(&f, "a 1 1637582399000\nb 1\n");
	buf_add(&log, buf_str(&f.x.before));
	m = scrape_memory_new();
	CHECK(scrape_memory_load(m, buf_str(&log)) == log.n);
	scrape_memory_free(f.m);
	f.m = m;
	round_of(&f, &bad);
	CHECK(f.r.stale == 2 && has(&f, "# STALE a" TARGET " 1637582401000\n"));
	page(&f, "a 1 1637582399000\n");
	page(&f, "");
	CHECK(f.r.stale == 1 && has(&f, "# STALE a" TARGET " "));
	buf_fini(&log);
	down(&f);
}

/* Bodies too large, targets too many, and what the report says of them. */
static void
limits(void)
{
	struct fixture f;
	struct scrape_answer big = { .error = "x", .too_large = true };
	struct scrape_answer ill = { .status = 500, .body = STR("abc") };

	up(&f, "  extra_scrape_metrics: true\n");
	round_of(&f, &big);
	CHECK(strcmp(f.r.error, "body size limit exceeded") == 0);
	CHECK(has(&f, "\nscrape_body_size_bytes" TARGET " -1 "));
	round_of(&f, &ill);
	CHECK(has(&f, "\nscrape_body_size_bytes" TARGET " 0 "));
	page(&f, "a 1\nb\n");
	CHECK(has(&f, "\nscrape_body_size_bytes" TARGET " 6 "));
	f.set->v[0]->error = STR("target_limit exceeded");
	page(&f, "a 1\n");
	CHECK(!f.r.up && strcmp(f.r.error, "target_limit exceeded") == 0);
	down(&f);
	up(&f, "  sample_limit: 1\n");
	page(&f, "a 1\na 2\n");
	CHECK(f.r.up && f.r.kept == 2); /* the same one twice is one */
	page(&f, "a 1\nb 2\nc 3\n");
	CHECK(!f.r.up && f.r.scraped == 3 && f.r.kept == 3);
	CHECK(has(&f, "# STALE * "));
	down(&f);
}

/* HELP and TYPE stand before their samples, once, wherever the page has them.
 */
static void
order(void)
{
	struct fixture f;

	up(&f, "");
	page(&f,
	    "a_count 1\nb 2\n# TYPE a summary\n# TYPE a summary\n"
	    "# HELP c x\nc 1\n");
	CHECK(shows(&f,
	    "# BATCH " TARGET " 1637582400000\n"
	    "# TYPE a summary\n"
	    "a_count" TARGET " 1 1637582400000\n"
	    "b" TARGET " 2 1637582400000\n# HELP c x\n"
	    "c" TARGET " 1 1637582400000\n"
	    "# STALE * 1637582400000\n# EOF\n"));
	f.meta = true;
	page(&f, "# TYPE up counter\nup 1\n");
	CHECK(!has(&f, "# TYPE up gauge") && has(&f, "# HELP up "));
	down(&f);
}

static struct scrape_memory *
reload(struct fixture *f, struct buf *log)
{
	struct scrape_memory *m = scrape_memory_new();

	CHECK(scrape_memory_load(m, buf_str(log)) == log->n);
	scrape_memory_free(f->m);
	f->m = m;
	return m;
}

static void
log_add(struct fixture *f, struct buf *log)
{
	buf_add(log, buf_str(&f->x.before));
	buf_add(log, buf_str(&f->x.after));
}

/* Each round by another process, which has only the log. */
static void
memory(void)
{
	struct fixture f;
	struct scrape_answer bad = { .error = "gone" };
	struct buf log = { 0 }, saved = { 0 };
	struct scrape_set *none = scrape_new();

	up(&f, "");
	page(&f, "a 1\nb 1\ns 1 1637582300000\n");
	log_add(&f, &log);
	reload(&f, &log);
	page(&f, "a 1\ns 1 1637582300000\n");
	CHECK(f.r.added == 0 && f.r.stale == 1 && f.x.before.n == 0);
	CHECK(has(&f, "# STALE b" TARGET " 1637582401000\n"));
	CHECK(!has(&f, "# STALE *"));
	log_add(&f, &log);
	reload(&f, &log);
	round_of(&f, &bad);
	CHECK(f.r.stale == 1);
	log_add(&f, &log);
	scrape_memory_save(reload(&f, &log), &saved);
	CHECK(saved.n < log.n);
	reload(&f, &saved);
	page(&f, "a 1\nb 1\n");
	CHECK(f.r.added == 1 && f.r.stale == 0);
	log_add(&f, &saved);
	/* Cut off in the middle: the last whole batch counts. */
	for (size_t i = 0; i <= saved.n; i++) {
		struct scrape_memory *m = scrape_memory_new();

		if (scrape_memory_load(m, str_take(buf_str(&saved), i)) > i)
			CHECK(false);
		scrape_memory_free(m);
	}
	reload(&f, &saved);
	buf_reset(&f.x.out);
	CHECK(scrape_gone(f.m, f.set, f.now, &f.x) == 0);
	buf_reset(&f.x.after);
	CHECK(scrape_gone(f.m, none, f.now, &f.x) == 1);
	CHECK(shows(&f,
	    "# BATCH " TARGET " 1637582404000\n"
	    "# STALE * 1637582404000\n# EOF\n"));
	buf_add(&saved, buf_str(&f.x.after));
	reload(&f, &saved);
	CHECK(scrape_gone(f.m, none, f.now, &f.x) == 0);
	buf_fini(&log);
	buf_fini(&saved);
	scrape_free(none);
	down(&f);
}

/* Ever new series: memory stays small, and what ends is told. */
static void
churn(void)
{
	struct fixture f;
	struct buf b = { 0 };

	up(&f, "");
	for (int i = 0; i < 50; i++) {
		buf_reset(&b);
		for (int j = 0; j < 100; j++)
			buf_printf(&b, "a{i=\"%d\"} 1\n", i * 100 + j);
		buf_z(&b, "keep 1\n");
		page(&f, buf_cstr(&b));
		if (i > 0 && (f.r.stale != 100 || f.r.added != 100))
			CHECK(false);
	}
	CHECK(f.r.up);
	/* of 5001 that there were few are remembered */
	CHECK(f.m->n == 1 && f.m->v[0]->n < 1500);
	buf_fini(&b);
	down(&f);
}

/* Operands are nobody's to end but their own process's. */
static void
operand(void)
{
	struct scrape_set *none = scrape_new(), *set = scrape_new();
	struct scrape_answer a = { .status = 200,
		.content_type = STR("text/plain"),
		.body = STR("a 1\n") };
	struct scrape_memory *m = scrape_memory_new();
	struct scrape_text x = { 0 };
	struct scrape_result r;
	struct error e;

	CHECK(scrape_add(set, STR("h:1"), 1000, &e) == 0);
	scrape_round(m, set->v[0], &a, T0, false, &x, &r);
	CHECK(r.up && scrape_gone(m, none, T0 + 1000, &x) == 0);
	scrape_memory_free(m);
	m = scrape_memory_new();
	CHECK(scrape_memory_load(m, buf_str(&x.before)) == x.before.n);
	CHECK(scrape_gone(m, none, T0 + 1000, &x) == 0);
	buf_fini(&x.out);
	buf_fini(&x.before);
	buf_fini(&x.after);
	scrape_memory_free(m);
	scrape_free(none);
	scrape_free(set);
}

/*
 * What is at rest is kept otherwise than what is new: it must print the same,
 * be found again, and end.
 */
static void
resting(void)
{
	struct fixture f;
	struct buf b = { 0 };

	up(&f, "");
	for (int i = 0; i < 6; i++) {
		page(&f,
		    "a 1\nb{interface=\"x\"} "
		    "1\nc{z=\"\\\"\",my_instance=\"h:1\"} "
		    "1\n{\"d.e\"} 1\n");
		CHECK(has(&f, "\na" TARGET " 1 "));
		CHECK(has(&f,
		    "\nb{env=\"p\",instance=\"h:1\",interface=\"x\","
		    "job=\"j\"} 1 "));
		CHECK(has(&f,
		    "\nc{env=\"p\",instance=\"h:1\",job=\"j\","
		    "my_instance=\"h:1\",z=\"\\\"\"} 1 "));
		CHECK(has(
		    &f, "\n{\"d.e\",env=\"p\",instance=\"h:1\",job=\"j\"} 1 "));
		CHECK(f.r.added == (i == 0 ? 4 : 0) && f.r.stale == 0);
	}
	page(&f, "n 1\na 2\n");
	CHECK(f.r.added == 1 && f.r.stale == 3);
	CHECK(
	    has(&f, "# STALE {\"d.e\",env=\"p\",instance=\"h:1\",job=\"j\"} "));
	CHECK(has(&f, "\nn" TARGET " 1 ") && has(&f, "\na" TARGET " 2 "));
	/* Many at rest, of which few are left, and come again. */
	for (int i = 0; i < 3000; i++)
		buf_printf(&b, "m{i=\"%d\"} 1\n", i);
	for (int i = 0; i < 4; i++)
		page(&f, buf_cstr(&b));
	CHECK(f.r.added == 0 && f.r.scraped == 3000);
	page(&f, "m{i=\"7\"} 1\n");
	CHECK(f.r.stale == 2999 && f.r.added == 0);
	CHECK(has(
	    &f, "# STALE m{env=\"p\",i=\"2999\",instance=\"h:1\",job=\"j\"} "));
	page(&f, "m{i=\"7\"} 1\n");
	CHECK(f.r.stale == 0 && f.r.added == 0);
	page(&f, buf_cstr(&b));
	CHECK(f.r.stale == 0 && f.r.added == 2999);
	buf_fini(&b);
	down(&f);
}

/* The lines of a batch that are samples of the page. */
static void
samples(struct buf *b, str out)
{
	buf_reset(b);
	while (out.n > 0) {
		str line = str_cut(&out, '\n');

		if (str_starts(line, STR("#")) ||
		    str_starts(line, STR("scrape_")))
			continue;
		buf_add(b, line);
		buf_byte(b, '\n');
	}
}

/*
 * What is remembered of a target never changes what is printed, wherever its
 * labels go among those of the page and however its values are written.
 */
static void
remembered(void)
{
	static const char *const series[] = { "a", "b{}", "a{b=\"c\"}",
		"a{b=\"c\",}", "a{z=\"1\"}", "a{ z=\"2\" }",
		"a{b=\"c\",z=\"1\"}", "a{z=\"1\",b=\"d\"}", "c{e=\"\"}",
		"c{instance=\"\"}", "c{instance=\"h:1\"}", "c{instancf=\"\"}",
		"{\"u.v\"}", "{\"u.v\",a=\"b\"}", "a{k=\"\\\"\"}",
		"d{le=\"1\"}", "e {b=\"c\"}" };
	static const char *const values[] = { "1", "01", "1.50", "2.25", "NaN",
		"1e3", "1.25e+09", "1.5e-07 1637582300000", "-0",
		"0.1234567890123456789", "+Inf", "7 1637582300000" };
	struct scrape_set *set = scrape_new();
	struct scrape_memory *m = scrape_memory_new(), *once;
	struct scrape_answer a = { .status = 200,
		.content_type = STR("text/plain") };
	struct buf b = { 0 }, got = { 0 }, want = { 0 };
	struct scrape_text x = { 0 };
	struct scrape_result r;
	struct error e;
	size_t n = sizeof(series) / sizeof(series[0]);
	size_t nvalues = sizeof(values) / sizeof(values[0]);

	CHECK(scrape_add(set, STR("h:1"), 1000, &e) == 0);
	for (size_t round = 0; round < 24; round++) {
		buf_reset(&b);
		buf_z(&b, "# TYPE d histogram\n");
		for (size_t i = round > 12 && round < 15; i < n; i++)
			buf_printf(&b, "%s %s\n", series[i],
			    values[(i * 5 + round) % nvalues]);
		a.body = buf_str(&b);
		buf_reset(&x.out);
		scrape_round(m, set->v[0], &a, T0 + (int64_t)round * 1000,
		    false, &x, &r);
		CHECK(r.up);
		samples(&got, buf_str(&x.out));
		once = scrape_memory_new();
		buf_reset(&x.out);
		scrape_round(once, set->v[0], &a, T0 + (int64_t)round * 1000,
		    true, &x, &r);
		samples(&want, buf_str(&x.out));
		CHECK(got.n > 0 && str_eq(buf_str(&got), buf_str(&want)));
		scrape_memory_free(once);
	}
	CHECK(str_find(buf_str(&got),
		  STR("\na{b=\"c\",instance=\"h:1\",job=")) < got.n);
	scrape_memory_free(m);
	scrape_free(set);
	buf_fini(&b);
	buf_fini(&got);
	buf_fini(&want);
	buf_fini(&x.out);
	buf_fini(&x.before);
	buf_fini(&x.after);
}

/* HELP and TYPE when they change, and not when they do not. */
static void
said(void)
{
	static const struct {
		const char *page, *help;
		bool says;
	} t[] = {
		{ "# HELP a one\na 1\n", "# HELP a one\n", true },
		{ "# HELP a one\na 1\n", "# HELP a", false },
		{ "# HELP a one\na 1\n", "# HELP a", false },
		{ "# HELP a one\na 1\n", "# HELP a", false },
		{ "# HELP a two\na 1\n", "# HELP a two\n", true },
		{ "# HELP a one\na 1\n", "# HELP a one\n", true },
		{ "# HELP a one\na 1\n", "# HELP a", false },
		{ "# HELP a two\n# HELP a one\na 1\n", "# HELP a two\n", true },
		{ "# HELP a two\n# HELP a one\na 1\n", "# HELP a one\n", true },
		{ "# HELP a two\na 1\n", "# HELP a two\n", true },
		{ "# HELP a two\na 1\n", "# HELP a", false },
	};
	struct fixture f;

	up(&f, "");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		page(&f, t[i].page);
		CHECK(f.r.up && has(&f, t[i].help) == t[i].says);
	}
	down(&f);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/p.yml", dir);
	first_and_next();
	failures();
	content_types();
	honest();
	keep_known();
	relabelled();
	stamped();
	limits();
	order();
	memory();
	churn();
	operand();
	resting();
	remembered();
	said();
	(void)unlink(path);
	(void)rmdir(dir);
	return done();
}
