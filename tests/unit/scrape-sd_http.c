/*
 * http_sd_configs against a server in this process, which sends whatever the
 * test has put into reply.
 */
#include "check.h"
#include "sd_test.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int listening, conn = -1;
static char url[64];
static struct buf asked; /* the last request */
static bool sending;
static size_t sent;
static struct buf reply; /* sent to the next, head and all; empty: nothing */

static int64_t
mono(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static const struct clock real = { .mono = mono };

static void
server_open(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);

	listening = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(listening, (struct sockaddr *)&a, n) == 0);
	CHECK(listen(listening, 5) == 0);
	CHECK(getsockname(listening, (struct sockaddr *)&a, &n) == 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/sd", ntohs(a.sin_port));
}

/*
 * Do what the server has to do now, without waiting: the client is in this
 * thread too.  The connection ends after a reply.
 */
static void
serve(void)
{
	struct pollfd p[2] = { { listening, POLLIN, 0 },
		{ conn, sending ? POLLOUT : POLLIN, 0 } };
	char b[4096];
	ssize_t n;

	if (poll(p, 2, 0) <= 0)
		return;
	if (p[1].revents && sending) {
		n = send(conn, reply.p + sent, reply.n - sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : reply.n;
		sending = sent < reply.n;
		if (!sending) {
			close(conn);
			conn = -1;
		}
	} else if (p[1].revents) {
		n = read(conn, b, sizeof(b));
		if (n > 0)
			buf_add(&asked, (str){ b, (size_t)n });
		sending = n > 0 && reply.n > 0 &&
		    str_ends(buf_str(&asked), STR("\r\n\r\n"));
		sent = 0;
		if (n <= 0) {
			close(conn);
			conn = -1;
		}
	}
	if (p[0].revents && conn == -1) {
		conn = accept(listening, NULL, NULL);
		buf_reset(&asked);
	}
}

/* Until nothing is under way. */
static void
settle(struct sd_test *t, struct fetch *f)
{
	struct error e;

	(void)scrape_sd_step(t->sd);
	for (int i = 0; i < 2000 && fetch_pending(f) > 0; i++) {
		CHECK(fetch_step(f, NULL, 0, 2, &e) == 0);
		serve();
	}
	CHECK(fetch_pending(f) == 0);
	(void)scrape_sd_step(t->sd);
}

static void
say(const char *head, const char *body)
{
	buf_reset(&reply);
	buf_printf(
	    &reply, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n%s", head, body);
}

#define JSON "200 OK\r\nContent-Type: application/json"

static bool
begin(struct sd_test *t, struct fetch *f, const char *more)
{
	struct buf b = { 0 };
	struct error e;
	bool ok;

	buf_printf(&b, "http_sd_configs:\n- url: %s\n%s", url, more);
	ok = test_open(t, buf_cstr(&b), "p.yml", f, NULL, &e);
	if (!ok)
		printf("# %s\n", e.msg);
	CHECK(ok);
	buf_fini(&b);
	return ok;
}

static bool
asked_for(const char *line)
{
	return str_find(buf_str(&asked), str_of(line)) < asked.n;
}

/* The error that is left, which begins with the URL. */
static bool
failed(struct sd_test *t, const char *want)
{
	struct buf b = { 0 };
	struct error e;
	bool same;

	buf_printf(&b, "j: %s%s", url, want);
	same = scrape_sd_error(t->sd, &e) && strcmp(e.msg, buf_cstr(&b)) == 0;
	if (!same)
		printf("# got  %s\n# want %s\n", e.msg, buf_cstr(&b));
	buf_fini(&b);
	return same;
}

static void
life(struct fetch *f)
{
	struct sd_test t;
	struct error e;
	struct buf want = { 0 };
	const struct sd_group *const *v;

	if (!begin(&t, f, "  refresh_interval: 90s\n"))
		return;
	say(JSON,
	    "[{\"targets\":[\"a:1\"],\"labels\":{\"x\":\"y\"}},"
	    "{\"targets\":[\"exec:id\"]}]");
	settle(&t, f);
	CHECK(scrape_sd_ready(t.sd));
	CHECK(asked_for("GET /sd HTTP/1.1\r\n"));
	CHECK(asked_for("\r\nAccept: application/json\r\n"));
	CHECK(asked_for("\r\nX-Prometheus-Refresh-Interval-Seconds: 90\r\n"));
	CHECK(asked_for("\r\nUser-Agent: test/1\r\n"));
	buf_printf(&want,
	    "%s:0 {__meta_url=\"%s\",x=\"y\"}: {__address__=\"a:1\"}\n"
	    "%s:1 {__meta_url=\"%s\"}: {__address__=\"exec:id\"}\n",
	    url, url, url, url);
	CHECK(str_eq(test_groups(&t), buf_str(&want)));
	CHECK(sd_groups(t.sd, &t.job, &v) == 2 && !v[0]->local);
	CHECK(!scrape_sd_changed(t.sd) && scrape_sd_step(t.sd) == 100);
	t.now += 100;
	CHECK(scrape_sd_changed(t.sd));
	CHECK(scrape_sd_step(t.sd) == 89900);

	/* what fails keeps the last, is told once, and is over when it is */
	say("503 No", "[]");
	for (int i = 0; i < 2; i++) {
		t.now += 90000;
		settle(&t, f);
		CHECK(sd_groups(t.sd, &t.job, &v) == 2);
		CHECK(!scrape_sd_changed(t.sd));
		CHECK(
		    i == 1 || failed(&t, ": server returned HTTP status 503"));
		CHECK_STR(test_error(&t, &e), "");
	}
	/* fewer groups: the tail goes */
	say(JSON, "[{\"targets\":[\"b:1\"]}]");
	t.now += 90000;
	settle(&t, f);
	CHECK_STR(test_error(&t, &e), "");
	t.now += 100;
	CHECK(scrape_sd_changed(t.sd));
	CHECK(sd_groups(t.sd, &t.job, &v) == 1);
	/* the same once more is no news */
	t.now += 90000;
	settle(&t, f);
	CHECK(!scrape_sd_changed(t.sd) && scrape_sd_step(t.sd) == 90000);
	buf_fini(&want);
	test_close(&t);
}

static void
bad_answer(
    struct fetch *f, const char *head, const char *body, const char *want)
{
	struct sd_test t;
	const struct sd_group *const *v;

	if (!begin(&t, f, ""))
		return;
	say(head, body);
	settle(&t, f);
	CHECK(scrape_sd_ready(t.sd));
	CHECK(failed(&t, want));
	CHECK(sd_groups(t.sd, &t.job, &v) == 0);
	t.now += 59999;
	CHECK(scrape_sd_step(t.sd) == 1 && fetch_pending(f) == 0);
	t.now += 1;
	(void)scrape_sd_step(t.sd);
	CHECK(fetch_pending(f) == 1);
	test_close(&t);
	CHECK(fetch_pending(f) == 0);
}

static void
bad_answers(struct fetch *f)
{
	bad_answer(
	    f, "204 No Content", "", ": server returned HTTP status 204");
	bad_answer(f, "200 OK", "[]", ": unsupported content type \"\"");
	bad_answer(f, "200 OK\r\nContent-Type: text/html", "[]",
	    ": unsupported content type \"text/html\"");
	bad_answer(f, JSON "; charset=latin1", "[]",
	    ": unsupported content type \"application/json; charset=latin1\"");
	bad_answer(f, JSON ", text/html", "[]",
	    ": unsupported content type \"application/json, text/html\"");
	bad_answer(
	    f, JSON, "[{\"targets\":[\"a\"]}", ":1:19: expected ',' or ']'");
	bad_answer(
	    f, JSON, "[{\"\\u001b[2J\":0}]", ":1:3: unknown key \"?[2J\"");
	bad_answer(f, JSON, "[null]", ":1:6: nil target group item found");
}

/* A charset is taken if it is UTF-8, in any case. */
static void
types(struct fetch *f)
{
	const char *const v[] = { "", ";charset=utf-8", "; charset=UTF-8",
		"; CHARSET=\"utf-8\"" };
	struct sd_test t;
	struct error e;
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		if (!begin(&t, f, ""))
			return;
		buf_reset(&b);
		buf_printf(&b, JSON "%s", v[i]);
		say(buf_cstr(&b), "[]");
		settle(&t, f);
		CHECK_STR(test_error(&t, &e), "");
		test_close(&t);
	}
	buf_fini(&b);
}

/* More than a stranger may name. */
static void
huge(struct fetch *f)
{
	struct buf b = { 0 };

	buf_byte(&b, '[');
	for (int i = 0; i < 500001; i++)
		buf_z(&b, "{},");
	buf_z(&b, "{}]");
	bad_answer(f, JSON, buf_cstr(&b),
	    ":1:1500004: too many groups, targets and labels");
	buf_fini(&b);
}

/* Freed while a request is under way: nothing is called back. */
static void
cut_off(struct fetch *f)
{
	struct sd_test t;
	struct error e;

	buf_reset(&reply);
	if (!begin(&t, f, ""))
		return;
	(void)scrape_sd_step(t.sd);
	for (int i = 0; i < 50 && asked.n == 0; i++) {
		CHECK(fetch_step(f, NULL, 0, 2, &e) == 0);
		serve();
	}
	CHECK(fetch_pending(f) == 1 && !scrape_sd_ready(t.sd));
	test_close(&t);
	CHECK(fetch_pending(f) == 0);
	CHECK(fetch_step(f, NULL, 0, 0, &e) == 0);
	serve();
}

static void
refused(const char *text, const char *want)
{
	struct sd_test t;
	struct error e = { "" };

	CHECK(!test_open(&t, text, "p.yml", NULL, NULL, &e));
	if (strcmp(e.msg, want) != 0)
		printf("# got  %s\n# want %s\n", e.msg, want);
	CHECK(strcmp(e.msg, want) == 0);
	test_close(&t);
}

#define SD "http_sd_configs:\n- "

static void
errors(void)
{
	refused(SD "refresh_interval: 1m\n", "p.yml:2:3: URL is missing");
	refused(SD "url: ftp://a\n",
	    "p.yml:2:8: URL scheme must be 'http' or 'https'");
	refused(SD "url: a:80\n",
	    "p.yml:2:8: URL scheme must be 'http' or 'https'");
	refused(SD "url: http://\n", "p.yml:2:8: host is missing in URL");
	refused(SD "url: http://u@/x\n", "p.yml:2:8: host is missing in URL");
	refused(SD "url: http://:80/x\n", "p.yml:2:8: host is missing in URL");
	refused(SD "url: \"http://a/\\n\"\n",
	    "p.yml:2:8: a blank or a control character in the URL");
	refused(SD "url: http://a\n  refresh_interval: 0\n",
	    "p.yml:3:21: refresh_interval must not be 0");
	refused(
	    SD "url: http://a\n  name: b\n", "p.yml:3:3: unknown key \"name\"");
}

/* A password is sent, and not shown. */
static void
password(void)
{
	struct sd_test t;
	struct error e;
	const struct sd_group *const *v;
	struct fetch *f = fetch_new(&real, "test/1", NULL, 0);
	struct buf b = { 0 };

	buf_printf(&b, SD "url: http://u:secret@%s\n", url + 7);
	CHECK(test_open(&t, buf_cstr(&b), "p.yml", f, NULL, &e));
	say(JSON, "[{}]");
	settle(&t, f);
	CHECK(asked_for("\r\nAuthorization: Basic dTpzZWNyZXQ=\r\n"));
	CHECK(sd_groups(t.sd, &t.job, &v) == 1);
	buf_reset(&b);
	buf_printf(&b, "http://u:xxxxx@%s", url + 7);
	CHECK(str_eq(label_find(v[0]->labels, STR("__meta_url")), buf_str(&b)));
	buf_fini(&b);
	test_close(&t);
	fetch_free(f);
}

int
main(void)
{
	struct fetch *f = fetch_new(&real, "test/1", NULL, 0);

	server_open();
	life(f);
	bad_answers(f);
	types(f);
	huge(f);
	cut_off(f);
	password();
	errors();
	fetch_free(f);
	buf_fini(&asked);
	buf_fini(&reply);
	return done();
}
