#include "net/listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define BACKLOG 511

static int
fail(int fd, const char *address, struct error *e)
{
	error_errno(e, "cannot listen on %s", address);
	if (fd != -1)
		close(fd);
	return -1;
}

static int
open_unix(const char *address, char name[LISTEN_NAME], struct error *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const struct sockaddr *sa = (const struct sockaddr *)&a;
	const char *path = address + strlen("unix:");
	struct stat st;
	int fd;

	if (*path == '\0' || strlen(path) >= sizeof(a.sun_path) ||
	    strlen(address) >= LISTEN_NAME)
		return error_set(e, "cannot listen on %s: bad path", address);
	strlcpy(a.sun_path, path, sizeof(a.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return fail(fd, address, e);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		if (connect(fd, sa, sizeof(a)) == 0) {
			errno = EADDRINUSE;
			return fail(fd, address, e);
		}
		if (errno == ECONNREFUSED)
			unlink(path);
	}
	if (bind(fd, sa, sizeof(a)) == -1 || listen(fd, BACKLOG) == -1)
		return fail(fd, address, e);
	snprintf(name, LISTEN_NAME, "%s", address);
	return fd;
}

static int
bind_to(const struct addrinfo *ai)
{
	int on = 1, off = 0, saved;
	int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void
print_name(int fd, char name[LISTEN_NAME])
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	char host[INET6_ADDRSTRLEN] = "";

	memset(&ss, 0, sizeof(ss));
	getsockname(fd, (struct sockaddr *)&ss, &n);
	if (ss.ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const void *)&ss;

		inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof(host));
		snprintf(
		    name, LISTEN_NAME, "[%s]:%d", host, ntohs(a->sin6_port));
	} else {
		const struct sockaddr_in *a = (const void *)&ss;

		inet_ntop(AF_INET, &a->sin_addr, host, sizeof(host));
		snprintf(name, LISTEN_NAME, "%s:%d", host, ntohs(a->sin_port));
	}
}

/* HOST and PORT of an address, brackets taken off; false if malformed. */
static bool
split(str s, char host[256], char port[6], uint16_t *number)
{
	size_t colon = s.n;
	unsigned n = 0;
	str h, p;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	h = str_take(s, colon - 1);
	p = str_skip(s, colon);
	if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = (str){ h.p + 1, h.n - 2 };
	else if (str_chr(h, ':') < h.n)
		return false;
	if (h.n >= 256 || p.n == 0 || p.n > 5)
		return false;
	for (size_t i = 0; i < p.n; i++) {
		if (p.p[i] < '0' || p.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(p.p[i] - '0');
	}
	if (n > UINT16_MAX)
		return false;
	*number = (uint16_t)n;
	snprintf(host, 256, "%.*s", STR_ARG(h));
	snprintf(port, 6, "%.*s", STR_ARG(p));
	return true;
}

static int
lookup(const char *host, const char *port, struct addrinfo **out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST };
	int rc;

	if (*host == '\0') {
		hints.ai_family = AF_INET6;
		return getaddrinfo(NULL, port, &hints, out);
	}
	/* Names are asked for only if need be: NSS is slow to load. */
	if ((rc = getaddrinfo(host, port, &hints, out)) != EAI_NONAME)
		return rc;
	hints.ai_flags &= ~AI_NUMERICHOST;
	return getaddrinfo(host, port, &hints, out);
}

bool
listen_valid(const char *address)
{
	char host[256], port[6];
	uint16_t number;

	if (strncmp(address, "unix:", 5) == 0)
		return address[5] != '\0';
	return split(str_of(address), host, port, &number);
}

int
listen_open(const char *address, char name[LISTEN_NAME], struct error *e)
{
	struct addrinfo *ai;
	char host[256], port[6];
	uint16_t number;
	int fd = -1, rc;

	if (strncmp(address, "unix:", 5) == 0)
		return open_unix(address, name, e);
	if (!split(str_of(address), host, port, &number))
		return error_set(e,
		    "bad address '%s': must be HOST:PORT, :PORT or unix:PATH",
		    address);
	rc = lookup(host, port, &ai);
	if (rc != 0)
		return error_set(
		    e, "cannot listen on %s: %s", address, gai_strerror(rc));
	for (struct addrinfo *p = ai; p != NULL && fd == -1; p = p->ai_next)
		fd = bind_to(p);
	freeaddrinfo(ai);
	if (fd == -1 && *host == '\0' && errno == EAFNOSUPPORT) {
		struct sockaddr_in a = { .sin_family = AF_INET,
			.sin_port = htons(number) };
		struct addrinfo v4 = { .ai_family = AF_INET,
			.ai_addr = (struct sockaddr *)&a,
			.ai_addrlen = sizeof(a) };

		fd = bind_to(&v4);
	}
	if (fd == -1)
		return fail(fd, address, e);
	print_name(fd, name);
	return fd;
}
