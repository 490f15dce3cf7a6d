/*
 * Any bytes as target groups, JSON by the first byte's lowest bit, YAML else:
 * groups whose labels are sorted UTF-8 without empty values, or an error; and
 * the same bytes as an answer of the domain name system.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "net/dns.h"
#include "scrape/sd_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++) {
		if (ls.v[i].value.n == 0 || !str_utf8(ls.v[i].value) ||
		    !str_utf8(ls.v[i].name) || ls.v[i].name.n == 0)
			__builtin_trap();
		if (i > 0 && str_cmp(ls.v[i - 1].name, ls.v[i].name) >= 0)
			__builtin_trap();
	}
}

static void
groups(str text, bool json)
{
	struct error e;
	struct sd_part *s =
	    sd_part_parse(text, json, "fuzz", STR("__meta_url"), STR("u"), &e);

	for (size_t i = 0; s != NULL && i < s->n; i++) {
		check(s->v[i].labels);
		if (!str_eq(label_find(s->v[i].labels, STR("__meta_url")),
			STR("u")))
			__builtin_trap();
		for (size_t k = 0; k < s->v[i].ntargets; k++)
			check(s->v[i].targets[k]);
	}
	sd_part_free(s);
}

static void
records(str text, enum dns_type type)
{
	const struct dns_record *v;
	struct arena a = { 0 };
	struct error e;
	size_t count;

	if (dns_records(&a, text, type, &v, &count, &e) == 0)
		for (size_t i = 0; i < count; i++)
			if (v[i].target.n == 0 || !str_utf8(v[i].target) ||
			    v[i].port < 0 || v[i].port > 65535)
				__builtin_trap();
	arena_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const enum dns_type types[] = { DNS_A, DNS_NS, DNS_MX, DNS_AAAA,
		DNS_SRV };
	str text = { (const char *)p + 1, n - 1 };

	if (n == 0)
		return 0;
	groups(text, p[0] & 1);
	records(text, types[p[0] % 5]);
	return 0;
}
