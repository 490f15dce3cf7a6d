/*
 * DNS against a server in this process, which is as bad as the name asked for
 * says; the real one is in tests/mf-scrape-discovery.bats.
 */
#include "check.h"

#include <stdlib.h>

#include "dns_server.h"
#include "net/dns.h"

static char resolv[] = "/tmp/mf-dns-XXXXXX";

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
	b[24] = 3; /* of another class */
	CHECK(dns_records(&a, (str){ b, sizeof(b) - 1 }, DNS_SRV, &v, &n, &e) ==
	    0);
	CHECK(n == 1);
	CHECK_STR(v[0].target, "c.");
	b[24] = 1;
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

/* Servers that are dead: the more they are, the sooner the next is asked. */
static void
shared(void)
{
	static const struct {
		const char *servers;
		int64_t least, most;
	} t[] = {
		{ "nameserver 127.9.9.1\n", 1000, 1501 },
		{ "nameserver 127.9.9.1\nnameserver 127.9.9.2\n", 500, 751 },
		{ "nameserver 127.9.9.1\nnameserver 127.9.9.2\n"
		  "nameserver 127.9.9.3\n",
		    300, 501 },
	};
	char path[] = "/tmp/mf-dns-XXXXXX";
	struct result r = { 0 };
	struct error e;

	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		FILE *f = fopen(path, "w");
		struct dns *d = dns_new(NULL, path, &e);
		int64_t ms;

		fputs(t[i].servers, f);
		fclose(f);
		dns_ask(d, STR("a.test."), DNS_A, take, &r);
		ms = dns_step(d);
		CHECK(ms > t[i].least && ms <= t[i].most);
		dns_free(d);
	}
	CHECK(r.n == 0);
	unlink(path);
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
	CHECK_STR(str_of(e.msg),
	    "DNS server 'nowhere:53': expected ADDRESS or ADDRESS:PORT");
	d = dns_new(server_at, resolv, &e);
	CHECK(d != NULL && dns_step(d) == -1);
	types(d);
	faults(d);
	search(d);
	broken();
	many(d);
	shared();
	unlink(resolv);
	buf_fini(&log_);
	return done();
}
