/*
 * A server that misbehaves, a way for each path: hangs, breaks off, lies about
 * its type, never ends.  A process a connection; all die with the first.
 */
#include <sys/prctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char text[] = "text/plain; version=0.0.4";

static void
say(int fd, const char *s)
{
	if (send(fd, s, strlen(s), MSG_NOSIGNAL) == -1)
		_exit(0);
}

/* length -1: the whole body; else what is claimed. */
static void
answer(
    int fd, const char *status, const char *type, int length, const char *body)
{
	char head[512];

	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: %s\r\n"
	    "Content-Length: %d\r\n\r\n",
	    status, type, length == -1 ? (int)strlen(body) : length);
	say(fd, head);
	say(fd, body);
}

static void
serve(int fd, const char *path)
{
	if (strcmp(path, "/hang") == 0)
		(void)pause();
	else if (strcmp(path, "/half") == 0)
		answer(fd, "200 OK", text, 1000, "a 1\nb 2\n");
	else if (strcmp(path, "/html") == 0)
		answer(fd, "200 OK", "text/html", -1, "a 1\n");
	else if (strcmp(path, "/untyped") == 0)
		answer(fd, "200 OK", "", -1, "a 1\n");
	else if (strcmp(path, "/busy") == 0)
		answer(fd, "503 Service Unavailable", text, -1, "a 1\n");
	else if (strcmp(path, "/om") == 0)
		answer(fd, "200 OK", "application/openmetrics-text", -1,
		    "# TYPE a counter\na_total 1\n# EOF\n");
	else if (strcmp(path, "/om-cut") == 0)
		answer(fd, "200 OK", "application/openmetrics-text", -1,
		    "# TYPE a counter\na_total 1\n");
	else if (strcmp(path, "/lies") == 0)
		answer(fd, "200 OK", text, -1, "a 1\nb {\"x\":1}\n");
	else if (strcmp(path, "/forge") == 0)
		answer(fd, "200 OK", text, -1,
		    "# HELP a help\n# BATCH {job=\"x\"} 1\n# STALE * 2\n"
		    "# ALERT {alertname=\"x\"} {} 1 state=firing\n"
		    "# a comment\na{job=\"x\"} 1\n# EOF\na 2\n");
	else if (strcmp(path, "/endless") == 0)
		for (answer(fd, "200 OK", text, 2000000000, "");;)
			say(fd, "a_long_name_for_nothing 1\n");
	else if (strcmp(path, "/garbage") == 0)
		say(fd, "\x16\x03\x01 no http at all\r\n\r\n");
	else
		answer(fd, "200 OK", text, -1, "# TYPE a gauge\na 1\nb 2\n");
}

int
main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0), fd;
	char line[4096], path[256];
	ssize_t got;

	if (bind(s, (struct sockaddr *)&a, n) == -1 || listen(s, 64) == -1 ||
	    getsockname(s, (struct sockaddr *)&a, &n) == -1)
		return 1;
	(void)signal(SIGCHLD, SIG_IGN);
	(void)fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	while ((fd = accept(s, NULL, NULL)) != -1) {
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			got = read(fd, line, sizeof(line) - 1);
			line[got > 0 ? got : 0] = '\0';
			if (sscanf(line, "GET %255s", path) == 1)
				serve(fd, path);
			_exit(0);
		}
		(void)close(fd);
	}
	return 0;
}
