/*
 * dns_sd_configs: each name of a find is asked for every refresh_interval, and
 * is a source of its own, with one group.  That a name does not exist empties
 * its group; that nobody could say keeps it.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/dns.h"
#include "scrape/sd_impl.h"

struct name {
	struct sd_find *f;
	struct sd_source *s;
};

struct dns_sd {
	const struct conf_node *names;
	str type_name;
	enum dns_type type;
	int64_t port, interval;
	/* from here on of the running */
	struct name *v;
	size_t left; /* names that have not answered */
	int64_t asked;
};

#define FIELD(name, kind, member)                                              \
	{                                                                      \
		name, kind, offsetof(struct dns_sd, member), false             \
	}

static const struct conf_field fields[] = {
	FIELD("names", CONF_T_NODE, names),
	FIELD("type", CONF_T_STR, type_name),
	FIELD("port", CONF_T_INT, port),
	FIELD("refresh_interval", CONF_T_DUR, interval),
};

/* The types, and the label that keeps what a record said. */
static const struct type {
	str name;
	enum dns_type type;
	str meta;
} types[] = {
	{ STR_INIT("SRV"), DNS_SRV, STR_INIT("__meta_dns_srv_record_target") },
	{ STR_INIT("A"), DNS_A, STR_INIT("") },
	{ STR_INIT("AAAA"), DNS_AAAA, STR_INIT("") },
	{ STR_INIT("MX"), DNS_MX, STR_INIT("__meta_dns_mx_record_target") },
	{ STR_INIT("NS"), DNS_NS, STR_INIT("__meta_dns_ns_record_target") },
};

#define NTYPES (sizeof(types) / sizeof(*types))

static const struct type *
type_of(enum dns_type t)
{
	size_t i = 0;

	while (types[i].type != t)
		i++;
	return &types[i];
}

static int
load(const struct conf_node *n, struct dns_sd *s, struct error *e)
{
	size_t i = 0;

	*s = (struct dns_sd){ .type_name = STR("SRV"), .interval = 30000 };
	if (conf_read(n, fields, sizeof(fields) / sizeof(*fields), s, e) == -1)
		return -1;
	if (s->interval <= 0)
		return conf_error(conf_find(n, "refresh_interval"), e,
		    "refresh_interval must not be 0");
	if (s->names == NULL || (s->names->kind == CONF_LIST && !s->names->n))
		return conf_error(n, e,
		    "DNS-SD config must contain at least one SRV record name");
	if (s->names->kind != CONF_LIST)
		return conf_error(s->names, e, "names: expected a list");
	for (size_t k = 0; k < s->names->n; k++) {
		const struct conf_node *name = s->names->v[k];

		if (name->kind != CONF_SCALAR || name->value.n == 0 ||
		    memchr(name->value.p, '\0', name->value.n) != NULL)
			return conf_error(name, e, "names: expected a name");
	}
	while (i < NTYPES && !str_eq_fold(types[i].name, s->type_name))
		i++;
	if (i == NTYPES)
		return conf_error(conf_find(n, "type"), e,
		    "invalid DNS-SD records type %.*s", STR_ARG(s->type_name));
	s->type = types[i].type;
	if (s->port == 0 && s->type != DNS_SRV)
		return conf_error(n, e,
		    "a port is required in DNS-SD configs for all record "
		    "types except SRV");
	if (s->port < 0 || s->port > 65535)
		return conf_error(
		    conf_find(n, "port"), e, "port must be 1 to 65535");
	return 0;
}

static int
check(const struct conf_node *n, struct error *e)
{
	struct dns_sd s;

	return load(n, &s, e);
}

/* HOST:PORT, brackets round what has colons itself. */
static str
join(struct arena *a, str host, int64_t port)
{
	return arena_printf(a,
	    str_chr(host, ':') < host.n ? "[%.*s]:%lld" : "%.*s:%lld",
	    STR_ARG(host), (long long)port);
}

/*
 * The labels of one record; none for a target of "." alone, by which a zone
 * says that there is no such service (RFC 2782, RFC 7505).
 */
static struct labels
target(struct arena *a, const struct dns_sd *s, str name,
    const struct dns_record *r)
{
	const struct type *t = type_of(s->type);
	struct label_set set = { 0 };
	int64_t port = s->type == DNS_SRV ? r->port : s->port;
	struct labels ls;
	str host = r->target;

	while (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == 0)
		return (struct labels){ NULL, 0 };
	label_set(&set, STR("__address__"), join(a, host, port));
	label_set(&set, STR("__meta_dns_name"), name);
	if (t->meta.n > 0)
		label_set(&set, t->meta, r->target);
	if (s->type == DNS_SRV)
		label_set(&set, STR("__meta_dns_srv_record_port"),
		    arena_printf(a, "%lld", (long long)port));
	ls = label_done(&set, a);
	label_fini(&set);
	return ls;
}

static int
by_labels(const void *a, const void *b)
{
	return label_cmp(*(const struct labels *)a, *(const struct labels *)b);
}

/* Sorted, since servers turn the order of records round for balance. */
static struct sd_part *
part(const struct dns_sd *s, str name, const struct dns_answer *r)
{
	struct sd_part *p = sd_part_new();
	struct labels *v = arena_array(&p->a, r->n, struct labels);
	struct sd_group *g;
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		v[n] = target(&p->a, s, name, &r->v[i]);
		n += v[n].n > 0;
	}
	if (n == 0)
		return p;
	qsort(v, n, sizeof(*v), by_labels);
	g = sd_part_add(p);
	g->source = arena_dup(&p->a, name);
	g->targets = v;
	g->ntargets = n;
	return p;
}

static void
answered(void *arg, const struct dns_answer *a)
{
	struct name *n = arg;
	struct sd_find *f = n->f;
	struct dns_sd *s = f->own;
	struct error e;

	if (a->error != NULL) {
		error_set(&e, "could not resolve \"%.*s\" (%.*s): %s",
		    STR_ARG(n->s->name), STR_ARG(type_of(s->type)->name),
		    a->error);
		sd_source_fail(n->s, &e);
	} else {
		sd_source_set(f, n->s, part(s, n->s->name, a));
	}
	if (--s->left > 0)
		return;
	f->ready = true;
	f->due = s->asked + s->interval;
}

static void
ask(struct sd_find *f, int64_t now)
{
	struct dns_sd *s = f->own;

	s->asked = now;
	s->left = f->n;
	f->due = INT64_MAX; /* until the last has answered */
	for (size_t i = 0; i < f->n; i++)
		dns_ask(f->sd->dns, f->v[i]->name, s->type, answered, &s->v[i]);
}

static int
open_dns(struct sd_find *f, struct error *e)
{
	struct dns_sd *s = mem_zero(1, sizeof(*s));

	f->own = s;
	if (load(f->node, s, e) == -1)
		return -1;
	if (f->sd->dns == NULL)
		f->sd->dns = dns_new(f->sd->dns_server, NULL, e);
	if (f->sd->dns == NULL)
		return -1;
	s->v = mem_zero(s->names->n, sizeof(*s->v));
	for (size_t i = 0; i < s->names->n; i++)
		s->v[i] =
		    (struct name){ f, sd_source_add(f, s->names->v[i]->value) };
	return 0;
}

static void
close_dns(struct sd_find *f)
{
	struct dns_sd *s = f->own;

	free(s->v);
	free(s);
}

const struct sd_kind sd_dns = {
	.key = STR_INIT("dns_sd_configs"),
	.check = check,
	.open = open_dns,
	.close = close_dns,
	.step = ask,
};
