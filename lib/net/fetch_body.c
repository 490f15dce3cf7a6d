/*
 * A body as it arrives, by libcurl or without it: uncompressed here, since
 * libcurl would take a gzip stream that was cut off for a whole one, and
 * counted here, since libcurl's own limit is one of bytes on the wire, which a
 * gzip bomb keeps. tests/unit/net-fetch.c sends it all of that.
 */
#include <strings.h>

#include "net/fetch_impl.h"

#define SMALL_BODY ((size_t)16 << 20) /* suffers nothing from the others */
#define ROOM 16384                    /* at least, to uncompress into */
#define GATHER ((size_t)64 << 10)     /* compressed bytes of a usual page */

/* May j hold more?  Many large bodies may be more than the machine has. */
static bool
may_hold(struct fetch_job *j)
{
	if (j->body.n >= j->max_body)
		j->fault = FETCH_TOO_LARGE;
	else if (j->fetch->held > j->fetch->max_held && j->body.n > SMALL_BODY)
		j->fault = FETCH_CROWDED;
	return j->fault == FETCH_SOUND;
}

static bool
take(struct fetch_job *j, const char *p, size_t n)
{
	/* no more than shows that it is too large */
	if (n > j->max_body - j->body.n)
		n = j->max_body - j->body.n;
	buf_add(&j->body, (str){ p, n });
	j->fetch->held += n;
	return may_hold(j);
}

/* A gzip stream is one member behind another, as Go's reader has it. */
static bool
expand(struct fetch_job *j, const char *p, size_t n)
{
	z_stream *z = &j->z;
	size_t room;
	int rc;

	z->next_in = (Bytef *)(uintptr_t)p;
	z->avail_in = (uInt)n;
	while (z->avail_in > 0) {
		if (j->member_end && inflateReset(z) != Z_OK)
			return false;
		j->member_end = false;
		z->next_out = (Bytef *)buf_reserve(&j->body, ROOM);
		room = j->body.cap - j->body.n - 1;
		if (room > j->max_body - j->body.n)
			room = j->max_body - j->body.n;
		z->avail_out = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
		room = z->avail_out;
		rc = inflate(z, Z_NO_FLUSH);
		room -= z->avail_out;
		j->body.n += room;
		j->fetch->held += room;
		j->member_end = rc == Z_STREAM_END;
		if (!may_hold(j))
			return false;
		if (rc != Z_OK && rc != Z_STREAM_END) {
			j->fault = FETCH_DAMAGED;
			return false;
		}
	}
	return true;
}

static bool
says_gzip(const struct fetch_job *j)
{
	struct curl_header *h;

	if (j->plain != NULL)
		return j->gzip;
	return j->fetch->curl.header(j->easy, "Content-Encoding", 0,
		   CURLH_HEADER, -1, &h) == CURLHE_OK &&
	    (strcasecmp(h->value, "gzip") == 0 ||
		strcasecmp(h->value, "x-gzip") == 0);
}

/* The first bytes of a body: is it compressed? */
static void
begin(struct fetch_job *j)
{
	j->begun = true;
	j->member_end = false;
	j->compressed = says_gzip(j);
	j->gathered = j->compressed;
}

static bool
begin_stream(struct fetch_job *j)
{
	j->gathered = false;
	if (j->z_ready)
		return inflateReset(&j->z) == Z_OK;
	j->z_ready = inflateInit2(&j->z, 15 + 16) == Z_OK;
	return j->z_ready;
}

/* What was gathered is uncompressed piece by piece after all. */
static bool
stream(struct fetch_job *j)
{
	struct buf first = j->body;
	str in = j->whole.n > 0 ? j->whole : buf_str(&first);
	bool good;

	j->fetch->held -= first.n;
	j->body = (struct buf){ 0 };
	j->whole = STR_NONE;
	good = begin_stream(j) && expand(j, in.p, in.n);
	buf_fini(&first);
	return good;
}

/*
 * A page is best uncompressed when all of it is there: until it is too long for
 * one it is kept as it comes.
 */
static bool
gather(struct fetch_job *j, const char *p, size_t n)
{
	size_t max = j->max_body < GATHER ? j->max_body : GATHER;

	if (!j->gathered)
		return expand(j, p, n);
	if (j->body.n + n < max)
		return take(j, p, n);
	return stream(j) && expand(j, p, n);
}

size_t
fetch_body_add(char *p, size_t size, size_t n, void *arg)
{
	struct fetch_job *j = arg;

	n *= size;
	if (!j->begun)
		begin(j);
	return (j->compressed ? gather(j, p, n) : take(j, p, n)) ? n : 0;
}

char *
fetch_body_room(struct fetch_job *j, size_t *n)
{
	if (!j->begun || j->compressed)
		return NULL;
	/* no more than shows that it is too large */
	if (*n > j->max_body - j->body.n)
		*n = j->max_body - j->body.n;
	return buf_reserve(&j->body, *n);
}

bool
fetch_body_got(struct fetch_job *j, size_t n)
{
	j->body.n += n;
	j->fetch->held += n;
	return may_hold(j);
}

bool
fetch_body_all(struct fetch_job *j, str body)
{
	if (j->begun || body.n >= j->max_body)
		return false;
	begin(j);
	j->whole = body;
	return true;
}

str
fetch_body(const struct fetch_job *j)
{
	return j->whole.n > 0 ? j->whole : buf_str(&j->body);
}

/* libcurl keeps every header, and counts none of those behind a body. */
size_t
fetch_body_head(char *p, size_t size, size_t n, void *arg)
{
	struct fetch_job *j = arg;

	(void)p;
	n *= size;
	j->head += n;
	if (j->head <= FETCH_MAX_HEAD)
		return n;
	j->fault = FETCH_LARGE_HEAD;
	return 0;
}

/* What was gathered is all there is. */
static void
unpack(struct fetch_job *j)
{
	str in = j->whole.n > 0 ? j->whole : buf_str(&j->body), out;

	if (!fetch_gzip(j->fetch, in, j->max_body, &out)) {
		(void)stream(j);
		return;
	}
	j->fetch->held -= j->body.n;
	buf_reset(&j->body);
	j->whole = out;
	j->member_end = true;
}

bool
fetch_body_whole(struct fetch_job *j, int status)
{
	bool compressed = j->begun
	    ? j->compressed
	    : status == 200 && strcmp(j->method, "GET") == 0 && says_gzip(j);

	if (j->begun && j->gathered)
		unpack(j);
	/* the empty body of a page is no gzip stream either */
	if (compressed && !j->member_end && j->fault == FETCH_SOUND)
		j->fault = FETCH_CUT;
	return j->fault == FETCH_SOUND;
}

const char *
fetch_body_fault(struct fetch_job *j)
{
	switch (j->fault) {
	case FETCH_SOUND:
		break;
	case FETCH_TOO_LARGE:
		return arena_cstr(&j->arena,
		    arena_printf(&j->arena,
			"the body is larger than the limit of %zu bytes",
			j->max_body));
	case FETCH_CROWDED:
		return "too much memory is held by the bodies of other answers";
	case FETCH_DAMAGED:
		return "the body is no gzip stream";
	case FETCH_CUT:
		return "the compressed body ends too early";
	case FETCH_LARGE_HEAD:
		return "Too large response headers";
	}
	return NULL;
}

void
fetch_body_drop(struct fetch_job *j)
{
	j->fetch->held -= j->body.n;
	buf_reset(&j->body);
	j->whole = STR_NONE;
	j->begun = j->member_end = j->gathered = false;
	j->head = 0;
	j->fault = FETCH_SOUND;
}

void
fetch_body_fini(struct fetch_job *j)
{
	buf_fini(&j->body);
	if (j->z_ready)
		inflateEnd(&j->z);
	j->z_ready = false;
}
