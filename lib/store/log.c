/*
 * Logs of records: read by place, scanned, appended to.
 */
#include "store/log.h"

#include <unistd.h>

static uint32_t
rec_crc(const struct store_rec *rec, str bytes)
{
	struct store_rec r = *rec;

	r.crc = 0;
	return crc32c(crc32c(0, &r, sizeof(r)), bytes.p, bytes.n);
}

/* A wrong base would give ids to other labels. */
static uint16_t
base_check(uint32_t base)
{
	return base == 0 ? 0 : (uint16_t)crc32c(0, &base, sizeof(base));
}

static int
make_head(struct store_log *l, const char magic[8], struct error *e)
{
	struct store_log_head h = {
		.version = STORE_VERSION,
		.check = base_check((uint32_t)(l->base / 8)),
		.base = (uint32_t)(l->base / 8),
	};

	memcpy(h.magic, magic, sizeof(h.magic));
	if (store_view_write(&l->v, &h, sizeof(h), 0, e) == -1)
		return -1;
	return store_view_stat(&l->v, e);
}

int
store_log_open(struct store_log *l, int dirfd, const char *name,
    const char magic[8], bool write, uint64_t base, struct error *e)
{
	struct store_log_head h;
	int r = store_view_open(&l->v, dirfd, name, write, write, e);

	l->base = base;
	l->end = base + sizeof(h);
	if (r != 1)
		return r;
	if (l->v.size < sizeof(h)) {
		if (!write) {
			/* It is being made, and may get another base. */
			store_log_close(l);
			return 0;
		}
		if (make_head(l, magic, e) == -1)
			goto fail;
		return 1;
	}
	memcpy(&h, l->v.p, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(h.magic)) == 0 &&
	    h.version == STORE_VERSION && h.check == base_check(h.base)) {
		l->base = (uint64_t)h.base * 8;
		l->end = l->base + sizeof(h);
		return 1;
	}
	if (!write) {
		store_log_close(l);
		return 0;
	}
	error_set(e, "%s: damaged, or of another version", name);
fail:
	store_log_close(l);
	return -1;
}

void
store_log_close(struct store_log *l)
{
	store_view_close(&l->v);
}

uint64_t
store_log_size(const struct store_log *l)
{
	return l->base + l->v.size;
}

uint64_t
store_log_first(const struct store_log *l)
{
	return l->base + sizeof(struct store_log_head);
}

bool
store_log_at(
    const struct store_log *l, uint64_t off, struct store_rec *rec, str *bytes)
{
	size_t size = l->v.size;

	if (off < l->base)
		return false;
	off -= l->base;
	if (off < sizeof(struct store_log_head) || off % 8 != 0 || off > size ||
	    size - off < sizeof(*rec))
		return false;
	memcpy(rec, l->v.p + off, sizeof(*rec));
	bytes->n = rec->size & STORE_REC_MAX;
	if (bytes->n > size - off - sizeof(*rec))
		return false;
	bytes->p = (const char *)l->v.p + off + sizeof(*rec);
	return rec_crc(rec, *bytes) == rec->crc;
}

bool
store_log_find(
    const struct store_log *l, uint64_t *off, struct store_rec *rec, str *bytes)
{
	if (*off < store_log_first(l))
		*off = store_log_first(l);
	for (; *off + sizeof(*rec) <= store_log_size(l); *off += 8)
		if (store_log_at(l, *off, rec, bytes))
			return true;
	return false;
}

uint64_t
store_log_after(uint64_t off, const struct store_rec *rec)
{
	uint64_t n = sizeof(*rec) + (rec->size & STORE_REC_MAX);

	return off + ((n + 7) & ~UINT64_C(7));
}

void
store_log_put(struct buf *b, enum store_rec_kind kind, str bytes)
{
	struct store_rec rec = {
		.size = (uint32_t)bytes.n | (uint32_t)kind << 24,
		.hash = str_hash(bytes),
	};

	rec.crc = rec_crc(&rec, bytes);
	buf_add(b, (str){ (const char *)&rec, sizeof(rec) });
	buf_add(b, bytes);
	while (b->n % 8 != 0)
		buf_byte(b, 0);
}

int
store_log_write(struct store_log *l, str records, bool sync, struct error *e)
{
	if (store_view_write(
		&l->v, records.p, records.n, l->end - l->base, e) == -1)
		return -1;
	if (sync && fdatasync(l->v.fd) == -1)
		return error_errno(e, "%s: fdatasync", l->v.name);
	l->end += records.n;
	return store_view_stat(&l->v, e);
}
