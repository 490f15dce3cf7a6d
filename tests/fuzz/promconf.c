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

static int64_t
mono(void *arg)
{
	(void)arg;
	return 1000000000;
}

/* Those that are found without a step: nobody is asked, no file is read. */
static void
targets(const struct scrape_config *jobs)
{
	static const struct clock clock = { .mono = mono };
	const struct scrape_spread spread = { 0 };
	struct scrape_set *s;
	struct buf b = { 0 };
	struct error e;
	struct scrape_sd *sd = scrape_sd_new(jobs, NULL, &clock, NULL, &e);

	if (sd == NULL)
		return;
	s = scrape_targets(jobs, sd, &spread);
	for (size_t i = 0; i < s->n; i++) {
		if (scrape_due(s->v[i], 5) < 5)
			__builtin_trap();
		scrape_explain(
		    &b, s->v[i]->job, s->v[i]->discovered, s->v[i]->local);
	}
	for (size_t i = 0; i < s->ndropped; i++)
		scrape_explain(&b, s->dropped[i].job, s->dropped[i].discovered,
		    s->dropped[i].local);
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] < ' ' && b.p[i] != '\n')
			__builtin_trap();
	buf_fini(&b);
	scrape_free(s);
	scrape_sd_free(sd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct conf_opts o = { .env = env };
	const struct promconf_rule_file *rules;
	struct scrape_config *jobs = NULL;
	struct promconf *c;
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
		jobs = scrape_load(c, &e);
		if (jobs != NULL)
			targets(jobs);
		(void)promconf_rules(c, &rules, &k, &e);
	} else if (e.msg[0] == '\0') {
		__builtin_trap();
	}
	scrape_config_free(jobs);
	promconf_free(c);
	(void)close(fd);
	return 0;
}
