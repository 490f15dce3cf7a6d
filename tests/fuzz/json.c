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
	struct buf one = { 0 }, two = { 0 };
	struct json_writer w;
	struct error e;
	const struct json_value *v;

	v = json_parse(&a, (str){ (const char *)p, n }, &e);
	if (v != NULL) {
		json_init(&w, &one, true);
		put(&w, v);
		v = json_parse(&a, buf_str(&one), &e);
		if (v == NULL)
			__builtin_trap();
		json_init(&w, &two, true);
		put(&w, v);
		if (!str_eq(buf_str(&one), buf_str(&two)))
			__builtin_trap();
	}
	buf_fini(&one);
	buf_fini(&two);
	arena_fini(&a);
	return 0;
}
