/*
 * Functions, times, values and printing: each as a template and what comes out,
 * or "!" and a part of its error.  Covers print.c, time.c and value.c.
 */
#include "base/arena.h"
#include "base/quote.h"
#include "check.h"
#include "tmpl/tmpl.h"

static const struct tmpl_func *const tables[] = { tmpl_funcs };

/* 2024-01-02T03:04:05.678Z, and now is an hour later. */
#define T INT64_C(1704164645678)

static bool
gives(const char *template, const char *want)
{
	struct tmpl *t = tmpl_new(tables, 1);
	struct tmpl_pair p[4];
	struct tmpl_value v[2] = { tmpl_int(1), tmpl_string(STR("two")) };
	struct buf out = { 0 };
	struct arena a;
	struct error e;
	bool ok;

	arena_init(&a);
	p[0] = (struct tmpl_pair){ STR("D"), tmpl_dur(INT64_C(5400500000000)) };
	p[1] = (struct tmpl_pair){ STR("L"), tmpl_list(v, 2) };
	p[2] = (struct tmpl_pair){ STR("N"), tmpl_nil() };
	p[3] = (struct tmpl_pair){ STR("T"), tmpl_time(T, 0) };
	tmpl_set_now(t, T + 3600000);
	if (tmpl_text(t, "", str_of(template),
		(struct tmpl_value){
		    .kind = TMPL_MAP, .map = { p, 4, NULL, 0 } },
		&a, NULL, &out, &e) == -1) {
		ok = want[0] == '!' && strstr(e.msg, want + 1) != NULL;
		if (!ok)
			printf("# %s: %s\n", template, e.msg);
	} else {
		ok = str_eq(buf_str(&out), str_of(want));
		if (!ok)
			printf("# %s: got '%s'\n", template, buf_cstr(&out));
	}
	buf_fini(&out);
	arena_fini(&a);
	tmpl_free(t);
	return ok;
}

static void
test_text(void)
{
	CHECK(gives("{{toUpper \"aé\xc3\x9f ѐяω\"}}", "AÉ\xc3\x9f ЀЯΩ"));
	CHECK(gives("{{toLower \"AÉ ЖΣŽ\"}}", "aé жσž"));
	CHECK(gives("{{title \"hELLO wo-rld it's a.b_c 4th\"}}",
	    "Hello Wo-Rld It's A.b_c 4th"));
	CHECK(gives("[{{trimSpace \" \\t a b \\n\"}}]", "[a b]"));
	CHECK(gives(
	    "{{join \", \" (stringSlice \"a\" \"b\" \"c\")}}", "a, b, c"));
	CHECK(gives("{{join \",\" .L}}",
	    "!wrong type for value; expected []string; got []interface {}"));
	CHECK(gives("{{toUpper 5}}", "!expected string; found 5"));
	CHECK(gives(
	    "{{match \"^a+$\" \"aaa\"}}{{match \"b\" \"aaa\"}}", "truefalse"));
	CHECK(gives("{{match \"(\" \"\"}}",
	    "!error calling match: error parsing regexp: missing closing )"));
	CHECK(gives(
	    "{{reReplaceAll \"(a)(b)?\" \"<$2$1>\" \"abcac\"}}", "<ba>c<a>c"));
	CHECK(gives("{{reReplaceAll \"\" \"-\" \"aé\"}}", "-a-é-"));
	CHECK(gives("{{reReplaceAll \"b*\" \"x\" \"abba\"}}", "xaxax"));
	CHECK(gives("{{reReplaceAll \"x\" \"y\" \"\"}}", ""));
	CHECK(gives("{{urlUnescape \"a%20b+%c3%a9\"}}", "a b é"));
	CHECK(gives("{{urlUnescape \"%4\"}}", "!invalid URL escape \"%4\""));
	CHECK(gives("{{safeHtml \"<b>\"}}{{safeUrl \"a b\"}}", "<b>a b"));
}

static void
test_lists(void)
{
	CHECK(gives("{{list 1 \"a\" nil true 1.5}}", "[1 a <nil> true 1.5]"));
	CHECK(gives("{{append (list 1) 2 \"x\" | len}}", "3"));
	CHECK(gives("{{append (stringSlice \"a\") \"x\"}}",
	    "!expected []interface {}; got []string"));
	CHECK(gives("{{dict \"b\" 1 \"a\" 2 \"b\" 3}}", "map[a:2 b:3]"));
	CHECK(gives("{{(dict \"a\" (dict \"b\" \"c\")).a.b}}", "c"));
	CHECK(gives("{{dict \"a\"}}", "!even number of arguments"));
	CHECK(gives("{{dict 1 2}}", "!dict keys must be strings"));
	CHECK(gives("{{dict \"a\" (list 1 \"<\" .T .D nil) | toJson}}",
	    "{\"a\":[1,\"\\u003c\",\"2024-01-02T03:04:05.678Z\","
	    "5400500000000,null]}"));
	CHECK(gives("{{if .N}}a{{else}}b{{end}} {{.N}} {{print .N}}",
	    "b <no value> <nil>"));
}

static void
test_time(void)
{
	CHECK(gives("{{.T}}", "2024-01-02 03:04:05.678 +0000 UTC"));
	CHECK(gives("{{date \"Mon 02 Jan 2006 15:04:05.000 MST\" .T}}",
	    "Tue 02 Jan 2024 03:04:05.678 UTC"));
	CHECK(gives("{{.T | tz \"Europe/Paris\" | date \"15:04 -0700\"}}",
	    "04:04 +0100"));
	CHECK(gives("{{tz \"No/Where\" .T}}", "!unknown time zone No/Where"));
	CHECK(gives("{{tz \"../../etc/passwd\" .T}}", "!unknown time zone"));
	CHECK(
	    gives("{{since .T}} {{now.Sub .T}} {{since .T | humanizeDuration}}",
		"1h0m0s 1h0m0s 1h 0m 0s"));
	CHECK(gives("{{.T.Unix}} {{.T.UnixMilli}} {{.T.Year}} {{.T.Month}} "
		    "{{.T.Day}} {{.T.Weekday}} {{.T.YearDay}} {{.T.Hour}}:"
		    "{{.T.Minute}}:{{.T.Second}}",
	    "1704164645 1704164645678 2024 January 2 Tuesday 2 3:4:5"));
	CHECK(gives("{{(.T.Add .D).Format \"15:04:05.000\"}} "
		    "{{(.T.Add .D).After .T}}{{.T.Before .T}}{{.T.Equal .T}}",
	    "04:34:06.178 truefalsetrue"));
	CHECK(gives("{{.T.IsZero}} {{.T.UTC.String}}",
	    "false 2024-01-02 03:04:05.678 +0000 UTC"));
	CHECK(gives("{{.D}} {{.D.Seconds}} {{.D.Minutes}} {{.D.Hours}} "
		    "{{.D.Milliseconds}} {{.D.String}}",
	    "1h30m0.5s 5400.5 90.00833333333334 1.500138888888889 5400500 "
	    "1h30m0.5s"));
	CHECK(gives("{{.D.Round 1000000000}} {{.D.Truncate 60000000000}} "
		    "{{.D.Abs}}",
	    "1h30m1s 1h30m0s 1h30m0.5s"));
	CHECK(gives("{{.D.Nope}}",
	    "!can't evaluate field Nope in type "
	    "time.Duration"));
	CHECK(gives(
	    "{{date \"15\" 5}}", "!can't handle 5 for arg of type time.Time"));
}

static void
test_humanize(void)
{
	CHECK(gives("{{humanizeDuration 0}} {{humanizeDuration 59.95}} "
		    "{{humanizeDuration 3600}} {{humanizeDuration 90061}}",
	    "0s 59.95s 1h 0m 0s 1d 1h 1m 1s"));
	CHECK(gives("{{humanizeDuration -0.0021}} {{humanizeDuration -61}} "
		    "{{humanizeDuration \"1e-7\"}}",
	    "-2.1ms -1m 1s 100ns"));
	CHECK(gives("{{humanizeDuration \"x\"}}",
	    "!strconv.ParseFloat: parsing \"x\": invalid syntax"));
	CHECK(gives("{{humanizeDuration .L}}",
	    "!can't convert []interface {} to float"));
}

static void
test_printf(void)
{
	CHECK(gives("{{printf \"%d|%5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%b\" 42 "
		    "42 42 42 42 42 42 42 42 42 5}}",
	    "42|   42|42   |00042|+42| 42|2a|2A|0x2a|52|101"));
	CHECK(gives("{{printf \"%.3d|%8.3d|%.0d\" 5 -5 0}}", "005|    -005|"));
	CHECK(gives("{{printf \"%f|%.2f|%8.3f|%-8.1f|%08.2f|%e|%g|%G\" 1.5 "
		    "3.14159 2.5 2.5 -2.5 1234.5 1e21 1e-7}}",
	    "1.500000|3.14|   2.500|2.5     |-0002.50|1.234500e+03|1e+21|"
	    "1E-07"));
	CHECK(gives("{{printf \"%s|%5s|%-5s|%.2s|%q|%x|% X\" \"abc\" \"é\" "
		    "\"é\" \"éàü\" \"a\\n\\\"é\" \"hi\" \"hi\"}}",
	    "abc|    é|é    |éà|\"a\\n\\\"é\"|6869|68 69"));
	CHECK(gives("{{printf \"%t|%v|%c|%q|%U|%#U\" true false 233 65 233 "
		    "233}}",
	    "true|false|é|'A'|U+00E9|U+00E9 'é'"));
	CHECK(gives("{{printf \"%T %T %T %T %T\" 1 1.5 \"s\" .L .T}}",
	    "int float64 string []interface {} time.Time"));
	CHECK(gives("{{printf \"%v %s %d\" .L .L .L}}",
	    "[1 two] [%!s(int=1) two] [1 %!d(string=two)]"));
	CHECK(
	    gives("{{printf \"%d %s\" \"a\" 5}}", "%!d(string=a) %!s(int=5)"));
	CHECK(gives(
	    "{{printf \"%d\" nil}} {{printf \"%v\" nil}}", "%!d(<nil>) <nil>"));
	CHECK(gives("{{printf \"%d %d\" 1}}{{printf \"%%\" 1}}{{printf \"%\"}}",
	    "1 %!d(MISSING)%%!(EXTRA int=1)%!(NOVERB)"));
	CHECK(gives("{{printf \"%[2]d %[1]d %[3]d %[x]d\" 1 2}}",
	    "2 1 %!d(BADINDEX) %!d(BADINDEX)"));
	CHECK(gives(
	    "{{printf \"%*d|%-*d|%.*f\" 5 1 3 2 1 2.55}}", "    1|2  |2.5"));
	CHECK(gives("{{printf \"%*d\" \"x\" 1}}", "%!(BADWIDTH)1"));
	CHECK(gives("{{print 1 2 \"a\" \"b\" 3 4.5}} {{println 1 \"a\"}}",
	    "1 2ab3 4.5 1 a\n"));
	CHECK(gives("{{1000000.0}} {{123456.0}} {{1e5}} {{0.00001}}",
	    "1e+06 123456 100000 1e-05"));
}

static void
test_values(void)
{
	struct buf b = { 0 };
	struct arena a;
	str out;

	arena_init(&a);
	quote_add(&b, STR("a\t\x01\xff\xe2\x80\xa8é\\\""));
	CHECK_STR(buf_str(&b), "\"a\\t\\x01\\xff\\u2028é\\\\\\\"\"");
	CHECK(tmpl_unquote(&a, buf_str(&b), &out, NULL) == 0);
	CHECK_STR(out, "a\t\x01\xff\xe2\x80\xa8é\\\"");
	CHECK(tmpl_unquote(&a, STR("\"\\'\""), &out, NULL) == -1);
	CHECK(!tmpl_truth(NULL, tmpl_string(STR_NONE)));
	CHECK(tmpl_truth(NULL, tmpl_time(0, 0)));
	CHECK(!tmpl_truth(NULL, tmpl_list(NULL, 0)));
	CHECK(strcmp(tmpl_type_name(tmpl_dur(1)), "time.Duration") == 0);
	buf_fini(&b);
	arena_fini(&a);
}

int
main(void)
{
	test_text();
	test_lists();
	test_time();
	test_humanize();
	test_printf();
	test_values();
	return done();
}
