/* net/listen: addresses, taken ports, sockets that a dead process left. */
#include "net/listen.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "check.h"

static struct error e;
static char name[LISTEN_NAME];

/* Opened, not blocking, closed on exec. */
static bool
opens(const char *address, const char *begin)
{
	int fd = listen_open(address, name, &e), on = 0;
	socklen_t n = sizeof(on);
	bool ok = fd != -1 && str_starts(str_of(name), str_of(begin)) &&
	    (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 &&
	    (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;

	if (!ok)
		printf("# %s: %s %s\n", address, name, fd == -1 ? e.msg : "");
	if (fd != -1)
		(void)close(fd);
	return ok;
}

static void
writing(void)
{
	CHECK(listen_valid("127.0.0.1:0") && listen_valid(":80"));
	CHECK(listen_valid("[::1]:80") && listen_valid("unix:/tmp/s"));
	CHECK(!listen_valid("") && !listen_valid("localhost"));
	CHECK(!listen_valid("localhost:") && !listen_valid("unix:"));
	CHECK(!listen_valid("::1:80") && !listen_valid("a:b:c"));
	CHECK(!listen_valid("localhost:65536") && !listen_valid("h:-1"));
}

static void
ports(void)
{
	int fd = listen_open("127.0.0.1:0", name, &e);
	char taken[LISTEN_NAME];

	CHECK(fd != -1 && !str_ends(str_of(name), STR(":0")));
	(void)snprintf(taken, sizeof(taken), "%s", name);
	CHECK(listen_open(taken, name, &e) == -1);
	CHECK(str_find(str_of(e.msg), str_of(taken)) < strlen(e.msg));
	(void)close(fd);
	CHECK(opens("127.0.0.1:0", "127.0.0.1:"));
	CHECK(listen_open("no.such.host.invalid:0", name, &e) == -1);
	CHECK(listen_open("localhost", name, &e) == -1);
	CHECK(listen_open("unix:", name, &e) == -1);
}

static void
sockets(void)
{
	char dir[] = "/tmp/net-listen.XXXXXX", address[64], file[64];
	struct stat st;
	int fd;

	CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(address, sizeof(address), "unix:%s/s", dir);
	(void)snprintf(file, sizeof(file), "%s/s", dir);
	CHECK(opens(address, "unix:"));
	/* nobody serves it any more */
	CHECK(stat(file, &st) == 0 && S_ISSOCK(st.st_mode));
	fd = listen_open(address, name, &e);
	CHECK(fd != -1);
	/* somebody does */
	CHECK(listen_open(address, name, &e) == -1);
	(void)close(fd);
	(void)unlink(file);
	/* a file that is no socket is left alone */
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	CHECK(fd != -1 && close(fd) == 0);
	CHECK(listen_open(address, name, &e) == -1);
	CHECK(stat(file, &st) == 0 && S_ISREG(st.st_mode));
	(void)unlink(file);
	(void)rmdir(dir);
}

int
main(void)
{
	writing();
	ports();
	sockets();
	return done();
}
