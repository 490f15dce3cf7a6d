#include "net/fetch_lookup.h"

#include <arpa/inet.h>
#include <sys/eventfd.h>

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Shared by the asker and the thread; the last of them frees it. */
struct fetch_lookup {
	atomic_int users;
	int fd;
	char host[256], port[8];
	int rc;
	struct addrinfo *list;
};

bool
fetch_number(const char *host, int port, struct fetch_address *a)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, host, &a->u.v4.sin_addr) == 1) {
		a->n = sizeof(a->u.v4);
		a->u.v4.sin_family = AF_INET;
		a->u.v4.sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, host, &a->u.v6.sin6_addr) == 1) {
		a->n = sizeof(a->u.v6);
		a->u.v6.sin6_family = AF_INET6;
		a->u.v6.sin6_port = htons((uint16_t)port);
		return true;
	}
	return false;
}

void
fetch_lookup_drop(struct fetch_lookup *l)
{
	if (l == NULL || atomic_fetch_sub(&l->users, 1) > 1)
		return;
	if (l->list != NULL)
		freeaddrinfo(l->list);
	(void)close(l->fd);
	free(l);
}

static void *
run(void *arg)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct fetch_lookup *l = arg;
	uint64_t one = 1;

	l->rc = getaddrinfo(l->host, l->port, &hints, &l->list);
	if (write(l->fd, &one, sizeof(one)) == -1)
		l->rc = EAI_SYSTEM; /* can't be: the counter is at 0 */
	fetch_lookup_drop(l);
	return NULL;
}

/* Signals are for the program's own threads. */
static int
start(struct fetch_lookup *l)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t t;
	int rc;

	if ((rc = pthread_attr_init(&attr)) != 0)
		return rc;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, (size_t)256 << 10);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&t, &attr, run, l);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return rc;
}

struct fetch_lookup *
fetch_lookup(const char *host, int port, struct error *e)
{
	struct fetch_lookup *l = mem_zero(1, sizeof(*l));

	atomic_init(&l->users, 2);
	if ((size_t)snprintf(l->host, sizeof(l->host), "%s", host) >=
	    sizeof(l->host)) {
		error_set(e, "the host's name is too long");
		free(l);
		return NULL;
	}
	(void)snprintf(l->port, sizeof(l->port), "%d", port);
	l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->fd == -1) {
		error_errno(e, "eventfd");
		free(l);
		return NULL;
	}
	if ((errno = start(l)) != 0) {
		error_errno(e, "cannot look up %s", host);
		(void)close(l->fd);
		free(l);
		return NULL;
	}
	return l;
}

int
fetch_lookup_fd(const struct fetch_lookup *l)
{
	return l->fd;
}

int
fetch_lookup_take(struct fetch_lookup *l,
    struct fetch_address a[FETCH_ADDRESSES], struct error *e)
{
	int n = 0;

	if (l->rc != 0)
		return error_set(e, "Could not resolve host: %s (%s)", l->host,
		    gai_strerror(l->rc));
	for (const struct addrinfo *i = l->list;
	     i != NULL && n < FETCH_ADDRESSES; i = i->ai_next) {
		if (i->ai_addrlen > sizeof(a[n].u))
			continue;
		memset(&a[n], 0, sizeof(a[n]));
		a[n].n = i->ai_addrlen;
		memcpy(&a[n++].u, i->ai_addr, i->ai_addrlen);
	}
	return n > 0 ? n : error_set(e, "Could not resolve host: %s", l->host);
}
