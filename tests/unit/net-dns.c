/*
 * DNS against a server in this process, which is as bad as the name asked for
 * says; the real one is in tests/mf-scrape-discovery.bats.
 */
#include "check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/dns.h"

static int udp, tcp, conn = -1;
static char server_at[32], resolv[] = "/tmp/mf-dns-XXXXXX";
static struct buf log_; /* "name/type\n" of each question */

static void
server_open(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);

	for (int i = 0; i < 20; i++) {
		a.sin_port = 0;
		udp = socket(AF_INET, SOCK_DGRAM, 0);
		tcp = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(bind(udp, (struct sockaddr *)&a, n) == 0);
		CHECK(getsockname(udp, (struct sockaddr *)&a, &n) == 0);
		if (bind(tcp, (struct sockaddr *)&a, n) == 0)
			break;
		close(udp);
		close(tcp);
	}
	CHECK(listen(tcp, 5) == 0);
	snprintf(
	    server_at, sizeof(server_at), "127.0.0.1:%d", ntohs(a.sin_port));
}

static void
u16(struct buf *b, unsigned v)
{
	buf_byte(b, (char)(v >> 8));
	buf_byte(b, (char)v);
}

static void
name(struct buf *b, str s)
{
	while (s.p != NULL && s.n > 0) {
		str part = str_cut(&s, '.');

		buf_byte(b, (char)part.n);
		buf_add(b, part);
	}
	buf_byte(b, 0);
}

/* A record of the name asked for. */
static void
rr(struct buf *b, unsigned type, str data)
{
	u16(b, 0xc00c);
	u16(b, type);
	u16(b, 1);
	u16(b, 0);
	u16(b, 60);
	u16(b, (unsigned)data.n);
	buf_add(b, data);
}

static void
rr_name(struct buf *b, unsigned type, const char *head, size_t n, str target)
{
	struct buf d = { 0 };

	buf_add(&d, (str){ head, n });
	name(&d, target);
	rr(b, type, buf_str(&d));
	buf_fini(&d);
}

/* Answers for a name into b: how many, or -rcode; *cut: truncate. */
static int
answers(struct buf *b, str q, unsigned type, bool over_tcp, bool *cut)
{
	if (str_starts(q, STR("fail")))
		return -2;
	if (str_starts(q, STR("empty")))
		return 0;
	if (str_starts(q, STR("junk"))) {
		rr(b, type, STR("\1\2\3"));
		return 1;
	}
	if (str_starts(q, STR("short")))
		return 7;
	if (str_eq(q, STR("a.test")) && type == DNS_A) {
		rr_name(b, 5, "", 0, STR("real.test"));
		rr(b, 1, STR("\x7f\0\0\1"));
		rr(b, 1, STR("\x0a\0\0\xff"));
		return 3;
	}
	if (str_eq(q, STR("six.test")) && type == DNS_AAAA) {
		rr(b, 28, STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"));
		rr(b, 28, STR("\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1"));
		return 2;
	}
	if (str_eq(q, STR("_s._tcp.test")) && type == DNS_SRV) {
		rr_name(b, 33, "\0\1\0\1\x1f\x90", 6, STR("h1.test"));
		rr_name(b, 33, "\0\1\0\1\0\x50", 6, STR("h\".test"));
		return 2;
	}
	if (str_eq(q, STR("ns.test")) && type == DNS_NS) {
		rr_name(b, 2, "", 0, STR("n1.test"));
		return 1;
	}
	if (str_eq(q, STR("mx.test")) && type == DNS_MX) {
		rr_name(b, 15, "\0\5", 2, STR("m1.test"));
		return 1;
	}
	if (str_eq(q, STR("big.test"))) {
		*cut = !over_tcp;
		for (int i = 0; over_tcp && i < 1000; i++)
			rr_name(b, 33, "\0\1\0\1\0\x50", 6, STR("h.test"));
		return over_tcp ? 1000 : 0;
	}
	if (str_ends(q, STR(".y.test"))) {
		rr(b, 1, STR("\x7f\0\0\2"));
		return 1;
	}
	return -3;
}

static void
reply(struct buf *out, const char *p, size_t n, bool over_tcp)
{
	struct buf q = { 0 }, rrs = { 0 };
	const unsigned char *at = (const unsigned char *)p + 12;
	bool cut = false;
	unsigned type;
	int r;

	for (; *at != 0; at += *at + 1) {
		if (q.n > 0)
			buf_byte(&q, '.');
		buf_add(&q, (str){ (const char *)at + 1, *at });
	}
	type = (unsigned)(at[1] << 8 | at[2]);
	buf_printf(&log_, "%.*s/%u\n", (int)q.n, q.p, type);
	if (str_starts(buf_str(&q), STR("drop")))
		goto out;
	r = answers(&rrs, buf_str(&q), type, over_tcp, &cut);
	buf_add(out, (str){ p, 2 });
	u16(out, 0x8180 | (cut ? 0x200 : 0) | (r < 0 ? (unsigned)-r : 0));
	u16(out, 1);
	u16(out, r > 0 ? (unsigned)r : 0);
	u16(out, 0);
	u16(out, 0);
	buf_add(
	    out, (str){ p + 12, (size_t)((const char *)at + 5 - (p + 12)) });
	buf_add(out, buf_str(&rrs));
	(void)n;
out:
	buf_fini(&q);
	buf_fini(&rrs);
}

/* Do what the server has to do now. */
static void
serve(void)
{
	struct pollfd p[3] = { { udp, POLLIN, 0 }, { tcp, POLLIN, 0 },
		{ conn, POLLIN, 0 } };
	struct buf out = { 0 };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char b[1024];
	ssize_t n;

	if (poll(p, 3, 2) <= 0)
		return;
	if (p[0].revents) {
		n = recvfrom(
		    udp, b, sizeof(b), 0, (struct sockaddr *)&from, &len);
		reply(&out, b, (size_t)n, false);
		if (out.n > 0)
			CHECK(sendto(udp, out.p, out.n, 0,
				  (struct sockaddr *)&from, len) > 0);
	}
	if (p[1].revents) {
		if (conn != -1)
			close(conn);
		conn = accept(tcp, NULL, NULL);
	} else if (p[2].revents) {
		n = read(conn, b, sizeof(b));
		if (n > 14) {
			buf_add(&out, STR("\0\0"));
			reply(&out, b + 2, (size_t)n - 2, true);
			out.p[0] = (char)((out.n - 2) >> 8);
			out.p[1] = (char)(out.n - 2);
			CHECK(write(conn, out.p, out.n) == (ssize_t)out.n);
		} else {
			close(conn);
			conn = -1;
		}
	}
	buf_fini(&out);
}

struct result {
	struct buf text;
	int n;
};

static void
take(void *arg, const struct dns_answer *a)
{
	struct result *r = arg;

	r->n++;
	if (a->error != NULL) {
		buf_printf(&r->text, "! %s", a->error);
		return;
	}
	buf_printf(&r->text, "%zu", a->n);
	for (size_t i = 0; i < a->n && i < 5; i++)
		buf_printf(&r->text, " %.*s:%d", STR_ARG(a->v[i].target),
		    a->v[i].port);
}

static void
run(struct dns *d, struct result *r, int n)
{
	struct pollfd p[16];

	for (int i = 0; i < 5000 && r->n < n; i++) {
		CHECK(dns_step(d) >= 0 || r->n == n);
		CHECK(r->n == n || dns_fds(d, p, 16) > 0 || dns_step(d) >= 0);
		if (r->n < n)
			serve();
	}
	CHECK(r->n == n);
}

static void
is(struct dns *d, const char *q, enum dns_type type, const char *want)
{
	struct result r = { 0 };
	bool same;

	dns_ask(d, str_of(q), type, take, &r);
	run(d, &r, 1);
	same = strcmp(buf_cstr(&r.text), want) == 0;
	if (!same)
		printf("# %s got  %s\n# want %s\n", q, buf_cstr(&r.text), want);
	CHECK(same);
	CHECK(dns_step(d) == -1);
	buf_fini(&r.text);
}

static void
types(struct dns *d)
{
	is(d, "a.test.", DNS_A, "2 127.0.0.1:0 10.0.0.255:0");
	is(d, "six.test.", DNS_AAAA, "2 ::1:0 10.0.0.1:0");
	is(d, "_s._tcp.test.", DNS_SRV, "2 h1.test.:8080 h\\\".test.:80");
	is(d, "ns.test.", DNS_NS, "1 n1.test.:0");
	is(d, "mx.test.", DNS_MX, "1 m1.test.:0");
	is(d, "big.test.", DNS_SRV,
	    "1000 h.test.:80 h.test.:80 h.test.:80 h.test.:80 h.test.:80");
}

static void
faults(struct dns *d)
{
	is(d, "empty.test.", DNS_A, "0");
	is(d, "none.test.", DNS_A, "0");
	is(d, "fail.test.", DNS_A, "! no server has an answer");
	is(d, "junk.test.", DNS_A, "! the server's answer is no DNS message");
	is(d, "short.test.", DNS_A, "! the server's answer is no DNS message");
	is(d, "a..test.", DNS_A, "! Misformatted domain name");
}

/* The search list of resolv.conf, which is x.test and y.test. */
static void
search(struct dns *d)
{
	buf_reset(&log_);
	is(d, "db", DNS_A, "1 127.0.0.2:0");
	CHECK_STR(buf_str(&log_), "db.x.test/1\ndb.y.test/1\n");
	buf_reset(&log_);
	is(d, "db.cluster", DNS_A, "1 127.0.0.2:0");
	CHECK_STR(buf_str(&log_),
	    "db.cluster/1\ndb.cluster.x.test/1\ndb.cluster.y.test/1\n");
	/* one that fails does not hide one that answers */
	buf_reset(&log_);
	is(d, "a.test", DNS_A, "2 127.0.0.1:0 10.0.0.255:0");
	is(d, "fail", DNS_A, "! no server has an answer");
}

/* More at once than are asked at once; and what is under way is dropped. */
static void
many(struct dns *d)
{
	struct result r = { 0 };

	for (int i = 0; i < 300; i++)
		dns_ask(d, STR("none.test."), DNS_A, take, &r);
	run(d, &r, 300);
	CHECK(dns_step(d) == -1);
	dns_ask(d, STR("drop.test."), DNS_A, take, &r);
	dns_ask(d, STR("drop.test."), DNS_MX, take, &r);
	for (int i = 0; i < 5; i++) {
		CHECK(dns_step(d) > 0);
		serve();
	}
	dns_ask(d, STR("late.test."), DNS_A, take, &r);
	CHECK(r.n == 300);
	dns_free(d);
	CHECK(r.n == 300);
	buf_fini(&r.text);
}

/* Every beginning of a message, and every byte of it another one. */
static void
broken(void)
{
	char b[] = "\1\2\x81\x80\0\1\0\2\0\0\0\0\1a\0\0\x21\0\1"
		   "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x0a\0\1\0\1\0\x50\1b\xc0\x0c"
		   "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x09\0\1\0\1\0\x50\1c\0";
	const struct dns_record *v;
	struct arena a = { 0 };
	struct error e;
	size_t n;

	CHECK(dns_records(&a, (str){ b, sizeof(b) - 1 }, DNS_SRV, &v, &n, &e) ==
	    0);
	CHECK(n == 2 && v[0].port == 80);
	CHECK_STR(v[0].target, "b.a.");
	CHECK_STR(v[1].target, "c.");
	for (size_t i = 0; i < sizeof(b) - 1; i++)
		CHECK(
		    dns_records(&a, (str){ b, i }, DNS_SRV, &v, &n, &e) == -1);
	for (size_t i = 0; i < sizeof(b) - 1; i++)
		for (int k = 1; k < 256; k++) {
			b[i] = (char)(b[i] ^ k);
			(void)dns_records(
			    &a, (str){ b, sizeof(b) - 1 }, DNS_SRV, &v, &n, &e);
			b[i] = (char)(b[i] ^ k);
		}
	arena_fini(&a);
}

int
main(void)
{
	struct error e;
	struct dns *d;
	int fd = mkstemp(resolv);

	CHECK(dprintf(fd, "search x.test y.test\noptions ndots:1\n") > 0);
	close(fd);
	server_open();
	CHECK(dns_new("nowhere:53", NULL, &e) == NULL);
	CHECK_STR(
	    str_of(e.msg), "DNS server 'nowhere:53': expected ADDRESS:PORT");
	d = dns_new(server_at, resolv, &e);
	CHECK(d != NULL && dns_step(d) == -1);
	types(d);
	faults(d);
	search(d);
	broken();
	many(d);
	unlink(resolv);
	buf_fini(&log_);
	return done();
}
