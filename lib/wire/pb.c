/*
 * Protocol buffers.  All lengths are held against what is left before they are
 * used; groups, which no message of ours has, are refused.
 */
#include "wire/pb.h"

#include "base/num.h"
#include "base/varint.h"

struct pb
pb_of(str bytes)
{
	return (struct pb){ bytes };
}

int
pb_varint(struct pb *m, uint64_t *v, struct error *e)
{
	const uint8_t *p = (const uint8_t *)m->in.p;
	size_t n;

	if (m->in.n > 0 && p[0] < 0x80) { /* most of them */
		*v = p[0];
		m->in = str_skip(m->in, 1);
		return 0;
	}
	n = varint_get(p, m->in.n, v);
	if (n == 0)
		return error_set(e,
		    m->in.n < VARINT_MAX ? "protobuf: it ends in a number"
					 : "protobuf: a number too large");
	m->in = str_skip(m->in, n);
	return 0;
}

static int
fixed(struct pb *m, size_t n, uint64_t *v, struct error *e)
{
	uint64_t got = 0;

	if (m->in.n < n)
		return error_set(e, "protobuf: it ends in a number");
	for (size_t i = 0; i < n; i++)
		got |= (uint64_t)(unsigned char)m->in.p[i] << (8 * i);
	m->in = str_skip(m->in, n);
	*v = got;
	return 0;
}

int
pb_fixed64(struct pb *m, uint64_t *v, struct error *e)
{
	return fixed(m, 8, v, e);
}

int
pb_bytes(struct pb *m, str *bytes, struct error *e)
{
	uint64_t n;

	if (pb_varint(m, &n, e) == -1)
		return -1;
	if (n > m->in.n)
		return error_set(e,
		    "protobuf: %llu bytes are announced, %zu are left",
		    (unsigned long long)n, m->in.n);
	*bytes = str_take(m->in, (size_t)n);
	m->in = str_skip(m->in, (size_t)n);
	return 0;
}

int
pb_next(struct pb *m, struct pb_field *f, struct error *e)
{
	uint64_t tag;
	int rc = -1;

	if (m->in.n == 0)
		return 0;
	if (pb_varint(m, &tag, e) == -1)
		return -1;
	if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return error_set(e, "protobuf: a field with a bad number");
	f->number = (uint32_t)(tag >> 3);
	f->bytes = STR_NONE;
	f->v = 0;
	switch (tag & 7) {
	case PB_VARINT:
		f->type = PB_VARINT;
		rc = pb_varint(m, &f->v, e);
		break;
	case PB_FIXED64:
		f->type = PB_FIXED64;
		rc = fixed(m, 8, &f->v, e);
		break;
	case PB_BYTES:
		f->type = PB_BYTES;
		rc = pb_bytes(m, &f->bytes, e);
		break;
	case PB_FIXED32:
		f->type = PB_FIXED32;
		rc = fixed(m, 4, &f->v, e);
		break;
	default:
		return error_set(e, "protobuf: field %u is of no known type",
		    (unsigned)f->number);
	}
	return rc == -1 ? -1 : 1;
}

int
pb_want(const struct pb_field *f, enum pb_type type, struct error *e)
{
	if (f->type == type)
		return 0;
	return error_set(e, "protobuf: field %u is of type %d, not %d",
	    (unsigned)f->number, (int)f->type, (int)type);
}

double
pb_double(uint64_t v)
{
	return num_from_bits(v);
}

void
pb_put_number(struct buf *b, uint32_t number, uint64_t v)
{
	varint_put(b, (uint64_t)number << 3 | PB_VARINT);
	varint_put(b, v);
}

void
pb_put_sint(struct buf *b, uint32_t number, int64_t v)
{
	pb_put_number(b, number, varint_fold(v));
}

void
pb_put_double(struct buf *b, uint32_t number, double v)
{
	uint64_t bits = num_bits(v);

	varint_put(b, (uint64_t)number << 3 | PB_FIXED64);
	for (int i = 0; i < 8; i++)
		buf_byte(b, (char)(unsigned char)(bits >> (8 * i)));
}

void
pb_put_bytes(struct buf *b, uint32_t number, str bytes)
{
	varint_put(b, (uint64_t)number << 3 | PB_BYTES);
	varint_put(b, bytes.n);
	buf_add(b, bytes);
}
