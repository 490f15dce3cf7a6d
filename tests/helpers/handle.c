/*
 * A server whose answers a command of the test makes: for each connection it
 * runs with the head of the request in the environment as HEAD, the body on
 * its stdin, and the connection as its stdout.
 *
 *	handle COMMAND [ARGUMENT ...]
 *
 * It listens on a port of 127.0.0.1 and prints "listening on".
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
handle(int fd, char **argv)
{
	static char in[65536];
	size_t len = 0, want = 0;
	char *end = NULL, *p;
	ssize_t n;
	FILE *body = tmpfile();

	while (len < sizeof(in) - 1 && (end == NULL || len < want) &&
	    (n = read(fd, in + len, sizeof(in) - 1 - len)) > 0) {
		len += (size_t)n;
		in[len] = '\0';
		if (end != NULL || (end = strstr(in, "\r\n\r\n")) == NULL)
			continue;
		p = strcasestr(in, "\r\nContent-Length:");
		want = (size_t)(end + 4 - in);
		want += p && p < end ? strtoul(p + 17, NULL, 10) : 0;
	}
	if (end == NULL || body == NULL)
		return;
	fwrite(end + 4, 1, (size_t)(in + len - end - 4), body);
	rewind(body);
	*end = '\0';
	setenv("HEAD", in, 1);
	if (dup2(fileno(body), 0) == -1 || dup2(fd, 1) == -1)
		err(1, "dup2");
	execvp(argv[0], argv);
	err(1, "%s", argv[0]);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), c;

	if (argc < 2)
		errx(2, "usage: handle COMMAND [ARGUMENT ...]");
	signal(SIGCHLD, SIG_IGN);
	if (bind(fd, (struct sockaddr *)&a, n) == -1 || listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
		err(1, "listen");
	fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	while ((c = accept(fd, NULL, NULL)) != -1) {
		if (fork() == 0) {
			signal(SIGCHLD, SIG_DFL);
			handle(c, argv + 1);
			_exit(0);
		}
		close(c);
	}
	err(1, "accept");
}
