/* scrape/mutate: the labels on a page, and those of the series. */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "scrape/mutate.h"
#include "scrape/target.h"

static char dir[] = "/tmp/scrape-mutate.XXXXXX";
static char path[64];

/* Keys of job j, a line, and the series it becomes; "": dropped; or why. */
static const struct row {
	const char *keys, *line, *out;
} rows[] = {
	/* the target's labels win, what was there is kept aside */
	{ "", "a 1", "a{env=\"p\",instance=\"h:1\",job=\"j\"}" },
	{ "", "a{job=\"x\"} 1",
	    "a{env=\"p\",exported_job=\"x\",instance=\"h:1\",job=\"j\"}" },
	{ "", "a{job=\"x\",exported_job=\"y\"} 1",
	    "a{env=\"p\",exported_exported_job=\"x\",exported_job=\"y\","
	    "instance=\"h:1\",job=\"j\"}" },
	{ "", "a{job=\"\",env=\"\"} 1",
	    "a{env=\"p\",instance=\"h:1\",job=\"j\"}" },
	{ "", "a{env=\"1\",job=\"2\",exported_env=\"3\"} 1",
	    "a{env=\"p\",exported_env=\"3\",exported_exported_env=\"1\","
	    "exported_job=\"2\",instance=\"h:1\",job=\"j\"}" },
	/* with honor the page's */
	{ "honor_labels: true", "a{job=\"x\"} 1",
	    "a{env=\"p\",instance=\"h:1\",job=\"x\"}" },
	{ "honor_labels: true", "a{instance=\"\"} 1",
	    "a{env=\"p\",job=\"j\"}" },
	{ "honor_labels: true", "a{ b = \"}{\\\"\" , instance = \"\" } 1",
	    "a{b=\"}{\\\"\",env=\"p\",job=\"j\"}" },
	{ "honor_labels: true", "a{b=\"instance=\\\"\\\"\"} 1",
	    "a{b=\"instance=\\\"\\\"\",env=\"p\",instance=\"h:1\","
	    "job=\"j\"}" },
	{ "honor_labels: true", "{\"a\",\"job\"=\"\"} 1",
	    "a{env=\"p\",instance=\"h:1\"}" },
	{ "honor_labels: true", "a{my_job=\"\",job=\"\"} 1",
	    "a{env=\"p\",instance=\"h:1\"}" },
	/* rules come after that */
	{ "metric_relabel_configs: [{source_labels: [exported_job], "
	  "target_label: job}, {regex: exported_job, action: labeldrop}]",
	    "a{job=\"x\"} 1", "a{env=\"p\",instance=\"h:1\",job=\"x\"}" },
	{ "metric_relabel_configs: [{source_labels: [__name__], regex: 'go_.*',"
	  " action: drop}]",
	    "go_x 1", "" },
	{ "metric_relabel_configs: [{source_labels: [__name__], regex: "
	  "'(.*)_x', target_label: __name__}]",
	    "go_x 1", "go{env=\"p\",instance=\"h:1\",job=\"j\"}" },
	{ "metric_relabel_configs: [{regex: '.*', action: labeldrop}]", "a 1",
	    "" },
	{ "metric_relabel_configs: [{regex: __name__, action: labeldrop}]",
	    "a 1", "missing metric name (__name__ label)" },
	{ "metric_relabel_configs: [{target_label: __name__, replacement: "
	  "'b c'}]",
	    "a 1", "{\"b c\",env=\"p\",instance=\"h:1\",job=\"j\"}" },
	{ "{metric_name_validation_scheme: legacy, metric_relabel_configs: "
	  "[{target_label: __name__, replacement: 'b c'}]}",
	    "a 1", "invalid metric name or label names: b c" },
	{ "metric_name_validation_scheme: legacy", "{\"a.b\"} 1",
	    "invalid metric name or label names: a.b" },
	{ "metric_name_validation_scheme: legacy", "a{\"b.c\"=\"d\"} 1",
	    "invalid metric name or label names: a" },
	/* limits count what is left */
	{ "label_limit: 4", "a 1", "a{env=\"p\",instance=\"h:1\",job=\"j\"}" },
	{ "label_limit: 4", "a{b=\"c\"} 1",
	    "label_limit exceeded (metric: a, number of labels: 5, limit: "
	    "4)" },
	{ "{label_limit: 4, metric_relabel_configs: [{regex: b, action: "
	  "labeldrop}]}",
	    "a{b=\"c\"} 1", "a{env=\"p\",instance=\"h:1\",job=\"j\"}" },
	{ "label_name_length_limit: 7", "a{b=\"c\"} 1",
	    "label_name_length_limit exceeded (metric: a, label name: "
	    "__name__, length: 8, limit: 7)" },
	{ "label_value_length_limit: 3", "a{b=\"1234\"} 1",
	    "label_value_length_limit exceeded (metric: a, label name: b, "
	    "value: \"1234\", length: 4, limit: 3)" },
};

static bool
check(const struct row *r)
{
	struct label address = { STR_INIT("__address__"), STR_INIT("h:1") };
	struct label env = { STR_INIT("env"), STR_INIT("p") };
	struct labels own = { &address, 1 }, group = { &env, 1 };
	struct expo_reader *rd = expo_new(EXPO_PAGE, 0);
	struct buf b = { 0 }, out = { 0 };
	struct arena a = { 0 };
	struct scrape_config *c;
	struct scrape_target t;
	struct label_set set;
	struct promconf *p;
	struct expo_item it;
	struct error e = { "" };
	bool ok;
	int k;

	buf_printf(&b, "scrape_configs:\n- job_name: j\n  %s\n", r->keys);
	if (r->keys[0] == '{') {
		buf_reset(&b);
		buf_printf(
		    &b, "scrape_configs:\n- {job_name: j, %s\n", r->keys + 1);
	}
	CHECK(file_replace(path, buf_str(&b), 0644, &e) == 0);
	p = promconf_load(path, NULL, &e);
	c = p == NULL ? NULL : scrape_load(p, &e);
	if (c == NULL) {
		printf("# %s\n", e.msg);
		exit(1);
	}
	CHECK(target_make(&t, c->jobs[0],
		  target_discovered(&a, c->jobs[0], own, group), true, &a, NULL,
		  NULL, &e) == TARGET_MADE);
	buf_reset(&b);
	buf_printf(&b, "%s\n", r->line);
	expo_feed(rd, buf_str(&b));
	CHECK(expo_next(rd, &it, &e) == 1);
	k = mutate_sample(&t, &it, &set, &a, &e);
	if (k == 1)
		label_print(&out, label_view(&set));
	else if (k == -1)
		buf_z(&out, e.msg);
	ok = str_eq(buf_str(&out), str_of(r->out));
	if (!ok)
		printf("# %s %s\n# got %s\n", r->keys, r->line, buf_cstr(&out));
	label_fini(&set);
	expo_free(rd);
	scrape_config_free(c);
	promconf_free(p);
	arena_fini(&a);
	buf_fini(&out);
	buf_fini(&b);
	return ok;
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/p.yml", dir);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK(check(&rows[i]));
	(void)unlink(path);
	(void)rmdir(dir);
	return done();
}
