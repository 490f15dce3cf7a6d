/*
 * Logs of records: read by place, scanned, appended to.
 */
#include "store/log.h"

#include <errno.h>
#include <fcntl.h>
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

/* Is what is open a log?  Then where it begins is known. */
static bool
read_head(struct store_log *l, const char magic[8])
{
	struct store_log_head h;
	struct store_rec rec;
	str bytes;

	memcpy(&h, l->v.p, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(h.magic)) == 0 &&
	    h.version == STORE_VERSION && h.check == base_check(h.base)) {
		l->base = (uint64_t)h.base * 8;
		l->end = store_log_first(l);
		return true;
	}
	/* Records are sound each by itself; but whose ids they have, who knows?
	 */
	l->headless =
	    l->base == 0 && store_log_at(l, store_log_first(l), &rec, &bytes);
	return l->headless;
}

/* A new log takes the place of what is none. */
static int
begin_anew(struct store_log *l, const char magic[8], struct error *e)
{
	struct store_view old = l->v;
	char to[64];
	int r;

	if (store_set_aside(old.dirfd, old.name, to, e) == -1)
		return -1;
	r = store_view_open(&l->v, old.dirfd, old.name, true, true, e);
	store_view_close(&old);
	if (r != 1)
		return -1;
	l->aside = true;
	return make_head(l, magic, e);
}

int
store_log_open(struct store_log *l, int dirfd, const char *name,
    const char magic[8], bool write, uint64_t base, struct error *e)
{
	int r = store_view_open(&l->v, dirfd, name, write, write, e);

	l->base = base;
	l->end = store_log_first(l);
	l->headless = l->damaged = l->aside = false;
	if (r != 1)
		return r;
	if (l->v.size < sizeof(struct store_log_head)) {
		r = write ? make_head(l, magic, e) == 0 ? 1 : -1 : 0;
		/* To a reader it is being made, and may get another base. */
	} else if (!read_head(l, magic)) {
		l->damaged = true;
		r = !write ? 0 : begin_anew(l, magic, e) == 0 ? 1 : -1;
	} else if (write && l->headless) {
		r = make_head(l, magic, e) == 0 ? 1 : -1;
	}
	if (r != 1)
		store_log_close(l);
	return r;
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
store_log_free(const struct store_log *l, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		if (l->v.p[from - l->base] != 0)
			return false;
	return true;
}

/*
 * Can a record begin here, by its kind and what stands at its end?  Asked
 * before its CRC, for in garbage a length means megabytes, at every place.
 */
static bool
may_begin(const struct store_log *l, uint64_t off)
{
	const char *p = (const char *)l->v.p + (off - l->base);
	uint64_t room = store_log_size(l) - off - sizeof(struct store_rec), n;
	uint32_t size;

	memcpy(&size, p, sizeof(size));
	n = size & STORE_REC_MAX;
	if (size >> 24 > STORE_REC_META || n > room)
		return false;
	p += sizeof(struct store_rec);
	if (size >> 24 != STORE_REC_META && (n == 0 || p[n - 1] != '\0'))
		return false;
	for (; n % 8 != 0 && n < room; n++)
		if (p[n] != '\0')
			return false;
	return true;
}

bool
store_log_find(
    const struct store_log *l, uint64_t *off, struct store_rec *rec, str *bytes)
{
	uint64_t from;

	if (*off < store_log_first(l))
		*off = store_log_first(l);
	from = *off;
	for (; *off + sizeof(*rec) <= store_log_size(l); *off += 8) {
		if ((*off > from && !may_begin(l, *off)) ||
		    !store_log_at(l, *off, rec, bytes))
			continue;
		if (*off > from && !store_log_free(l, from, *off)) {
			/* Or was it being written, and is there now? */
			if (store_log_at(l, from, rec, bytes)) {
				*off = from;
				return true;
			}
			store_damage_note(l->damage, l->v.name);
			(void)store_log_at(l, *off, rec, bytes);
		}
		return true;
	}
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

int
store_log_sync(int dirfd, const char *name, struct error *e)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC), r;

	if (fd == -1)
		return errno == ENOENT ? 0 : error_errno(e, "%s", name);
	r = fdatasync(fd);
	if (r == -1)
		error_errno(e, "%s: fdatasync", name);
	close(fd);
	return r;
}
