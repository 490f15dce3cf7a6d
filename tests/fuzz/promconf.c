/*
 * Any bytes as prometheus.yml: a set of targets or an error with its place;
 * wrong kinds of nodes in every section reach no further.
 */
#include <sys/mman.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "scrape/scrape.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *
env(const char *name)
{
	return name[0] == 'E' ? "$E" : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct conf_opts o = { .env = env };
	const struct promconf_rule_file *rules;
	struct promconf *c;
	struct scrape_set *s = NULL;
	struct error e = { "" };
	char path[64];
	int fd = memfd_create("promconf", 0);
	size_t k;

	if (fd == -1 || write(fd, p, n) != (ssize_t)n)
		__builtin_trap();
	(void)lseek(fd, 0, SEEK_SET);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	c = promconf_load(path, &o, &e);
	if (c != NULL) {
		s = scrape_load(c, 0, &e);
		for (size_t i = 0; s != NULL && i < s->n; i++)
			if (scrape_due(s->v[i], 5) < 5)
				__builtin_trap();
		(void)promconf_rules(c, &rules, &k, &e);
	} else if (e.msg[0] == '\0') {
		__builtin_trap();
	}
	scrape_free(s);
	promconf_free(c);
	(void)close(fd);
	return 0;
}
