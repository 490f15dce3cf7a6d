/*
 * What a scrape costs before its page is looked at: many targets, one round
 * after another over connections that stay, from a server in a child process
 * that answers each request with a page of 700 series.  CPU is this process's
 * alone, user and system.
 */
#include "net/fetch.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define PORTS 50 /* the targets are spread over so many */
#define SERIES 700

static int64_t
mono(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int64_t
cpu(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * INT64_C(1000000000) +
	    (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * INT64_C(1000);
}

static const struct clock clock_real = { .mono = mono };
static int ports[PORTS], listeners[PORTS];

static void
open_ports(void)
{
	for (int i = 0; i < PORTS; i++) {
		struct sockaddr_in a = { .sin_family = AF_INET };
		socklen_t n = sizeof(a);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (bind(fd, (struct sockaddr *)&a, n) == -1 ||
		    listen(fd, 512) == -1 ||
		    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
			exit(1);
		listeners[i] = fd;
		ports[i] = ntohs(a.sin_port);
	}
}

static void
make_page(struct buf *b)
{
	struct buf body = { 0 };

	for (int i = 0; i < SERIES; i++)
		buf_printf(&body,
		    "node_something_seconds_total{cpu=\"%d\",mode=\"user\","
		    "device=\"eth%d\"} %d.25\n",
		    i % 64, i, i * 37);
	buf_printf(b,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    body.n);
	buf_add(b, buf_str(&body));
	buf_fini(&body);
}

/* Every readable byte is taken for a request: there is no pipelining here. */
static void
serve(str page)
{
	struct epoll_event ev[64], add = { .events = EPOLLIN };
	int ep = epoll_create1(0), n;
	char in[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < PORTS; i++) {
		add.data.fd = listeners[i];
		epoll_ctl(ep, EPOLL_CTL_ADD, listeners[i], &add);
	}
	while ((n = epoll_wait(ep, ev, 64, -1)) >= 0)
		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd, c, one = 1;

			if (fd <= listeners[PORTS - 1]) {
				while ((c = accept(fd, NULL, NULL)) != -1) {
					setsockopt(c, IPPROTO_TCP, TCP_NODELAY,
					    &one, sizeof(one));
					add.data.fd = c;
					epoll_ctl(ep, EPOLL_CTL_ADD, c, &add);
				}
				continue;
			}
			if (read(fd, in, sizeof(in)) <= 0) {
				close(fd);
				continue;
			}
			for (size_t at = 0; at < page.n;) {
				ssize_t k = send(
				    fd, page.p + at, page.n - at, MSG_NOSIGNAL);

				if (k <= 0)
					break;
				at += (size_t)k;
			}
		}
	_exit(0);
}

static size_t bytes, failed;

static void
on_done(void *arg, const struct fetch_answer *a)
{
	(void)arg;
	bytes += a->body.n;
	failed += a->error != NULL || a->status != 200;
}

/* width requests under way at a time, as a schedule that spreads them has. */
static void
rounds(struct fetch *f, size_t targets, size_t n, size_t width)
{
	struct fetch_header h[2] = { { STR("Accept"),
					 STR("text/plain;version=0.0.4") },
		{ STR("X-Prometheus-Scrape-Timeout-Seconds"), STR("10") } };
	struct error e;
	char(*url)[64] = mem_alloc(targets * sizeof(*url));
	struct auth a;
	struct fetch_request q = { .method = "GET",
		.headers = h,
		.nheaders = 2,
		.timeout = 10000,
		.no_compression = true,
		.auth = &a,
		.done = on_done };

	auth_init(&a);
	for (size_t i = 0; i < targets; i++)
		snprintf(url[i], sizeof(url[i]),
		    "http://127.0.0.1:%d/t/%zu/metrics", ports[i % PORTS], i);
	for (size_t i = 0; i < targets * n; i++) {
		q.url = str_of(url[i % targets]);
		failed += fetch_add(f, &q, &e) == -1;
		while (fetch_pending(f) >= width)
			(void)fetch_step(f, NULL, 0, -1, &e);
	}
	while (fetch_pending(f) > 0)
		(void)fetch_step(f, NULL, 0, -1, &e);
	free(url);
}

static void
run(const char *name, size_t targets, size_t n, size_t width)
{
	struct fetch *f = fetch_new(&clock_real, "mf/bench", NULL, 0);
	int64_t t, c;

	rounds(f, targets, 1, width);
	bytes = 0;
	t = mono(NULL);
	c = cpu();
	rounds(f, targets, n, width);
	c = cpu() - c;
	t = mono(NULL) - t;
	printf("mf_bench_cpu_seconds{bench=\"fetch_%s\"} %.9f\n", name,
	    (double)c / 1e9 / (double)(targets * n));
	printf("mf_bench_seconds{bench=\"fetch_%s\"} %.9f\n", name,
	    (double)t / 1e9 / (double)(targets * n));
	fetch_free(f);
}

int
main(void)
{
	struct buf page = { 0 };
	struct rusage r;
	pid_t pid;

	open_ports();
	make_page(&page);
	if ((pid = fork()) == 0)
		serve(buf_str(&page));
	printf("# one request for a page of %zu bytes\n", page.n);
	run("1", 200, 50, 1);
	run("8", 200, 50, 8);
	run("200", 200, 50, 200);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	getrusage(RUSAGE_SELF, &r);
	printf("mf_bench_rss_bytes{bench=\"fetch\"} %ld\n", r.ru_maxrss * 1024);
	if (failed > 0)
		printf("# %zu failed\n", failed);
	buf_fini(&page);
	return failed > 0;
}
