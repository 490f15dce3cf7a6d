/*
 * Questions to the domain name system, many at once, over libcares.  The
 * servers and the search list are resolv.conf's, read anew whenever a question
 * comes and none is under way; a truncated answer is asked for again over TCP.
 *
 * Nothing is asked and no callback is called but inside dns_step().
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <poll.h>

#include "base/arena.h"
#include "base/error.h"

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_MX = 15,
	DNS_AAAA = 28,
	DNS_SRV = 33,
};

struct dns_record {
	str target; /* of A and AAAA the address as text, else NAME. */
	int port;   /* of SRV */
};

/* Valid inside the callback only. */
struct dns_answer {
	const char *error; /* NULL: there is an answer */
	/* records of the type asked for; none if no such name exists */
	const struct dns_record *v;
	size_t n;
};

struct dns;

/*
 * server is ADDRESS:PORT or ADDRESS ("[::1]:53"), NULL: those of resolv_conf;
 * resolv_conf NULL: the system's.
 */
struct dns *dns_new(
    const char *server, const char *resolv_conf, struct error *e);

/* Callbacks of what is under way are not called. */
void dns_free(struct dns *d);

/*
 * Ask for the records of a name (copied), which is completed as resolv.conf
 * says unless it ends in a dot.  The first of the names so made that any
 * server knows is the answer; if each is known not to exist it is an empty
 * one; otherwise an error.
 */
void dns_ask(struct dns *d, str name, enum dns_type type,
    void (*done)(void *arg, const struct dns_answer *a), void *arg);

/* Do what is due; the ms after which to call again, -1: nothing is asked. */
int64_t dns_step(struct dns *d);

/* Descriptors to poll, at most max; when one is ready: step. */
size_t dns_fds(const struct dns *d, struct pollfd *p, size_t max);

/* The records of a type in a message, in its order, as dns_step() reads them.
 */
int dns_records(struct arena *a, str message, enum dns_type type,
    const struct dns_record **v, size_t *n, struct error *e);

#endif
