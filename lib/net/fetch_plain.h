/*
 * Inside of fetch: a connection of the client without libcurl, and what is
 * read from it (fetch_answer.c).
 */
#ifndef NET_FETCH_PLAIN_H
#define NET_FETCH_PLAIN_H

#include "net/fetch_impl.h"
#include "net/fetch_lookup.h"

#define CHUNK_LINE 256 /* of a chunk's size, with its extensions */

enum state {
	RESOLVING,
	CONNECTING,
	SENDING,
	HEAD,
	BODY,
	IDLE,
};

enum framing {
	BY_LENGTH,
	BY_CHUNKS,
	BY_END, /* of the connection */
};

enum chunk {
	CHUNK_SIZE,
	CHUNK_DATA,
	CHUNK_CRLF, /* behind the data */
	CHUNK_TRAILER,
};

struct fetch_plain {
	TAILQ_ENTRY(fetch_plain) entry; /* idle: oldest first */
	struct fetch_plain *next;       /* idle, to the same place */
	struct fetch *fetch;
	struct fetch_job *job; /* NULL: idle */
	str key;               /* where it leads; its own */
	int fd;
	enum state state;
	bool served; /* a request before this one */
	bool keep;   /* it may serve another */
	int64_t since;
	struct fetch_lookup *lookup;
	struct fetch_address address[FETCH_ADDRESSES];
	int naddress, at;
	struct buf out; /* the request */
	size_t sent;
	struct buf head; /* of the answer, as far as it has come */
	int status;
	str type, location; /* in the job's arena */
	enum framing framing;
	uint64_t left; /* of the body, or of the chunk */
	enum chunk chunk;
	char line[CHUNK_LINE];
	size_t nline;
	size_t ntrailer;
};

/*
 * Take what has come of an answer: 1 when it is whole, 0 when there is more to
 * come, -1 when it is wrong: *wrong says why, unless fetch_body_fault() does.
 * p->keep says whether the connection may be used again.
 */
int fetch_answer(struct fetch_plain *p, str in, const char **wrong);

#endif
