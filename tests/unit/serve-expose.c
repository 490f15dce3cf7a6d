/* /metrics of files and streams, and the process's own metrics. */
#include "serve_call.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct serve *
fresh(void)
{
	return serve_new(
	    &(struct serve_opts){ .clock = &test_clock, .version = "0" });
}

static void
put_file(const char *path, const char *text)
{
	static int turn = 1000;
	struct timespec ts[2] = { 0 };
	FILE *f = fopen(path, "w");

	if (f == NULL)
		exit(1);
	ts[0].tv_sec = ts[1].tv_sec = turn++;
	fputs(text, f);
	fclose(f);
	utimensat(AT_FDCWD, path, ts, 0); /* it has surely changed */
}

static size_t
count(const char *what)
{
	const char *s = buf_cstr(&answer.body);
	size_t n = 0;

	for (; (s = strstr(s, what)) != NULL; s++)
		n++;
	return n;
}

static void
test_files(const char *dir)
{
	struct serve *s = fresh();
	char a[128], b[128];
	struct error e;

	snprintf(a, sizeof(a), "%s/a.prom", dir);
	snprintf(b, sizeof(b), "%s/b.prom", dir);
	CHECK(serve_file(s, a, &e) == -1 && strstr(e.msg, a) != NULL);
	CHECK(serve_file(s, dir, &e) == -1);
	serve_free(s);
	s = fresh();
	put_file(a,
	    "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n"
	    "# TYPE process_open_fds gauge\nprocess_open_fds 77");
	CHECK(serve_file(s, a, &e) == 0);
	CHECK(get(s, "/metrics") == 200);
	CHECK(has("# HELP a_total A.\n# TYPE a_total counter\na_total 1\n"));
	/* The file's family stands, ours is left out. */
	CHECK(has("process_open_fds 77\n"));
	CHECK(count("# TYPE process_open_fds ") == 1);
	CHECK(has("process_max_fds "));
	CHECK(has("mf_serve_file_up{file=\""));
	put_file(a, "a_total 2\n");
	CHECK(get(s, "/metrics") == 200 && has("a_total 2\n"));
	CHECK(lacks("process_open_fds 77"));
	put_file(a, "a_total 3\nnonsense here now\n");
	CHECK(get(s, "/metrics") == 200 && has("a_total 3\n"));
	CHECK(has("a.prom\"} 1\n") && lacks("nonsense"));
	/* Two files, one family in both: one page. */
	put_file(b, "# TYPE a_total counter\na_total{x=\"b\"} 5\n");
	CHECK(serve_file(s, b, &e) == 0);
	CHECK(get(s, "/metrics") == 200);
	CHECK(count("# TYPE a_total ") == 1);
	CHECK(has("a_total 3\n") && has("a_total{x=\"b\"} 5\n"));
	unlink(a);
	CHECK(get(s, "/metrics") == 200 && lacks("a_total 3"));
	CHECK(has("mf_serve_file_up{file=\"") && has("a.prom\"} 0\n"));
	unlink(b);
	serve_free(s);
}

static void
feed(struct serve *s, struct batch_reader *r, const char *text)
{
	struct batch b;

	batch_feed(r, str_of(text));
	while (batch_next(r, &b) == 1)
		serve_apply(s, &b);
}

static void
test_stream(void)
{
	struct serve *s = fresh();
	struct batch_reader *r = batch_new(EXPO_MF, 5, false, NULL, NULL);

	serve_stream(s);
	CHECK(get(s, "/metrics") == 200 && has("process_open_fds "));
	feed(s, r,
	    "# BATCH {instance=\"a\"} 1000\n# TYPE up gauge\n"
	    "up{instance=\"a\"} 1 1000\nx{instance=\"a\"} 7 1000\n# EOF\n"
	    "# BATCH {instance=\"b\"} 1000\n# TYPE up gauge\n"
	    "up{instance=\"b\"} 0 1000\n# EOF\n");
	CHECK(get(s, "/metrics") == 200);
	CHECK(count("# TYPE up gauge\n") == 1);
	CHECK(has("up{instance=\"a\"} 1\nup{instance=\"b\"} 0\n"));
	CHECK(has("x{instance=\"a\"} 7\n"));
	CHECK(get(s, "/metrics?times=1") == 200);
	CHECK(has("up{instance=\"a\"} 1 1000\n"));
	feed(s, r,
	    "# BATCH {instance=\"a\"} 2000\nup{instance=\"a\"} 1 2000\n"
	    "# STALE * 2000\n# EOF\n");
	CHECK(get(s, "/metrics") == 200 && lacks("x{"));
	CHECK(has("up{instance=\"b\"} 0\n"));
	batch_free(r);
	serve_free(s);
}

/* Names and types of what every Prometheus client shows. */
static void
test_process(void)
{
	static const char *const gauges[] = { "process_max_fds",
		"process_open_fds", "process_resident_memory_bytes",
		"process_start_time_seconds", "process_virtual_memory_bytes",
		"process_virtual_memory_max_bytes" };
	struct serve *s = fresh();
	char text[128];
	double open_fds = 0;
	const char *at;

	CHECK(get(s, "/metrics") == 200);
	CHECK(strcmp(answer.content_type,
		  "text/plain; version=0.0.4; charset=utf-8") == 0);
	CHECK(has("# TYPE process_cpu_seconds_total counter\n"));
	for (size_t i = 0; i < sizeof(gauges) / sizeof(*gauges); i++) {
		snprintf(text, sizeof(text), "# TYPE %s gauge\n%s ", gauges[i],
		    gauges[i]);
		CHECK(has(text));
	}
	at = strstr(buf_cstr(&answer.body), "\nprocess_open_fds ");
	if (at != NULL)
		open_fds = strtod(at + 18, NULL);
	CHECK(open_fds >= 3 && open_fds < 100);
	serve_free(s);
}

int
main(void)
{
	char dir[] = "/tmp/serve-expose.XXXXXX";

	if (mkdtemp(dir) == NULL)
		return 1;
	test_files(dir);
	test_stream();
	test_process();
	call_done();
	rmdir(dir);
	return done();
}
