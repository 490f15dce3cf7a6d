/*
 * Any bytes as JSON; what is taken is written again and must be taken again
 * as the same text.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
put(struct json_writer *w, const struct json_value *v)
{
	if (v->kind == JSON_OBJECT || v->kind == JSON_ARRAY) {
		json_open(w, v->kind == JSON_OBJECT ? '{' : '[');
		for (size_t i = 0; i < v->n; i++) {
			if (v->kind == JSON_OBJECT)
				json_key(w, v->v[i].key);
			put(w, &v->v[i]);
		}
		json_close(w, v->kind == JSON_OBJECT ? '}' : ']');
	} else if (v->kind == JSON_STRING) {
		json_str(w, v->string);
	} else if (v->kind == JSON_BOOL) {
		json_bool(w, v->boolean);
	} else if (v->kind == JSON_NULL) {
		json_nil(w);
	} else if (v->is_int) {
		json_int(w, v->integer);
	} else {
		json_num(w, v->number);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = { 0 };
	struct buf out[3] = { 0 };
	struct json_writer w;
	struct error e;
	const struct json_value *v;
	str text;

	/* Once through the writer, text is its own fixed point (but -0). */
	text = (str){ (const char *)p, n };
	for (int i = 0; i < 3; i++) {
		v = json_parse(&a, text, &e);
		if (v == NULL && i > 0)
			__builtin_trap();
		if (v == NULL)
			break;
		json_init(&w, &out[i], true);
		put(&w, v);
		text = buf_str(&out[i]);
	}
	if (!str_eq(buf_str(&out[1]), buf_str(&out[2])))
		__builtin_trap();
	for (int i = 0; i < 3; i++)
		buf_fini(&out[i]);
	arena_fini(&a);
	return 0;
}
