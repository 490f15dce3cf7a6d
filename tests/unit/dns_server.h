/*
 * A name server for tests, in this process, which is as bad as the name asked
 * for says; call serve() again and again.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/dns.h"

static int udp, tcp, conn = -1;
static char server_at[32];
static int phase;       /* what vary.test says */
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
	if (str_eq(q, STR("null.test"))) {
		rr_name(b, 15, "\0\5", 2, STR(""));
		return 1;
	}
	if (str_eq(q, STR("vary.test"))) {
		if (phase > 1)
			return phase == 2 ? -2 : phase == 3 ? -3 : 0;
		rr(b, 1, phase == 0 ? STR("\x0a\0\0\1") : STR("\x0a\0\0\2"));
		rr(b, 1, phase == 1 ? STR("\x0a\0\0\1") : STR("\x0a\0\0\2"));
		return 2;
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
