/*
 * libcurl's multi handles.  Each second that it begins a request, libcurl asks
 * the kernel about every idle connection of that handle: a fleet that is asked
 * every 15 s would be looked over 15 times for one use.  So the connections
 * are spread over many handles by their host, and such a look finds few.
 *
 * Each costs 32 KB and two descriptors, so there is one alone where descriptors
 * are scarce, and else a new one is made only for a host that needs it.
 */
#include <sys/epoll.h>
#include <sys/resource.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/fetch_impl.h"

#define MANY 4096 /* descriptors */
#define MULTIS 256

long
fetch_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1)
		return 256;
	if (l.rlim_cur < 192)
		return 192;
	return l.rlim_cur > 65536 ? 65536 : (long)l.rlim_cur;
}

void
fetch_multi_load(struct fetch *f)
{
	f->nmultis = fetch_descriptors() < MANY ? 1 : MULTIS;
	f->multis = mem_zero(f->nmultis, sizeof(*f->multis));
	f->used = mem_zero(f->nmultis, sizeof(*f->used));
}

void
fetch_multi_fini(struct fetch *f)
{
	for (size_t i = 0; i < f->nused; i++)
		f->curl.multi_cleanup(f->used[i]->curl);
	free(f->multis);
	free(f->used);
}

/* libcurl says what it waits for on a socket; known: whether we have it. */
static int
on_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *known)
{
	struct fetch_multi *m = arg;
	struct fetch *f = m->fetch;
	struct epoll_event ev = { .events = 0 };

	(void)easy;
	ev.data.u64 = (uint64_t)(m - f->multis) << 32 | (uint32_t)s;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(f->ep, EPOLL_CTL_DEL, s, &ev);
		return 0;
	}
	if (what & CURL_POLL_IN)
		ev.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(f->ep, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s, &ev) ==
	    -1)
		(void)epoll_ctl(
		    f->ep, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, s, &ev);
	if (known == NULL)
		f->curl.multi_assign(m->curl, s, m);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct fetch_multi *m = arg;

	(void)multi;
	m->due = ms < 0 ? -1 : fetch_now(m->fetch) + ms * INT64_C(1000000);
	return 0;
}

/*
 * Connections that may stay open: what descriptors there are, but for some.
 * With one handle an idle connection makes room for a new one at the limit;
 * with many the half of all that may be idle is far from it.
 */
static void
limit(struct fetch *f, CURLM *curl)
{
	struct fetch_curl *c = &f->curl;
	long have = fetch_descriptors(),
	     n = f->nmultis > 1 ? have / 2 / (long)f->nmultis
	    : have < 256        ? have / 4
				: have - 128;

	n = n < 1 ? 1 : n; /* 0 would be no limit */
	c->multi_setopt(curl, CURLMOPT_MAXCONNECTS, n);
	if (f->nmultis == 1)
		c->multi_setopt(curl, CURLMOPT_MAX_TOTAL_CONNECTIONS, n);
}

struct fetch_multi *
fetch_multi_of(struct fetch *f, str url)
{
	str rest = str_skip(url, str_find(url, STR("//")) + 2);
	str host = str_take(rest, str_chr(rest, '/'));
	struct fetch_multi *m = &f->multis[str_hash(host) % f->nmultis];
	struct fetch_curl *c = &f->curl;

	if (m->curl != NULL)
		return m;
	if ((m->curl = c->multi_init()) == NULL)
		return NULL;
	m->fetch = f;
	m->due = -1;
	f->used[f->nused++] = m;
	limit(f, m->curl);
	c->multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
	c->multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	c->multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_timer);
	c->multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
	return m;
}

int64_t
fetch_multi_due(const struct fetch *f)
{
	int64_t due = -1;

	for (size_t i = 0; i < f->nused; i++) {
		int64_t d = f->used[i]->due;

		if (d != -1 && (due == -1 || d < due))
			due = d;
	}
	return due;
}
