/*
 * Sending: through net/fetch, or in a dry run as a line of JSON on stdout.
 * What the state needs is on disk before a delivery begins, and that it was
 * sent as soon as the answer is there.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "notify_cmd.h"

#define PATIENCE (INT64_C(30) * 1000000000) /* ns, for the last answers */

struct sending {
	struct notify_sender *s;
	uint64_t id;
	struct fetch_header headers[2];
	size_t nheaders;
	TAILQ_ENTRY(sending) entry;
};

int64_t
notify_sender_now(const struct notify_sender *s)
{
	return s->virtual_now != 0 ? s->virtual_now : tool_now();
}

static void
answer(struct notify_sender *s, uint64_t id, const struct notify_answer *a)
{
	struct error e = { "" };

	switch (notify_answer(s->n, id, a, notify_sender_now(s), &e)) {
	case NOTIFY_SENT:
		break;
	case NOTIFY_RETRY:
		tool_note("%s; will be tried again", e.msg);
		break;
	case NOTIFY_FAILED:
		tool_warn("%s", e.msg);
		s->failed++;
		break;
	}
	notify_files_write(s->files, s->n, true);
}

static void
answered(void *arg, const struct fetch_answer *fa)
{
	struct sending *x = arg;
	struct notify_answer a = { fa->error, fa->status, fa->content_type,
		fa->body };

	TAILQ_REMOVE(&x->s->under_way, x, entry);
	answer(x->s, x->id, &a);
	free(x);
}

static void
begin(struct notify_sender *s, const struct notify_delivery *d)
{
	struct sending *x = mem_zero(1, sizeof(*x));
	struct fetch_request q = { .method = "POST",
		.url = d->url,
		.headers = x->headers,
		.body = d->body,
		.timeout = d->timeout,
		.max_body = (size_t)1 << 20,
		.auth = d->auth,
		.done = answered,
		.arg = x };
	struct notify_answer a = { .error = NULL };
	struct error e;

	x->s = s;
	x->id = d->id;
	x->headers[x->nheaders++] = (struct fetch_header){ STR("Content-Type"),
		STR("application/json") };
	if (d->authorization.n > 0)
		x->headers[x->nheaders++] =
		    (struct fetch_header){ STR("Authorization"),
			    d->authorization };
	q.nheaders = x->nheaders;
	if (s->fetch == NULL)
		s->fetch = fetch_new(tool_clock(), "mf/" VERSION,
		    s->o->connect.v, s->o->connect.n);
	if (fetch_add(s->fetch, &q, &e) == 0) {
		TAILQ_INSERT_TAIL(&s->under_way, x, entry);
		return;
	}
	a.error = "not a URL that can be sent to";
	answer(s, x->id, &a);
	free(x);
}

/* The delivery as a line; its body is JSON already. */
static void
print(struct notify_sender *s, const struct notify_delivery *d)
{
	struct notify_answer a = { NULL, 200, STR("text/plain"), STR("ok") };
	struct json_writer w;
	struct buf b = { 0 };

	json_init(&w, &b, false);
	json_open(&w, '{');
	json_key(&w, STR("t"));
	json_int(&w, d->t);
	json_key(&w, STR("receiver"));
	json_str(&w, d->receiver);
	json_key(&w, STR("integration"));
	json_str(&w, d->integration);
	json_key(&w, STR("groupKey"));
	json_str(&w, d->group_key);
	json_key(&w, STR("reason"));
	json_str(&w, d->reason);
	json_key(&w, STR("url"));
	json_str(&w, d->url);
	json_key(&w, STR("body"));
	json_raw(&w, str_trim(d->body));
	json_close(&w, '}');
	buf_byte(&b, '\n');
	tool_print(&b);
	answer(s, d->id, &a);
}

void
notify_send(struct notify_sender *s)
{
	const struct notify_delivery *d;
	bool synced = false;

	while ((d = notify_next(s->n, notify_sender_now(s))) != NULL) {
		if (!synced)
			notify_files_write(s->files, s->n, true);
		synced = true;
		if (s->o->dry)
			print(s, d);
		else
			begin(s, d);
	}
	notify_files_write(s->files, s->n, false);
}

void
notify_send_cancel(struct notify_sender *s)
{
	struct sending *x;

	fetch_free(s->fetch);
	s->fetch = NULL;
	while ((x = TAILQ_FIRST(&s->under_way)) != NULL) {
		TAILQ_REMOVE(&s->under_way, x, entry);
		free(x);
	}
}

void
notify_send_finish(struct notify_sender *s)
{
	const struct clock *c = tool_clock();
	int64_t end = c->mono(c->arg) + PATIENCE;
	struct error e;

	while (s->fetch != NULL && fetch_pending(s->fetch) > 0) {
		int64_t left = (end - c->mono(c->arg)) / 1000000;

		if (left <= 0)
			return;
		if (fetch_step(s->fetch, NULL, 0, (int)left, &e) == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
	}
}
