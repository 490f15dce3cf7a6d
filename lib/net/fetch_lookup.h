/*
 * Inside of fetch: the addresses of a host.  A number is one at once; a name
 * is asked for by a thread of its own, as getaddrinfo(3) blocks, which says
 * when it is done by a descriptor.
 */
#ifndef NET_FETCH_LOOKUP_H
#define NET_FETCH_LOOKUP_H

#include <netinet/in.h>

#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"

#define FETCH_ADDRESSES 8

struct fetch_address {
	socklen_t n;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
};

struct fetch_lookup;

/* Is host a number, without brackets?  Then its address. */
bool fetch_number(const char *host, int port, struct fetch_address *a);

/* Ask for a name; NULL and the message. */
struct fetch_lookup *fetch_lookup(const char *host, int port, struct error *e);

/* Readable when it is over. */
int fetch_lookup_fd(const struct fetch_lookup *l);

/* How many addresses there are; -1 and the message.  Only when it is over. */
int fetch_lookup_take(struct fetch_lookup *l,
    struct fetch_address a[FETCH_ADDRESSES], struct error *e);

/* Forget it; it may be under way. */
void fetch_lookup_drop(struct fetch_lookup *l);

#endif
