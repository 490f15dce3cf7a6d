/*
 * DNS over libcares.  Of it the questions, retries and sockets are taken; the
 * search list is walked here, since for discovery it matters why a name gave
 * nothing: "no such name" from everyone is an answer, a server that fails is
 * not.  The channel lives as long as questions are under way.
 */
#include "net/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <ares.h>

#include "base/buf.h"
#include "base/mem.h"

#define MAX_ASKED 64 /* at once: answers must fit into a socket's buffer */
#define TIMEOUT 1500 /* ms for all servers, doubled for the second try */
#define TIMEOUT_MIN 300
#define TRIES 2
#define EDNS_SIZE 1232 /* what passes everywhere in one piece */
#define NAMES_MAX 32   /* a name with each of the search list */

struct question {
	TAILQ_ENTRY(question) entry;
	struct dns *d;
	struct arena a;
	str name;
	enum dns_type type;
	void (*done)(void *arg, const struct dns_answer *a);
	void *arg;
	char *names[NAMES_MAX];
	size_t nnames, at;
	const char *failed; /* the last error of a server, or NULL */
};

TAILQ_HEAD(questions, question);

struct dns {
	char *server, *resolv_conf; /* or NULL */
	ares_channel channel;       /* NULL: nothing is asked */
	bool stopping;
	struct questions waiting;
	size_t nasked, nwaiting;
};

static char *
copy(const char *z)
{
	return z == NULL ? NULL : mem_cstr(str_of(z));
}

/* libcares takes any number; an IPv6 address without brackets has no port. */
static bool
port_valid(const char *server)
{
	const char *colon = strrchr(server, ':'), *bad = NULL;

	if (colon == NULL || (colon != strchr(server, ':') && colon[-1] != ']'))
		return true;
	(void)strtonum(colon + 1, 1, 65535, &bad);
	return bad == NULL;
}

/*
 * The servers share the time that one alone would have, so that those that are
 * dead do not make a question wait the longer the more they are.  Who answers
 * late is heard all the same, while others are asked.
 */
static int
share(ares_channel channel)
{
	struct ares_addr_port_node *list = NULL;
	int n = 0;

	if (ares_get_servers_ports(channel, &list) != ARES_SUCCESS)
		return TIMEOUT;
	for (const struct ares_addr_port_node *s = list; s; s = s->next)
		n++;
	ares_free_data(list);
	if (n <= 1)
		return TIMEOUT;
	return TIMEOUT / n > TIMEOUT_MIN ? TIMEOUT / n : TIMEOUT_MIN;
}

static int
channel_init(struct dns *d, int timeout)
{
	struct ares_options o = { .flags = ARES_FLAG_EDNS,
		.timeout = timeout,
		.tries = TRIES,
		.ednspsz = EDNS_SIZE,
		.resolvconf_path = d->resolv_conf };
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
	    ARES_OPT_EDNSPSZ;

	if (d->resolv_conf != NULL)
		mask |= ARES_OPT_RESOLVCONF;
	return ares_init_options(&d->channel, &o, mask);
}

static int
channel_open(struct dns *d, struct error *e)
{
	int r = channel_init(d, TIMEOUT), timeout;

	if (r == ARES_SUCCESS && d->server == NULL &&
	    (timeout = share(d->channel)) != TIMEOUT) {
		ares_destroy(d->channel);
		r = channel_init(d, timeout);
	}
	if (r == ARES_SUCCESS && d->server != NULL) {
		r = ares_set_servers_ports_csv(d->channel, d->server);
		if (r != ARES_SUCCESS || !port_valid(d->server)) {
			ares_destroy(d->channel);
			d->channel = NULL;
			return error_set(e,
			    "DNS server '%s': expected ADDRESS or ADDRESS:PORT",
			    d->server);
		}
	}
	if (r == ARES_SUCCESS)
		return 0;
	d->channel = NULL;
	return error_set(e, "cannot start DNS: %s", ares_strerror(r));
}

static void
channel_close(struct dns *d)
{
	if (d->channel != NULL)
		ares_destroy(d->channel);
	d->channel = NULL;
}

struct dns *
dns_new(const char *server, const char *resolv_conf, struct error *e)
{
	struct dns *d = mem_zero(1, sizeof(*d));

	TAILQ_INIT(&d->waiting);
	d->server = copy(server);
	d->resolv_conf = copy(resolv_conf);
	(void)ares_library_init(ARES_LIB_INIT_ALL);
	if (server != NULL && channel_open(d, e) == -1) {
		dns_free(d);
		return NULL;
	}
	channel_close(d);
	return d;
}

static void
question_free(struct question *q)
{
	arena_fini(&q->a);
	free(q);
}

void
dns_free(struct dns *d)
{
	struct question *q;

	if (d == NULL)
		return;
	d->stopping = true;
	channel_close(d);
	while ((q = TAILQ_FIRST(&d->waiting)) != NULL) {
		TAILQ_REMOVE(&d->waiting, q, entry);
		question_free(q);
	}
	ares_library_cleanup();
	free(d->server);
	free(d->resolv_conf);
	free(d);
}

void
dns_ask(struct dns *d, str name, enum dns_type type,
    void (*done)(void *arg, const struct dns_answer *a), void *arg)
{
	struct question *q = mem_zero(1, sizeof(*q));

	*q =
	    (struct question){ .d = d, .type = type, .done = done, .arg = arg };
	q->name = arena_dup(&q->a, name);
	TAILQ_INSERT_TAIL(&d->waiting, q, entry);
	d->nwaiting++;
}

static unsigned
u16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/*
 * The name at p in a message: the bytes it takes there, or -1.  With out it is
 * added to it, ended by a dot.
 */
static long
name_at(const unsigned char *p, str m, struct buf *out)
{
	char *z;
	long n;

	if (ares_expand_name(p, (const unsigned char *)m.p, (int)m.n, &z, &n) !=
	    ARES_SUCCESS)
		return -1;
	if (out != NULL) {
		buf_z(out, z);
		if (out->n == 0 || out->p[out->n - 1] != '.')
			buf_byte(out, '.');
	}
	ares_free_string(z);
	return n;
}

/* An address as Go prints it: an IPv4 one inside IPv6 is one of IPv4. */
static int
address(int family, const unsigned char *p, size_t n, struct buf *out)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];

	if (n != (family == AF_INET ? 4 : 16))
		return -1;
	if (family == AF_INET6 && memcmp(p, mapped, sizeof(mapped)) == 0) {
		family = AF_INET;
		p += sizeof(mapped);
	}
	if (inet_ntop(family, p, text, sizeof(text)) == NULL)
		return -1;
	buf_z(out, text);
	return 0;
}

/* What a record of n bytes at p says. */
static int
record(enum dns_type type, const unsigned char *p, size_t n, str m,
    struct buf *out, int *port)
{
	size_t head = 0;
	long len;

	switch (type) {
	case DNS_A:
		return address(AF_INET, p, n, out);
	case DNS_AAAA:
		return address(AF_INET6, p, n, out);
	case DNS_SRV:
		head = 6;
		if (n > head)
			*port = (int)u16(p + 4);
		break;
	case DNS_MX:
		head = 2;
		break;
	case DNS_NS:
		break;
	}
	if (n <= head)
		return -1;
	len = name_at(p + head, m, out);
	return len == (long)(n - head) ? 0 : -1;
}

/*
 * The next record of a message, with its name passed over: 1 and where its
 * data are, 0 if they would end outside.
 */
static int
record_at(str m, size_t *at, unsigned *type, unsigned *class, size_t *len)
{
	const unsigned char *p = (const unsigned char *)m.p;
	long n = *at < m.n ? name_at(p + *at, m, NULL) : -1;

	if (n == -1 || m.n - *at < (size_t)n + 10)
		return 0;
	*at += (size_t)n + 10;
	p += *at;
	*type = u16(p - 10);
	*class = u16(p - 8);
	*len = u16(p - 2);
	return *len <= m.n - *at;
}

int
dns_records(struct arena *a, str m, enum dns_type type,
    const struct dns_record **out, size_t *n, struct error *e)
{
	const unsigned char *p = (const unsigned char *)m.p;
	size_t at = 12, len, cap = 0;
	struct dns_record *v = NULL;
	struct buf b = { 0 };
	unsigned left, t, class;
	int rc = -1;
	long skip;

	*n = 0;
	if (m.n < at || m.n > 65535)
		goto out;
	for (left = u16(p + 4); left > 0; left--, at += (size_t)skip + 4)
		if (at >= m.n || (skip = name_at(p + at, m, NULL)) == -1)
			goto out;
	for (left = u16(p + 6); left > 0; left--, at += len) {
		struct dns_record r = { 0 };

		if (!record_at(m, &at, &t, &class, &len))
			goto out;
		if (t != (unsigned)type || class != ns_c_in)
			continue;
		buf_reset(&b);
		if (record(type, p + at, len, m, &b, &r.port) == -1)
			goto out;
		r.target = arena_dup(a, buf_str(&b));
		v = arena_grow(a, v, &cap, *n + 1, sizeof(*v));
		v[(*n)++] = r;
	}
	rc = 0;
out:
	*out = v;
	buf_fini(&b);
	if (rc == -1)
		error_set(e, "the server's answer is no DNS message");
	return rc;
}

static void ask_next(struct question *q);

/* Tell what came of a question, and forget it. */
static void
answer(struct question *q, const struct dns_answer *a)
{
	q->d->nasked--;
	q->done(q->arg, a);
	question_free(q);
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *message, int len)
{
	struct question *q = arg;
	struct dns_answer a = { 0 };
	struct error e;

	(void)timeouts;
	if (q->d->stopping) {
		question_free(q);
		return;
	}
	if (status == ARES_ENODATA) { /* the name is there, without any */
		answer(q, &a);
		return;
	}
	if (status == ARES_SUCCESS && message != NULL) {
		if (dns_records(&q->a,
			(str){ (const char *)message, (size_t)len }, q->type,
			&a.v, &a.n, &e) == -1)
			a.error = e.msg;
		answer(q, &a);
		return;
	}
	if (status ==
	    ARES_ECONNREFUSED) /* SERVFAIL and the like are that too */
		q->failed = "no server has an answer";
	else if (status != ARES_ENOTFOUND)
		q->failed = ares_strerror(status);
	q->at++;
	ask_next(q);
}

static void
ask_next(struct question *q)
{
	struct dns_answer a = { 0 };

	if (q->at < q->nnames) {
		ares_query(q->d->channel, q->names[q->at], ns_c_in,
		    (int)q->type, on_answer, q);
		return;
	}
	a.error = q->failed;
	answer(q, &a);
}

static void
add_name(struct question *q, const char *suffix)
{
	str name = q->name;

	if (q->nnames == NAMES_MAX)
		return;
	while (suffix[0] == '.')
		suffix++;
	q->names[q->nnames++] = arena_cstr(&q->a,
	    suffix[0] == '\0'
		? arena_printf(&q->a, "%.*s", STR_ARG(name))
		: arena_printf(&q->a, "%.*s.%s", STR_ARG(name), suffix));
}

/* The names to try: as resolver(5) does, with enough dots as it is first. */
static void
make_names(struct question *q)
{
	struct ares_options o = { 0 };
	int mask = 0, dots = 0;
	bool first;

	if (str_ends(q->name, STR(".")) ||
	    ares_save_options(q->d->channel, &o, &mask) != ARES_SUCCESS) {
		add_name(q, "");
		return;
	}
	for (size_t i = 0; i < q->name.n; i++)
		dots += q->name.p[i] == '.';
	first = dots >= o.ndots;
	if (first)
		add_name(q, "");
	for (int i = 0; i < o.ndomains; i++)
		add_name(q, o.domains[i]);
	if (!first)
		add_name(q, "");
	ares_destroy_options(&o);
}

static void
begin(struct dns *d)
{
	struct question *q;
	struct error e;

	while (d->nasked < MAX_ASKED && (q = TAILQ_FIRST(&d->waiting))) {
		TAILQ_REMOVE(&d->waiting, q, entry);
		d->nwaiting--;
		d->nasked++;
		if (d->channel == NULL && channel_open(d, &e) == -1) {
			answer(q, &(struct dns_answer){ .error = e.msg });
			continue;
		}
		make_names(q);
		ask_next(q);
	}
}

size_t
dns_fds(const struct dns *d, struct pollfd *p, size_t max)
{
	ares_socket_t s[ARES_GETSOCK_MAXNUM];
	size_t n = 0;
	unsigned bits;

	if (d->channel == NULL)
		return 0;
	bits = (unsigned)ares_getsock(d->channel, s, ARES_GETSOCK_MAXNUM);
	for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM && n < max; i++) {
		short events = 0;

		if (bits >> i & 1)
			events |= POLLIN;
		if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
			events |= POLLOUT;
		if (events != 0)
			p[n++] =
			    (struct pollfd){ .fd = s[i], .events = events };
	}
	return n;
}

int64_t
dns_step(struct dns *d)
{
	struct pollfd p[ARES_GETSOCK_MAXNUM];
	struct timeval tv;
	size_t n = dns_fds(d, p, ARES_GETSOCK_MAXNUM);

	if (n > 0 && poll(p, (nfds_t)n, 0) > 0)
		for (size_t i = 0; i < n; i++)
			ares_process_fd(d->channel,
			    p[i].revents & ~POLLOUT ? p[i].fd : ARES_SOCKET_BAD,
			    p[i].revents & POLLOUT ? p[i].fd : ARES_SOCKET_BAD);
	if (d->channel != NULL) /* what has waited too long */
		ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	begin(d);
	if (d->nasked == 0) {
		channel_close(d);
		return d->nwaiting > 0 ? 0 : -1;
	}
	if (ares_timeout(d->channel, NULL, &tv) == NULL)
		return TIMEOUT;
	return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1;
}
