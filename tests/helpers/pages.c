/*
 * A server of many live targets, as a fleet of node exporters would be: each
 * path is a target, each request the next step of its series.  Cheap, so that
 * who scrapes it is what is measured.
 *
 *	pages SERIES PORTS [gzip]	cc -O2 pages.c -lz
 *
 * It listens on PORTS ports of 127.0.0.1 and prints "listening on" for the
 * first and "port N" for each.  Of 20 series 9 never change, 5 count whole
 * numbers, 3 wander and 3 are noise with nine decimals.  With gzip it packs
 * pages for those who accept it.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define TARGETS 65536

struct conn {
	int fd; /* of a listener, its connections are accepted */
	int listens;
	char in[4096];
	size_t n;
	char *out;
	size_t at, len;
};

static size_t nseries;
static int packs;
static char (*names)[160];
static unsigned rounds[TARGETS];
static char *page;
static size_t page_cap;

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}

/* The lines without their values; a family has some three series. */
static void
make_names(void)
{
	static const char *const what[] = { "node_cpu_seconds", "node_disk_io",
		"node_filesystem_avail", "node_network_receive",
		"node_memory_Active" };

	names = calloc(nseries, sizeof(*names));
	for (size_t i = 0; i < nseries; i++)
		(void)snprintf(names[i], sizeof(*names),
		    "%s_%zu_total{device=\"sd%c\",mode=\"m%zu\",path=\"/var/"
		    "lib/%zu\"} ",
		    what[i / 3 % 5], i / 3, (char)('a' + i % 3), i % 7, i % 11);
	page_cap = nseries * 400 + 1000;
	page = malloc(page_cap);
}

static size_t
value(char *p, size_t room, size_t i, unsigned target, unsigned t)
{
	uint64_t h = mix(i * 65537 + target);
	int kind = (int)(i % 20);

	if (kind < 9)
		return (size_t)snprintf(
		    p, room, "%lu\n", (unsigned long)(h % 100000));
	if (kind < 14)
		return (size_t)snprintf(p, room, "%lu\n",
		    (unsigned long)(h % 10000000 + (h % 997) * t));
	if (kind < 17)
		return (size_t)snprintf(p, room, "%.2f\n",
		    (double)(h % 1000000) / 100 +
			(double)(mix(h + t) % 2000) / 100);
	return (size_t)snprintf(p, room, "%.9f\n",
	    (double)(mix(h + t) % 1000000000) / 1e9 * (double)(h % 50));
}

static size_t
make_page(unsigned target)
{
	unsigned t = rounds[target]++;
	size_t n = 0;

	for (size_t i = 0; i < nseries; i++) {
		size_t len = strlen(names[i]);

		if (i % 3 == 0) {
			size_t name = strcspn(names[i], "{");

			n += (size_t)snprintf(page + n, page_cap - n,
			    "# HELP %.*s A metric of a kind that a machine "
			    "has.\n# TYPE %.*s gauge\n",
			    (int)name, names[i], (int)name, names[i]);
		}
		memcpy(page + n, names[i], len);
		n += len;
		n += value(page + n, page_cap - n, i, target, t);
	}
	return n;
}

static void
answer(struct conn *c)
{
	unsigned target = 0;
	size_t n, cap, head;
	const char *path = strstr(c->in, "/t/");
	int pack = packs && strstr(c->in, "gzip") != NULL;

	if (path != NULL)
		target = (unsigned)strtoul(path + 3, NULL, 10) % TARGETS;
	n = make_page(target);
	cap = n + 4096;
	free(c->out);
	c->out = malloc(cap);
	if (pack) {
		z_stream z = { 0 };

		if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0) != Z_OK)
			errx(1, "deflateInit2");
		z.next_in = (unsigned char *)page;
		z.avail_in = (unsigned)n;
		z.next_out = (unsigned char *)c->out + 256;
		z.avail_out = (unsigned)(cap - 256);
		(void)deflate(&z, Z_FINISH);
		n = z.total_out;
		(void)deflateEnd(&z);
	} else {
		memcpy(c->out + 256, page, n);
	}
	head = (size_t)snprintf(c->out, 256,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
	    "%sContent-Length: %zu\r\n\r\n",
	    pack ? "Content-Encoding: gzip\r\n" : "", n);
	memmove(c->out + 256 - head, c->out, head);
	c->at = 256 - head;
	c->len = 256 + n;
	c->n = 0;
}

static void
drop(struct conn *c)
{
	(void)close(c->fd);
	free(c->out);
	free(c);
}

static void
serve(int ep, struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	ssize_t n;

	if (c->at == c->len) {
		n = read(c->fd, c->in + c->n, sizeof(c->in) - 1 - c->n);
		if (n <= 0) {
			drop(c);
			return;
		}
		c->n += (size_t)n;
		c->in[c->n] = '\0';
		if (strstr(c->in, "\r\n\r\n") == NULL)
			return;
		answer(c);
	}
	while (c->at < c->len) {
		n = write(c->fd, c->out + c->at, c->len - c->at);
		if (n <= 0)
			break;
		c->at += (size_t)n;
	}
	if (c->at < c->len)
		ev.events = EPOLLOUT;
	(void)epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
}

static void
add(int ep, int fd, int listens)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->fd = fd;
	c->listens = listens;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static void
listen_on_one(int ep, int first)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(fd, 1024) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "listen");
	if (first)
		(void)fprintf(
		    stderr, "listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	(void)fprintf(stderr, "port %d\n", ntohs(a.sin_port));
	add(ep, fd, 1);
}

int
main(int argc, char **argv)
{
	int ep = epoll_create1(0), one = 1;

	if (argc < 3)
		errx(2, "usage: pages SERIES PORTS [gzip]");
	nseries = (size_t)strtoul(argv[1], NULL, 10);
	packs = argc > 3;
	make_names();
	for (int i = 0; i < atoi(argv[2]); i++)
		listen_on_one(ep, i == 0);
	(void)fprintf(stderr, "ready\n");
	for (;;) {
		struct epoll_event ev[64];
		int n = epoll_wait(ep, ev, 64, -1), fd;

		for (int i = 0; i < n; i++) {
			struct conn *c = ev[i].data.ptr;

			if (!c->listens) {
				serve(ep, c);
			} else if ((fd = accept4(c->fd, NULL, NULL,
					SOCK_NONBLOCK)) != -1) {
				(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY,
				    &one, sizeof(one));
				add(ep, fd, 0);
			}
		}
	}
}
