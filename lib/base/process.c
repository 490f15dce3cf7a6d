/*
 * The process as /proc and the kernel's limits have it, under the names every
 * Prometheus client gives that.
 */
#include "base/process.h"

#include <sys/resource.h>

#include <dirent.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"

struct list {
	struct process_metric *v;
	size_t n;
};

static void
add(struct list *l, const char *name, const char *help, double v)
{
	l->v[l->n++] = (struct process_metric){ name, help, v };
}

/* The n-th field, from 0, of blank-separated text. */
static double
field(str s, size_t n)
{
	double v = 0;
	str f = STR_NONE;

	for (size_t i = 0; i <= n && s.p != NULL; i++)
		f = str_cut(&s, ' ');
	return num_parse(str_trim(f), &v) == 0 ? v : 0;
}

/* The line of a file that begins with key, without it. */
static str
line_of(str text, str key)
{
	while (text.p != NULL) {
		str line = str_cut(&text, '\n');

		if (str_starts(line, key))
			return str_skip(line, key.n);
	}
	return STR_NONE;
}

static double
boot_time(void)
{
	struct buf b = { 0 };
	double v = 0;

	if (file_read("/proc/stat", &b, NULL) == 0)
		v = field(line_of(buf_str(&b), STR("btime ")), 0);
	buf_fini(&b);
	return v;
}

static size_t
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	if (d == NULL)
		return 0;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n - 1; /* the one we looked with */
}

static double
limit(int what)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)what, &l) == -1)
		return 0;
	return (double)l.rlim_cur;
}

static void
add_stat(struct list *l, str stat)
{
	double hz = (double)sysconf(_SC_CLK_TCK);
	double page = (double)sysconf(_SC_PAGESIZE);
	double boot = boot_time();

	add(l, "process_cpu_seconds_total",
	    "CPU time this process has used, user and system, in seconds.",
	    (field(stat, 11) + field(stat, 12)) / hz);
	add(l, "process_resident_memory_bytes",
	    "Memory of this process that is in RAM, in bytes.",
	    field(stat, 21) * page);
	if (boot > 0)
		add(l, "process_start_time_seconds",
		    "When this process began, in seconds since 1970.",
		    boot + field(stat, 19) / hz);
	add(l, "process_virtual_memory_bytes",
	    "Address space of this process, in bytes.", field(stat, 20));
}

/* IpExt has a line of names and a line of values. */
static void
add_network(struct list *l)
{
	struct buf t = { 0 };
	str names, values, rest;
	double in = -1, out = -1;

	if (file_read("/proc/self/net/netstat", &t, NULL) == 0) {
		rest = buf_str(&t);
		names = line_of(rest, STR("IpExt: "));
		values = STR_NONE;
		if (names.n)
			values = line_of(
			    str_from(names.p, rest.p + rest.n), STR("IpExt: "));
		while (names.n > 0 && values.p != NULL) {
			str name = str_cut(&names, ' ');
			str value = str_cut(&values, ' ');

			if (str_eq(name, STR("InOctets")))
				in = field(value, 0);
			if (str_eq(name, STR("OutOctets")))
				out = field(value, 0);
		}
	}
	if (in >= 0)
		add(l, "process_network_receive_bytes_total",
		    "Bytes received in this process's network namespace.", in);
	if (out >= 0)
		add(l, "process_network_transmit_bytes_total",
		    "Bytes sent in this process's network namespace.", out);
	buf_fini(&t);
}

size_t
process_read(struct process_metric v[PROCESS_METRICS])
{
	struct list list = { v, 0 }, *l = &list;
	struct buf t = { 0 };
	str stat;
	size_t n;

	if (file_read("/proc/self/stat", &t, NULL) == 0) {
		/* The name in the second field may hold anything but ')'. */
		stat = buf_str(&t);
		for (n = stat.n; n > 0 && stat.p[n - 1] != ')'; n--)
			;
		add_stat(l, str_skip(stat, n + 1));
	}
	buf_fini(&t);
	add(l, "process_max_fds", "Descriptors this process may have open.",
	    limit(RLIMIT_NOFILE));
	add(l, "process_open_fds", "Descriptors this process has open.",
	    (double)open_fds());
	add(l, "process_virtual_memory_max_bytes",
	    "Address space this process may use, in bytes.", limit(RLIMIT_AS));
	add_network(l);
	return l->n;
}
