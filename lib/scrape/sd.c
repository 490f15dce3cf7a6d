/*
 * Discovery: the kinds there are, the finds of all jobs, and when what they
 * found is told.  News are told together: making a set of targets anew costs,
 * and a service that is deployed changes in many steps.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "scrape/sd_impl.h"

#define BATCH_FIRST 100 /* ms */
#define BATCH_LATER 5000

static const struct sd_kind *const kinds[] = {
	&sd_static,
	&sd_file,
	&sd_http,
	&sd_dns,
};

#define NKINDS (sizeof(kinds) / sizeof(*kinds))

/* Upstream's others: known by name, so that the error says what is missing. */
static const char *const others[] = { "aws", "azure", "consul", "digitalocean",
	"docker", "dockerswarm", "ec2", "ecs", "elasticache", "eureka", "gce",
	"hetzner", "ionos", "kubernetes", "kuma", "lightsail", "linode",
	"marathon", "msk", "nerve", "nomad", "oci", "openstack", "outscale",
	"ovhcloud", "puppetdb", "rds", "scaleway", "serverset", "stackit",
	"triton", "uyuni", "vultr" };

#define SUFFIX STR("_sd_configs")

static const struct sd_kind *
kind_of(str key)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (str_eq(key, kinds[i]->key))
			return kinds[i];
	return NULL;
}

static bool
other(str key)
{
	if (!str_ends(key, SUFFIX))
		return false;
	key = str_take(key, key.n - SUFFIX.n);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (str_eq(key, str_of(others[i])))
			return true;
	return false;
}

bool
sd_key(str key)
{
	return kind_of(key) != NULL || other(key);
}

static int
check_list(const struct sd_kind *k, const struct conf_node *n, struct error *e)
{
	if (n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(
		    n, e, "%.*s: expected a list", STR_ARG(n->key));
	if (k->whole)
		return k->check(n, e);
	for (size_t i = 0; i < n->n; i++) {
		if (n->v[i]->kind != CONF_MAP)
			return conf_error(n->v[i], e,
			    "empty or null section in %.*s", STR_ARG(n->key));
		if (k->check(n->v[i], e) == -1)
			return -1;
	}
	return 0;
}

int
sd_check(const struct scrape_job *j, struct error *e)
{
	for (size_t i = 0; j->node != NULL && i < j->node->n; i++) {
		const struct conf_node *n = j->node->v[i];
		const struct sd_kind *k = kind_of(n->key);

		if (k != NULL && check_list(k, n, e) == -1)
			return -1;
		if (k == NULL && other(n->key) && n->kind != CONF_NULL &&
		    (n->kind == CONF_SCALAR || n->n > 0))
			return conf_error_key(n, e,
			    "%.*s: this discovery is not part of mf (it has "
			    "static, file, http and dns)",
			    STR_ARG(n->key));
	}
	return 0;
}

/* Milliseconds of the monotonic clock. */
static int64_t
mono(const struct scrape_sd *sd)
{
	return sd->clock->mono(sd->clock->arg) / 1000000;
}

static bool
same_group(const struct sd_group *a, const struct sd_group *b)
{
	if (!str_eq(a->source, b->source) || a->local != b->local ||
	    a->ntargets != b->ntargets || !label_eq(a->labels, b->labels))
		return false;
	for (size_t i = 0; i < a->ntargets; i++)
		if (!label_eq(a->targets[i], b->targets[i]))
			return false;
	return true;
}

static bool
same_part(const struct sd_part *a, const struct sd_part *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_group(&a->v[i], &b->v[i]))
			return false;
	return true;
}

/*
 * What is there before the first step ends is told at once, what a find says
 * first soon, so that each waits little for the others; its later news wait
 * for those of others.
 */
static void
news(struct sd_find *f)
{
	struct scrape_sd *sd = f->sd;
	int64_t now = mono(sd), due = now + BATCH_FIRST;

	for (size_t i = 0; i < sd->njobs; i++)
		if (sd->jobs[i].job == f->job)
			sd->jobs[i].stale = true;
	if (!sd->begun)
		due = now;
	else if (f->ready && sd->told && sd->told_at + BATCH_LATER > due)
		due = sd->told_at + BATCH_LATER;
	if (!sd->news || due < sd->news_due)
		sd->news_due = due;
	sd->news = true;
}

struct sd_source *
sd_source_add(struct sd_find *f, str name)
{
	struct sd_source *s = mem_zero(1, sizeof(*s));

	s->name = (str){ mem_cstr(name), name.n };
	f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(struct sd_source *));
	f->v[f->n++] = s;
	return s;
}

static void
source_free(struct sd_source *s)
{
	sd_part_free(s->part);
	free(s->fault);
	free((void *)(uintptr_t)s->name.p);
	free(s);
}

void
sd_source_drop(struct sd_find *f, struct sd_source *s)
{
	size_t i = 0;

	while (f->v[i] != s)
		i++;
	f->n--;
	memmove(&f->v[i], &f->v[i + 1], (f->n - i) * sizeof(*f->v));
	if (s->part != NULL && s->part->n > 0)
		news(f);
	source_free(s);
}

/* It is as before: an error that was there is over. */
static void
same_again(struct sd_source *s)
{
	free(s->fault);
	s->fault = NULL;
}

void
sd_source_set(struct sd_find *f, struct sd_source *s, struct sd_part *p)
{
	struct sd_part *old = s->part;

	same_again(s);
	if (old != NULL && same_part(old, p)) {
		sd_part_free(p);
		return;
	}
	s->part = p;
	if (old != NULL || p->n > 0)
		news(f);
	sd_part_free(old);
}

/* What a stranger wrote is in it: no control character leaves here. */
void
sd_source_fail(struct sd_source *s, const struct error *e)
{
	struct error clean = *e;

	for (char *p = clean.msg; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (s->fault != NULL && strcmp(s->fault, clean.msg) == 0)
		return;
	free(s->fault);
	s->fault = mem_cstr(str_of(clean.msg));
	s->told = false;
}

void
sd_source_lost(struct sd_source *s, const struct error *e)
{
	s->seen = 0;
	s->bad = false;
	sd_source_fail(s, e);
}

void
sd_source_text(struct sd_find *f, struct sd_source *s, str text, bool json,
    str meta, bool local)
{
	uint64_t hash = str_hash(text);
	struct sd_part *p;
	struct error e;

	if (s->seen == hash && (s->part != NULL || s->bad)) {
		if (!s->bad)
			same_again(s);
		return;
	}
	s->seen = hash;
	p = sd_part_parse(text, json, s->name.p, meta, s->name, &e);
	s->bad = p == NULL;
	if (p == NULL) {
		sd_source_fail(s, &e);
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		p->v[i].local = local;
	sd_source_set(f, s, p);
}

bool
scrape_sd_error(struct scrape_sd *sd, struct error *e)
{
	for (size_t i = 0; i < sd->n; i++) {
		struct sd_find *f = sd->v[i];

		for (size_t k = 0; k < f->n; k++) {
			struct sd_source *s = f->v[k];

			if (s->fault == NULL || s->told)
				continue;
			s->told = true;
			error_set(
			    e, "%.*s: %s", STR_ARG(f->job->name), s->fault);
			return true;
		}
	}
	return false;
}

bool
scrape_sd_fault(const struct scrape_sd *sd, size_t i, str *job, str *what)
{
	for (size_t k = 0; k < sd->n; k++)
		for (size_t m = 0; m < sd->v[k]->n; m++) {
			const struct sd_source *s = sd->v[k]->v[m];

			if (s->fault == NULL || i-- > 0)
				continue;
			*job = sd->v[k]->job->name;
			*what = str_of(s->fault);
			return true;
		}
	return false;
}

static int
add_find(struct scrape_sd *sd, const struct scrape_job *j,
    const struct sd_kind *k, const struct conf_node *n, struct error *e)
{
	struct sd_find *f = mem_zero(1, sizeof(*f));

	*f = (struct sd_find){ .kind = k, .sd = sd, .job = j, .node = n };
	sd->v = mem_grow(sd->v, &sd->cap, sd->n + 1, sizeof(struct sd_find *));
	sd->v[sd->n++] = f;
	return k->open(f, e);
}

static int
add_job(struct scrape_sd *sd, const struct scrape_job *j, struct error *e)
{
	struct sd_job *d = &sd->jobs[sd->njobs++];

	*d = (struct sd_job){ .job = j, .first = sd->n, .stale = true };
	for (size_t i = 0; j->node != NULL && i < j->node->n; i++) {
		const struct conf_node *n = j->node->v[i];
		const struct sd_kind *k = kind_of(n->key);

		if (k == NULL || n->n == 0)
			continue;
		if (k->whole && add_find(sd, j, k, n, e) == -1)
			return -1;
		for (size_t m = 0; !k->whole && m < n->n; m++)
			if (add_find(sd, j, k, n->v[m], e) == -1)
				return -1;
	}
	d->n = sd->n - d->first;
	return 0;
}

struct scrape_sd *
scrape_sd_new(const struct scrape_config *c, struct fetch *fetch,
    const struct clock *clock, const char *dns_server, struct error *e)
{
	struct scrape_sd *sd = mem_zero(1, sizeof(*sd));

	sd->clock = clock;
	sd->fetch = fetch;
	sd->inotify = SD_CLOSED;
	sd->jobs = mem_zero(c->njobs > 0 ? c->njobs : 1, sizeof(*sd->jobs));
	if (dns_server != NULL)
		sd->dns_server = mem_cstr(str_of(dns_server));
	for (size_t i = 0; i < c->njobs; i++)
		if (add_job(sd, c->jobs[i], e) == -1) {
			scrape_sd_free(sd);
			return NULL;
		}
	if (scrape_sd_ready(sd)) { /* static alone: at once, even nothing */
		sd->news = true;
		sd->news_due = mono(sd);
	}
	return sd;
}

static void
find_free(struct sd_find *f)
{
	if (f->kind->close != NULL)
		f->kind->close(f);
	for (size_t i = 0; i < f->n; i++)
		source_free(f->v[i]);
	free(f->v);
	free(f);
}

void
scrape_sd_free(struct scrape_sd *sd)
{
	if (sd == NULL)
		return;
	dns_free(sd->dns);
	for (size_t i = 0; i < sd->n; i++)
		find_free(sd->v[i]);
	for (size_t i = 0; i < sd->njobs; i++)
		free(sd->jobs[i].v);
	if (sd->inotify >= 0)
		close(sd->inotify);
	free(sd->v);
	free(sd->jobs);
	free(sd->dns_server);
	free(sd);
}

int64_t
scrape_sd_step(struct scrape_sd *sd)
{
	int64_t now = mono(sd), next = INT64_MAX, wait = -1;

	if (sd->inotify >= 0)
		sd_file_events(sd, now);
	for (size_t i = 0; i < sd->n; i++) {
		struct sd_find *f = sd->v[i];

		if (f->kind->step != NULL && now >= f->due)
			f->kind->step(f, now);
	}
	if (sd->dns != NULL)
		wait = dns_step(sd->dns);
	sd->begun = true;
	now = mono(sd);
	if (wait != -1)
		next = now + wait;
	for (size_t i = 0; i < sd->n; i++)
		if (sd->v[i]->due < next)
			next = sd->v[i]->due;
	if (sd->news && sd->news_due < next)
		next = sd->news_due;
	if (next == INT64_MAX)
		return -1;
	return next > now ? next - now : 0;
}

size_t
scrape_sd_fds(const struct scrape_sd *sd, struct pollfd *p, size_t max)
{
	size_t n = 0;

	if (sd->inotify >= 0 && n < max)
		p[n++] = (struct pollfd){ .fd = sd->inotify, .events = POLLIN };
	if (sd->dns != NULL)
		n += dns_fds(sd->dns, p + n, max - n);
	return n;
}

bool
scrape_sd_changed(struct scrape_sd *sd)
{
	int64_t now = mono(sd);

	if (!sd->news || now < sd->news_due)
		return false;
	sd->news = false;
	sd->told = true;
	sd->told_at = now;
	return true;
}

bool
scrape_sd_ready(const struct scrape_sd *sd)
{
	for (size_t i = 0; i < sd->n; i++)
		if (!sd->v[i]->ready)
			return false;
	return true;
}

void
scrape_sd_expire(struct scrape_sd *sd, int64_t ms)
{
	struct error e;

	for (size_t i = 0; i < sd->n; i++) {
		struct sd_find *f = sd->v[i];

		for (size_t k = 0; !f->ready && k < f->n; k++) {
			struct sd_source *s = f->v[k];

			if (s->part != NULL || s->fault != NULL)
				continue;
			error_set(&e, "%.*s: no answer within %gs",
			    STR_ARG(s->name), (double)ms / 1e3);
			sd_source_fail(s, &e);
		}
		f->ready = true;
	}
}

static void
list_groups(const struct scrape_sd *sd, struct sd_job *d)
{
	d->nv = 0;
	for (size_t i = 0; i < d->n; i++) {
		const struct sd_find *f = sd->v[d->first + i];

		for (size_t k = 0; k < f->n; k++) {
			const struct sd_part *p = f->v[k]->part;

			for (size_t m = 0; p != NULL && m < p->n; m++) {
				d->v = mem_grow(d->v, &d->cap, d->nv + 1,
				    sizeof(const struct sd_group *));
				d->v[d->nv++] = &p->v[m];
			}
		}
	}
	d->stale = false;
}

size_t
sd_groups(const struct scrape_sd *sd, const struct scrape_job *j,
    const struct sd_group *const **v)
{
	for (size_t i = 0; i < sd->njobs; i++) {
		struct sd_job *d = &sd->jobs[i];

		if (d->job != j)
			continue;
		if (d->stale)
			list_groups(sd, d);
		*v = d->v;
		return d->nv;
	}
	*v = NULL;
	return 0;
}
