/*
 * The protobuf form of an exposition: io.prometheus.client.MetricFamily, one
 * behind the other, each with its length before it.  It becomes mf text, which
 * metric/expo then reads as it reads everything: metadata, samples, and the
 * HIST, EXEMPLAR and START lines that no page can have.  All names and values
 * are quoted on the way, so that a target cannot forge such a line.
 */
#ifndef WIRE_PROMPROTO_H
#define WIRE_PROMPROTO_H

#include "base/arena.h"
#include "wire/pb.h"

#define PROMPROTO_TYPE                                                         \
	"application/vnd.google.protobuf;"                                     \
	"proto=io.prometheus.client.MetricFamily;encoding=delimited"

/* The text of one page is not longer: a small page could say much more. */
#define PROMPROTO_MAX ((size_t)256 << 20)

enum promproto_how {
	PROMPROTO_NATIVE = 1,  /* native histograms, if they have one */
	PROMPROTO_CLASSIC = 2, /* their classic series beside them, too */
};

struct promproto;

/* page must outlive it. */
struct promproto *promproto_new(str page, unsigned how);
void promproto_free(struct promproto *p);

/*
 * Add the lines of the next metric to text, its family's metadata before the
 * first.  1, 0 at the end, -1 for what is wrong: what was added by then is to
 * be thrown away.
 */
int promproto_next(struct promproto *p, struct buf *text, struct error *e);

#endif
