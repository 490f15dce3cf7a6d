/*
 * A rule file, a page of samples and an engine, for the tests of rule/: what
 * the groups print is collected as text.
 */
#include <stdlib.h>

#include "metric/series.h"
#include "rule/rule.h"

#include "check.h"

struct world {
	struct conf *conf;
	struct rule_set *set;
	struct rule_engine *engine;
	struct series_set *series;
	struct buf out, told;
	size_t faults;
};

static void
world_tell(void *arg, const char *msg)
{
	struct world *w = arg;

	buf_z(&w->told, msg);
	buf_byte(&w->told, '\n');
}

static void
world_batch(void *arg, str text)
{
	struct world *w = arg;

	buf_add(&w->out, text);
}

/* rules is the text of "r.yml"; 0 faults or there is no engine. */
static void
world_init(struct world *w, const char *rules, const struct rule_opts *o)
{
	struct rule_opts none = { .keep_results = true };
	struct error e = { "" };

	*w = (struct world){ 0 };
	w->series = series_new();
	w->set = rule_set_new(o != NULL ? o : &none);
	w->conf = conf_parse(str_of(rules), "r.yml", NULL, &e);
	if (w->conf == NULL) {
		world_tell(w, e.msg);
		w->faults = 1;
		return;
	}
	w->faults = rule_add(w->set, STR("r.yml"), w->conf, world_tell, w);
	if (w->faults == 0)
		w->engine = rule_new(w->set, 0);
}

static void
world_fini(struct world *w)
{
	rule_free(w->engine);
	rule_set_free(w->set);
	conf_free(w->conf);
	series_free(w->series);
	buf_fini(&w->out);
	buf_fini(&w->told);
}

/* A sample of name{a="b"}. */
static inline void
world_add(struct world *w, const char *series, int64_t t, double v)
{
	struct arena a = { 0 };
	struct labels ls;
	struct error e;

	if (label_parse(str_of(series), &a, &ls, &e) == 0)
		(void)series_add(w->series, ls, t, v);
	else
		world_tell(w, e.msg);
	arena_fini(&a);
}

/* One step; what is printed replaces what was there. */
static inline void
world_step(struct world *w, int64_t now, enum rule_mode mode)
{
	struct source src = series_source(w->series);
	struct rule_sink sink = { world_batch, world_tell, w };

	buf_reset(&w->out);
	(void)rule_step(w->engine, &src, now, mode, &sink);
}

static inline bool
world_has(const struct buf *b, const char *text)
{
	bool ok = str_find(buf_str(b), str_of(text)) < b->n;

	if (!ok)
		printf("# no '%s' in:\n# %.*s\n", text, STR_ARG(buf_str(b)));
	return ok;
}

/* A new engine on other rules takes over the state, as a restart does. */
static inline void
world_restart(struct world *w, const char *rules, const struct rule_opts *o,
    int64_t start)
{
	struct world old = *w;
	struct buf state = { 0 };

	rule_save(old.engine, &state);
	world_init(w, rules, o);
	if (w->engine != NULL) {
		struct error e = { "" };

		rule_free(w->engine);
		w->engine = rule_new(w->set, start);
		if (rule_load(w->engine, buf_str(&state), &e) == -1)
			world_tell(w, e.msg);
	}
	series_free(w->series);
	w->series = old.series;
	old.series = NULL;
	world_fini(&old);
	buf_fini(&state);
}
