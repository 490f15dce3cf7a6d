/*
 * An HTTP/1.1 answer as it arrives: its head, and its body by length, by chunks
 * or to the end of the connection.  (RFC 9112)
 */

#include "net/fetch_plain.h"

static bool
has_word(str list, const char *word)
{
	while (list.p != NULL) {
		str one = str_trim(str_cut(&list, ','));

		if (str_eq_fold(one, str_of(word)))
			return true;
	}
	return false;
}

static bool
length(str s, uint64_t *n)
{
	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || *n > UINT64_MAX / 10 - 9)
			return false;
		*n = *n * 10 + (uint64_t)(s.p[i] - '0');
	}
	return s.n > 0;
}

/* What a head says beside its status. */
struct says {
	bool length, chunked, close;
	uint64_t n;
};

/* One header; NULL, or what is wrong with it. */
static const char *
header(struct fetch_plain *p, str name, str value, struct says *h)
{
	struct arena *a = &p->job->arena;
	uint64_t n;

	if (str_eq_fold(name, STR("Content-Length"))) {
		if (!length(value, &n) || (h->length && n != h->n))
			return "invalid Content-Length";
		h->length = true;
		h->n = n;
	} else if (str_eq_fold(name, STR("Transfer-Encoding"))) {
		if (!str_eq_fold(value, STR("chunked")) || h->chunked)
			return "unsupported Transfer-Encoding";
		h->chunked = true;
	} else if (str_eq_fold(name, STR("Connection"))) {
		h->close |= has_word(value, "close");
	} else if (str_eq_fold(name, STR("Content-Type")) && p->type.n == 0) {
		p->type = arena_dup(a, value);
	} else if (str_eq_fold(name, STR("Content-Encoding"))) {
		p->job->gzip = str_eq_fold(value, STR("gzip")) ||
		    str_eq_fold(value, STR("x-gzip"));
	} else if (str_eq_fold(name, STR("Location")) && p->location.n == 0) {
		p->location = arena_dup(a, value);
	}
	return NULL;
}

/* "HTTP/1.1 200 OK" */
static bool
status_line(str s, int *minor, int *status)
{
	if (!str_starts(s, STR("HTTP/1.")) || s.n < 12 || s.p[8] != ' ')
		return false;
	*minor = s.p[7] - '0';
	*status = 0;
	for (size_t i = 9; i < 12; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*status = *status * 10 + (s.p[i] - '0');
	}
	return *minor >= 0 && *minor <= 9 && *status >= 100 &&
	    (s.n == 12 || s.p[12] == ' ');
}

/* A line without its end; one that is folded is joined, as Go's client does. */
static str
next_line(struct fetch_plain *p, str *head)
{
	str line = str_cut(head, '\n'), more;

	if (str_ends(line, STR("\r")))
		line.n--;
	while (line.n > 0 && head->n > 0 &&
	    (head->p[0] == ' ' || head->p[0] == '\t')) {
		more = str_trim(str_cut(head, '\n'));
		line = arena_printf(
		    &p->job->arena, "%.*s %.*s", STR_ARG(line), STR_ARG(more));
	}
	return line;
}

static const char *
header_line(struct fetch_plain *p, str line, struct says *h)
{
	size_t colon = str_chr(line, ':');

	if (colon == line.n || colon == 0 || !fetch_safe(line) ||
	    line.p[0] == ' ' || line.p[0] == '\t')
		return "the answer has a malformed header";
	return header(
	    p, str_take(line, colon), str_trim(str_skip(line, colon + 1)), h);
}

/* The lines of a whole head; NULL, or what is wrong. */
static const char *
read_head(struct fetch_plain *p, str head, struct says *h)
{
	const char *wrong = NULL;
	int minor;
	str line = str_cut(&head, '\n');

	if (str_ends(line, STR("\r")))
		line.n--;
	if (!status_line(line, &minor, &p->status))
		return "the answer is not HTTP/1.1";
	h->close = minor == 0;
	p->job->gzip = false;
	p->type = p->location = STR_NONE;
	while (wrong == NULL) {
		line = next_line(p, &head);
		if (line.n == 0)
			break;
		wrong = header_line(p, line, h);
	}
	if (p->status < 300 || p->status > 308 || p->status == 304)
		p->location = STR_NONE;
	return wrong;
}

/*
 * The head is whole: how long is the body?  1: there is none; 0: it follows;
 * -1 and what is wrong.
 */
static int
take_head(struct fetch_plain *p, str head, const char **wrong)
{
	struct says h = { 0 };

	*wrong = read_head(p, head, &h);
	if (*wrong != NULL)
		return -1;
	p->keep = !h.close && !(h.chunked && h.length);
	p->state = BODY;
	p->nline = p->ntrailer = 0;
	p->chunk = CHUNK_SIZE;
	p->framing = h.chunked ? BY_CHUNKS : h.length ? BY_LENGTH : BY_END;
	p->left = h.n;
	if (p->framing == BY_END)
		p->keep = false;
	return p->status == 204 || p->status == 304 ||
	    (p->framing == BY_LENGTH && p->left == 0);
}

/*
 * A line of the chunked form, as far as it goes; true when it is whole.  Of a
 * trailer only its length counts, and whether there is any.
 */
static bool
chunk_line(struct fetch_plain *p, str *in, bool *bad)
{
	size_t n = str_chr(*in, '\n'), room = sizeof(p->line) - p->nline;
	bool whole = n < in->n;

	if (p->chunk == CHUNK_TRAILER) {
		p->ntrailer += n;
		*bad = p->ntrailer > FETCH_MAX_HEAD;
		if (*bad)
			p->job->fault = FETCH_LARGE_HEAD;
	} else {
		*bad = n > room;
	}
	if (*bad)
		return false;
	if (n > room)
		p->nline = sizeof(p->line);
	else if (n > 0) {
		memcpy(p->line + p->nline, in->p, n);
		p->nline += n;
	}
	*in = str_skip(*in, n + whole);
	return whole;
}

static bool
chunk_size(struct fetch_plain *p)
{
	str s = { p->line, p->nline };
	size_t i = 0;

	s = str_trim(str_take(s, str_chr(s, ';')));
	p->nline = 0;
	p->left = 0;
	for (; i < s.n && i < 16; i++) {
		int c = s.p[i] | 0x20;
		int d = s.p[i] >= '0' && s.p[i] <= '9' ? s.p[i] - '0'
		    : c >= 'a' && c <= 'f'             ? c - 'a' + 10
						       : -1;

		if (d == -1)
			return false;
		p->left = p->left << 4 | (uint64_t)d;
	}
	return s.n > 0 && i == s.n;
}

/* Some of a body into it; -1: fetch_body.c does not want it. */
static int
give(struct fetch_plain *p, str *in, size_t n)
{
	char *data = (char *)(uintptr_t)in->p;

	*in = str_skip(*in, n);
	return n == 0 || fetch_body_add(data, 1, n, p->job) == n ? 0 : -1;
}

static int
take_chunks(struct fetch_plain *p, str *in, const char **wrong)
{
	bool bad = false;
	size_t n;

	while (in->n > 0) {
		if (p->chunk == CHUNK_DATA) {
			n = in->n < p->left ? in->n : (size_t)p->left;
			p->left -= n;
			if (p->left == 0)
				p->chunk = CHUNK_CRLF;
			if (give(p, in, n) == -1)
				return -1;
			continue;
		}
		if (!chunk_line(p, in, &bad)) {
			*wrong = "the body is not chunked as it should be";
			if (bad)
				return -1;
			continue;
		}
		if (p->chunk == CHUNK_SIZE) {
			if (!chunk_size(p)) {
				*wrong = "a chunk's size is malformed";
				return -1;
			}
			p->chunk = p->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		} else if (p->chunk == CHUNK_CRLF) {
			if (p->nline > 1 ||
			    (p->nline == 1 && p->line[0] != '\r')) {
				*wrong = "a chunk is longer than it says";
				return -1;
			}
			p->nline = 0;
			p->chunk = CHUNK_SIZE;
		} else {
			if (p->nline == 0 ||
			    (p->nline == 1 && p->line[0] == '\r'))
				return 1;
			p->nline = 0;
		}
	}
	return 0;
}

/* Bytes of the body: 1 when it is whole, 0, -1. */
static int
take_body(struct fetch_plain *p, str *in, const char **wrong)
{
	size_t n = in->n;

	if (p->framing == BY_CHUNKS)
		return take_chunks(p, in, wrong);
	if (p->framing == BY_LENGTH && n > p->left)
		n = (size_t)p->left;
	/* Mostly all of it came with the head: it is read where it is. */
	if (p->framing == BY_LENGTH && n == p->left &&
	    fetch_body_all(p->job, str_take(*in, n))) {
		*in = str_skip(*in, n);
		return 1;
	}
	if (p->framing == BY_LENGTH)
		p->left -= n;
	if (give(p, in, n) == -1)
		return -1;
	return p->framing == BY_LENGTH && p->left == 0;
}

/* Where a head ends: behind its empty line; n if it does not yet. */
static size_t
head_end(str s)
{
	for (size_t i = 0; (i += str_chr(str_skip(s, i), '\n')) < s.n; i++)
		if (i + 1 < s.n &&
		    (s.p[i + 1] == '\n' ||
			(i + 2 < s.n && s.p[i + 1] == '\r' &&
			    s.p[i + 2] == '\n')))
			return i + (s.p[i + 1] == '\n' ? 2 : 3);
	return 0;
}

/*
 * The part of what has been read that a head ends in, if it does; what does
 * not is kept.  Bytes of the body are never copied for it.
 */
static bool
whole_head(struct fetch_plain *p, str *in, str *head)
{
	size_t before = p->head.n, n;

	if (before > 0) {
		/* The end may lie across: its last bytes are enough. */
		buf_add(&p->head, str_take(*in, FETCH_MAX_HEAD));
		*head = buf_str(&p->head);
	} else {
		*head = *in;
	}
	n = head_end(*head);
	if (n == 0) {
		if (before == 0)
			buf_add(&p->head, str_take(*in, FETCH_MAX_HEAD + 1));
		*in = STR_NONE;
		return false;
	}
	head->n = n;
	*in = str_skip(*in, n - before);
	return true;
}

int
fetch_answer(struct fetch_plain *p, str in, const char **wrong)
{
	int rc = 0;
	str head;

	while (p->state == HEAD && in.n > 0) {
		bool whole = whole_head(p, &in, &head);

		if (whole)
			p->job->head += head.n; /* of several, too */
		if ((whole ? p->job->head : p->head.n) > FETCH_MAX_HEAD) {
			p->job->fault = FETCH_LARGE_HEAD;
			return -1;
		}
		if (!whole)
			return 0;
		rc = take_head(p, head, wrong);
		if (rc != -1 && p->status < 200) {
			/* 100 and its like: the answer comes behind it */
			p->state = p->status == 101 ? BODY : HEAD;
			rc = p->status == 101 ? -1 : 0;
		}
		buf_fini(&p->head);
		if (rc == -1)
			return -1;
	}
	if (p->state == BODY && rc == 0 && in.n > 0)
		rc = take_body(p, &in, wrong);
	/* More than was asked for: nobody knows what comes next. */
	if (rc == 1 && in.n > 0)
		p->keep = false;
	return rc;
}
