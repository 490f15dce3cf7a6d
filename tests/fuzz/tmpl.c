/*
 * Any bytes as a template: parsed and run over a notification, or an error, in
 * bounded time, depth and memory; and as matchers and lines of state.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "notify/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char config[] =
    "route: {receiver: r, group_by: [a], routes: [{matchers: [b=~\"c.*\"]}]}\n"
    "receivers: [{name: r, webhook_configs: [{url: 'http://x/'}]}]\n";

static const char data[] =
    "{\"receiver\":\"r\",\"status\":\"firing\",\"alerts\":[{\"status\":"
    "\"firing\",\"labels\":{\"alertname\":\"A\",\"b\":\"c\"},"
    "\"annotations\":{\"summary\":\"s\"},\"startsAt\":"
    "\"2024-01-02T03:04:05Z\"},{\"status\":\"resolved\",\"labels\":"
    "{\"alertname\":\"A\"}}],\"groupLabels\":{\"alertname\":\"A\"}}";

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	str text = { (const char *)p, n };
	struct buf out = { 0 };
	struct error e;
	struct notify_config *c;
	struct notify *w;

	c = notify_config_new(conf_parse(str_of(config), "fuzz", NULL, &e), &e);
	if (n > 0 && p[0] == '#') {
		w = notify_new(c, "http://am", NULL, NULL, NULL);
		notify_load_alerts(w, text);
		notify_load_log(w, text, 1);
		notify_load_silences(w, text);
		notify_step(w, INT64_MAX / 4);
		notify_dump_alerts(w, &out);
		notify_trim_log(text, 1, &out);
		notify_list(w, 5, &out);
		notify_free(w);
	} else
		(void)notify_render(c, str_of(data), text, 0, &out, &e);
	buf_fini(&out);
	notify_config_free(c);
	return 0;
}
