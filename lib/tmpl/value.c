/* Values: making them, what is true, their Go types, their JSON. */
#include "base/dur.h"
#include "tmpl/node.h"

struct tmpl_value
tmpl_nil(void)
{
	return (struct tmpl_value){ .kind = TMPL_NIL };
}

struct tmpl_value
tmpl_bool(bool b)
{
	return (struct tmpl_value){ .kind = TMPL_BOOL, .b = b };
}

struct tmpl_value
tmpl_int(int64_t i)
{
	return (struct tmpl_value){ .kind = TMPL_INT, .i = i };
}

struct tmpl_value
tmpl_float(double f)
{
	return (struct tmpl_value){ .kind = TMPL_FLOAT, .f = f };
}

struct tmpl_value
tmpl_string(str s)
{
	return (struct tmpl_value){ .kind = TMPL_STRING, .s = s };
}

struct tmpl_value
tmpl_list(const struct tmpl_value *v, size_t n)
{
	return (
	    struct tmpl_value){ .kind = TMPL_LIST, .list = { v, n, NULL, 0 } };
}

struct tmpl_value
tmpl_strings(struct arena *a, const str *v, size_t n)
{
	struct tmpl_value *items = arena_array(a, n, struct tmpl_value);

	for (size_t i = 0; i < n; i++)
		items[i] = tmpl_string(v[i]);
	return (struct tmpl_value){ .kind = TMPL_LIST,
		.list = { items, n, "[]string", 0 } };
}

struct tmpl_value
tmpl_object(struct arena *a, const struct tmpl_type *type, const void *self)
{
	struct tmpl_object *o = arena_new(a, struct tmpl_object);

	*o = (struct tmpl_object){ type, self };
	return (struct tmpl_value){ .kind = TMPL_OBJECT, .obj = o };
}

struct tmpl_value
tmpl_time(int64_t ms, int32_t ns)
{
	return (
	    struct tmpl_value){ .kind = TMPL_TIME, .time = { ms, ns, NULL } };
}

struct tmpl_value
tmpl_dur(int64_t ns)
{
	return (struct tmpl_value){ .kind = TMPL_DUR, .i = ns };
}

struct tmpl_value
tmpl_elems(struct tmpl_run *r, struct tmpl_value v)
{
	if (v.kind == TMPL_OBJECT && v.obj->type->elems != NULL)
		return v.obj->type->elems(r, v.obj->self);
	return v;
}

const struct tmpl_value *
tmpl_find(struct tmpl_value map, str key)
{
	for (size_t i = 0; i < map.map.n; i++)
		if (str_eq(map.map.v[i].key, key))
			return &map.map.v[i].value;
	return NULL;
}

bool
tmpl_truth(struct tmpl_run *r, struct tmpl_value v)
{
	v = tmpl_elems(r, v);
	switch (v.kind) {
	case TMPL_NIL:
	case TMPL_MISSING:
		return false;
	case TMPL_BOOL:
		return v.b;
	case TMPL_INT:
	case TMPL_DUR:
		return v.i != 0;
	case TMPL_FLOAT:
		return v.f < 0 || v.f > 0 || v.f != v.f;
	case TMPL_STRING:
		return v.s.n > 0;
	case TMPL_LIST:
		return v.list.n > 0;
	case TMPL_MAP:
		return v.map.n > 0;
	case TMPL_OBJECT:
	case TMPL_TIME:
		return true;
	}
	return false;
}

const char *
tmpl_type_name(struct tmpl_value v)
{
	switch (v.kind) {
	case TMPL_NIL:
	case TMPL_MISSING:
		return "<nil>";
	case TMPL_BOOL:
		return "bool";
	case TMPL_INT:
		return "int";
	case TMPL_FLOAT:
		return "float64";
	case TMPL_STRING:
		return "string";
	case TMPL_LIST:
		return v.list.type != NULL ? v.list.type : "[]interface {}";
	case TMPL_MAP:
		return v.map.type != NULL ? v.map.type
					  : "map[string]interface {}";
	case TMPL_OBJECT:
		return v.obj->type->type;
	case TMPL_TIME:
		return "time.Time";
	case TMPL_DUR:
		return "time.Duration";
	}
	return "?";
}

const char *
tmpl_sig_type(char letter)
{
	switch (letter) {
	case 's':
		return "string";
	case 'S':
		return "[]string";
	case 'i':
		return "int";
	case 'f':
		return "float64";
	case 't':
		return "time.Time";
	case 'd':
		return "time.Duration";
	}
	return "interface {}";
}

int
tmpl_sig_take(char letter, struct tmpl_value *v, struct error *e)
{
	const char *want = tmpl_sig_type(letter);

	if (letter == 'v') {
		if (v->kind == TMPL_MISSING)
			*v = tmpl_nil();
		return 0;
	}
	if (v->kind == TMPL_NIL || v->kind == TMPL_MISSING) {
		if (letter != 'S')
			return error_set(e, "invalid value; expected %s", want);
		*v = tmpl_strings(NULL, NULL, 0);
		return 0;
	}
	if (strcmp(tmpl_type_name(*v), want) != 0)
		return error_set(e, "wrong type for value; expected %s; got %s",
		    want, tmpl_type_name(*v));
	return 0;
}

static void
json_time(struct json_writer *w, struct tmpl_value v)
{
	struct buf b = { 0 };

	date_format(
	    &b, v.time.ms, v.time.zone, STR("2006-01-02T15:04:05.999Z07:00"));
	json_str(w, buf_str(&b));
	buf_fini(&b);
}

void
tmpl_json(struct json_writer *w, struct tmpl_value v)
{
	switch (v.kind) {
	case TMPL_NIL:
	case TMPL_MISSING:
		json_nil(w);
		break;
	case TMPL_BOOL:
		json_bool(w, v.b);
		break;
	case TMPL_INT:
	case TMPL_DUR:
		json_int(w, v.i);
		break;
	case TMPL_FLOAT:
		json_num(w, v.f);
		break;
	case TMPL_STRING:
		json_str(w, v.s);
		break;
	case TMPL_LIST:
		json_open(w, '[');
		for (size_t i = 0; i < v.list.n && w->out->n < TMPL_MAX_WORK;
		     i++)
			tmpl_json(w, v.list.v[i]);
		json_close(w, ']');
		break;
	case TMPL_MAP:
		json_open(w, '{');
		for (size_t i = 0; i < v.map.n && w->out->n < TMPL_MAX_WORK;
		     i++) {
			json_key(w, v.map.v[i].key);
			tmpl_json(w, v.map.v[i].value);
		}
		json_close(w, '}');
		break;
	case TMPL_OBJECT:
		if (v.obj->type->json != NULL)
			v.obj->type->json(v.obj->self, w);
		else
			json_nil(w);
		break;
	case TMPL_TIME:
		json_time(w, v);
		break;
	}
}
