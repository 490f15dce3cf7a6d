/*
 * A server that answers what the test has put into a file: GET /NAME sends
 * the bytes of DIR/NAME as they are, status line and headers too, and closes.
 * Without the file the connection is closed without a word.
 *
 *	answer DIR
 *
 * It listens on a port of 127.0.0.1, and prints "listening on" and a line for
 * each request with its headers.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
answer(int fd)
{
	char in[8192], out[65536];
	size_t len = 0, k;
	ssize_t n;
	FILE *f;

	while (len < sizeof(in) - 1 &&
	    (n = read(fd, in + len, sizeof(in) - 1 - len)) > 0) {
		len += (size_t)n;
		in[len] = '\0';
		if (strstr(in, "\r\n\r\n") != NULL)
			break;
	}
	if (strncmp(in, "GET /", 5) != 0)
		return;
	fprintf(stderr, "%s", in);
	in[5 + strcspn(in + 5, " ?/\r\n")] = '\0';
	f = fopen(in + 5, "r");
	if (f == NULL)
		return;
	while ((k = fread(out, 1, sizeof(out), f)) > 0)
		if (send(fd, out, k, MSG_NOSIGNAL) <= 0)
			break;
	fclose(f);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), c;

	if (argc != 2 || chdir(argv[1]) == -1)
		errx(2, "usage: answer DIR");
	if (bind(fd, (struct sockaddr *)&a, n) == -1 || listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
		err(1, "listen");
	fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	while ((c = accept(fd, NULL, NULL)) != -1) {
		answer(c);
		close(c);
	}
	err(1, "accept");
}
