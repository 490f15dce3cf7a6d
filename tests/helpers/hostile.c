/*
 * A server that misbehaves, a way for each path: hangs, breaks off, lies about
 * its type, never ends.  A process a connection; all die with the first.
 *
 *	hostile [DIR]	/gz/NAME is DIR/NAME, said to be compressed
 */
#include <sys/prctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char text[] = "text/plain; version=0.0.4";
static const char *dir = ".";

static void
put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			_exit(0);
		p += k;
		n -= (size_t)k;
	}
}

static void
say(int fd, const char *s)
{
	put(fd, s, strlen(s));
}

/* length -1: up to the end of the connection. */
static void
head(int fd, const char *status, const char *type, long length)
{
	char b[512];

	(void)snprintf(b, sizeof(b),
	    "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: %s\r\n", status,
	    type);
	say(fd, b);
	(void)snprintf(b, sizeof(b), "Content-Length: %ld\r\n", length);
	if (length != -1)
		say(fd, b);
	say(fd, "\r\n");
}

/* length -1: the whole body; else what is claimed. */
static void
answer(
    int fd, const char *status, const char *type, long length, const char *body)
{
	head(fd, status, type, length == -1 ? (long)strlen(body) : length);
	say(fd, body);
}

/* The same of a good page; body may hold NUL bytes. */
static void
page(int fd, const char *body, size_t n)
{
	head(fd, "200 OK", text, (long)n);
	put(fd, body, n);
}

static void
redirect(int fd, const char *to)
{
	char b[512];

	(void)snprintf(b, sizeof(b),
	    "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: %s\r\n"
	    "Content-Length: 0\r\n\r\n",
	    to);
	say(fd, b);
}

/* Headers of n bytes, each of at most 60000; 0: without end. */
static void
large_head(int fd, size_t n)
{
	static char x[60000];

	memset(x, 'x', sizeof(x));
	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n");
	for (size_t at = 0, k; n == 0 || at < n; at += k) {
		k = n == 0 || n - at > sizeof(x) ? sizeof(x) : n - at;
		say(fd, "X-Large: ");
		put(fd, x, k);
		say(fd, "\r\n");
	}
	say(fd, "Content-Length: 4\r\n\r\na 1\n");
}

/* A value of 10 MB. */
static void
long_line(int fd)
{
	static char x[1 << 20];

	memset(x, 'x', sizeof(x));
	head(fd, "200 OK", text, -1);
	say(fd, "a{x=\"");
	for (int i = 0; i < 10; i++)
		put(fd, x, sizeof(x));
	say(fd, "\"} 1\nb 2\n");
}

/* The same line again and again. */
static void
endless(int fd, const char *line)
{
	static char x[1 << 16];
	size_t n = 0;

	while (n + strlen(line) < sizeof(x))
		n += (size_t)snprintf(x + n, sizeof(x) - n, "%s", line);
	for (;;)
		put(fd, x, n);
}

/* Behind the last chunk come headers, and never an end. */
static void
trailers(int fd)
{
	say(fd,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n0\r\n");
	endless(fd, "X-Trailer: y\r\n");
}

static void
many_labels(int fd)
{
	static char x[32 << 20];
	size_t n = 0;

	n += (size_t)snprintf(x, sizeof(x), "a{");
	for (int i = 0; i < 1000000; i++)
		n += (size_t)snprintf(
		    x + n, sizeof(x) - n, "l%06d=\"%d\",", i, i);
	n += (size_t)snprintf(x + n, sizeof(x) - n, "} 1\nb 2\n");
	page(fd, x, n);
}

static void
compressed(int fd, const char *name)
{
	char b[65536];
	size_t k;
	FILE *fp;

	(void)snprintf(b, sizeof(b), "%s/%s", dir, name);
	if (strchr(name, '/') != NULL || (fp = fopen(b, "r")) == NULL) {
		answer(fd, "404 Not Found", text, -1, "");
		return;
	}
	say(fd,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Encoding: gzip\r\nConnection: close\r\n\r\n");
	while ((k = fread(b, 1, sizeof(b), fp)) > 0)
		put(fd, b, k);
	(void)fclose(fp);
}

#define PAGE(fd, lit) page(fd, lit, sizeof(lit) - 1)

/* Pages that are whole, but odd. */
static int
serve_page(int fd, const char *path)
{
	if (strcmp(path, "/lies") == 0)
		PAGE(fd, "a 1\nb {\"x\":1}\n");
	else if (strcmp(path, "/forge") == 0)
		PAGE(fd,
		    "# HELP a help\n# BATCH {job=\"x\"} 1\n# STALE * 2\n"
		    "# ALERT {alertname=\"x\"} {} 1 state=firing\n"
		    "# HIST a {count:1,sum:1} 1\n# START a 1 2\n"
		    "# EXEMPLAR a {} 1\n# KIND a info\n"
		    "# a comment\na{job=\"x\"} 1\n# EOF\na 2\n");
	else if (strcmp(path, "/twice") == 0)
		PAGE(fd, "a 1\na 2\nb 3\na 4\n");
	else if (strcmp(path, "/nul") == 0)
		PAGE(fd, "a{x=\"b\0c\"} 1\nb 2\n");
	else if (strcmp(path, "/nul-name") == 0)
		PAGE(fd, "a\0b 1\n");
	else if (strcmp(path, "/nuls") == 0)
		PAGE(fd, "\0\0\0\0\0\0\0\0");
	else if (strcmp(path, "/latin1") == 0)
		PAGE(fd, "a{x=\"caf\xe9\"} 1\nb 2\n");
	else if (strcmp(path, "/line") == 0)
		long_line(fd);
	else if (strcmp(path, "/labels") == 0)
		many_labels(fd);
	else
		return 0;
	return 1;
}

/* Those that do not end, or end too early. */
static int
serve_never(int fd, const char *path)
{
	if (strcmp(path, "/hang") == 0)
		(void)pause();
	else if (strcmp(path, "/half") == 0)
		answer(fd, "200 OK", text, 1000, "a 1\nb 2\n");
	else if (strcmp(path, "/endless") == 0)
		head(fd, "200 OK", text, -1), endless(fd, "a_long_name 1\n");
	else if (strcmp(path, "/trailers") == 0)
		trailers(fd);
	else if (strcmp(path, "/continues") == 0)
		endless(fd, "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n");
	else if (strcmp(path, "/chunks") == 0)
		say(fd,
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n"),
		    endless(fd, "1;x=y\r\n#\r\n");
	else if (strcmp(path, "/slow") == 0)
		for (head(fd, "200 OK", text, -1);; sleep(1))
			say(fd, "#");
	else if (strcmp(path, "/slow-head") == 0)
		for (say(fd, "HTTP/1.1 200 OK\r\nX: ");; sleep(1))
			say(fd, "x");
	else if (strncmp(path, "/head", 5) == 0)
		large_head(fd, (size_t)atol(path + 5));
	else if (strcmp(path, "/garbage") == 0)
		say(fd, "\x16\x03\x01 no http at all\r\n\r\n");
	else if (strcmp(path, "/loop") == 0)
		redirect(fd, "/loop");
	else if (strncmp(path, "/to/", 4) == 0)
		redirect(fd, path + 4);
	else if (strcmp(path, "/to-file") == 0)
		redirect(fd, "file:///etc/passwd");
	else if (strcmp(path, "/to-gopher") == 0)
		redirect(fd, "gopher://127.0.0.1:1/");
	else
		return 0;
	return 1;
}

static void
serve(int fd, const char *path)
{
	if (serve_page(fd, path) || serve_never(fd, path))
		return;
	if (strcmp(path, "/html") == 0)
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
	else if (strncmp(path, "/gz/", 4) == 0)
		compressed(fd, path + 4);
	else
		PAGE(fd, "# TYPE a gauge\na 1\nb 2\n");
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0), fd;
	char line[4096], path[256];
	ssize_t got;

	if (argc > 1)
		dir = argv[1];
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
