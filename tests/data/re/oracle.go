// Asks Go what patterns match, and writes the answers as rows, which
// tests/unit/base-re-rows.c holds base/re against:
//
//	cd tests/data/re && go run oracle.go families.go rows >rows
//	go run oracle.go families.go random SEED COUNT
//
// Rows are fields with tabs between them, \\ \t \n \xHH escaped in them:
//
//	E pattern fault			refused, with these words; * for
//					any, as of a pattern that is not UTF-8
//	M pattern subject whole find	1 if ^(?s:pattern)$ matches; the
//					bounds of the groups, or -
//	R pattern subject with result	ReplaceAllString
//	X pattern subject with result	Expand of ^(?s:pattern)$, - for none
//	Q text result			QuoteMeta
//
// Debian's Go is 1.19. Where 1.22 differs: (?<name>re) is not written here,
// "expression too large" is said for what 1.19 calls an internal error, and
// no character is used that Unicode 13 lacks. rows-1.22 is written by hand.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var out = bufio.NewWriter(os.Stdout)

func esc(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 127 || (r == utf8.RuneError && n == 1):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func row(kind string, fields ...string) {
	out.WriteString(kind)
	for _, f := range fields {
		out.WriteString("\t" + esc(f))
	}
	out.WriteString("\n")
}

type compiled struct {
	text        string
	part, whole *regexp.Regexp
}

// Both forms of a pattern; a row and nil for one that Go refuses.
func compile(p string) *compiled {
	part, err := regexp.Compile(p)
	if err != nil {
		s := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		s = strings.Replace(s, "regexp/syntax: internal error",
			"expression too large", 1)
		if !utf8.ValidString(p) {
			s = "*"
		}
		row("E", p, s)
		return nil
	}
	whole, err := regexp.Compile("^(?s:" + p + ")$")
	if err != nil {
		return nil // a limit that the pattern alone does not reach
	}
	return &compiled{p, part, whole}
}

func (c *compiled) match(s string) {
	find := "-"
	if v := c.part.FindStringSubmatchIndex(s); v != nil {
		find = strings.Trim(fmt.Sprint(v), "[]")
	}
	whole := "0"
	if c.whole.MatchString(s) {
		whole = "1"
	}
	row("M", c.text, s, whole, find)
}

func (c *compiled) replace(s, with string) {
	row("R", c.text, s, with, c.part.ReplaceAllString(s, with))
	if v := c.whole.FindStringSubmatchIndex(s); v != nil {
		row("X", c.text, s, with,
			string(c.whole.ExpandString(nil, with, s, v)))
	} else {
		row("X", c.text, s, with, "-")
	}
}

// What text is made of, when patterns and subjects are made up.
var letters = []string{"a", "b", "c", "A", "k", "S", "0", "7", "_", "-", ".",
	"/", ":", " ", "\n", "é", "ß", "ſ", "K", "α", "Σ", "ς", "日", "😀", "�"}

var classes = []string{`.`, `\d`, `\D`, `\s`, `\S`, `\w`, `\W`, `\pL`, `\PN`,
	`\p{Lu}`, `\P{Greek}`, `\p{^Lu}`, `\p{Any}`, `[a-c]`, `[^a]`, `[^\n]`,
	`[[:alpha:]]`, `[[:^digit:]x]`, `[\d-]`, `[]a]`, `[^]a]`, `[k-s]`,
	`[\w.]`, `[α-ω]`, `[\x{80}-\x{10ffff}]`, `[^\PL]`, `[[:word:]]`,
	`[a-]`, `\x61`, `\x{e9}`, `\141`, `\.`, `\Q.+\E`, `\n`}

var marks = []string{`^`, `$`, `\A`, `\z`, `\b`, `\B`, `(?m:^)`, `(?m:$)`}

var repeats = []string{`*`, `+`, `?`, `*?`, `+?`, `??`, `{2}`, `{0,2}`,
	`{1,}`, `{2,3}?`, `{0}`, `{,2}`}

func quote(s string) string { return regexp.QuoteMeta(s) }

func pick(r *rand.Rand, v []string) string { return v[r.Intn(len(v))] }

// A pattern, and with some luck a text it matches.
func pattern(r *rand.Rand, depth int) (string, string) {
	switch k := r.Intn(20); {
	case depth == 0 || k < 5:
		l := pick(r, letters)
		return regexp.QuoteMeta(l), l
	case k < 8:
		return pick(r, classes), pick(r, letters)
	case k < 9:
		return pick(r, marks), ""
	case k < 13:
		p, s := pattern(r, depth-1)
		q, t := pattern(r, depth-1)
		return p + q, s + t
	case k < 15:
		p, s := pattern(r, depth-1)
		q, t := pattern(r, depth-1)
		if r.Intn(2) == 0 {
			s = t
		}
		return "(" + p + "|" + q + ")", s
	case k < 16:
		p, s := pattern(r, depth-1)
		f := pick(r, []string{"i", "s", "m", "U", "-s", "i-s", "im"})
		return "(?" + f + ":" + p + ")", s
	case k < 17:
		p, s := pattern(r, depth-1)
		return pick(r, []string{"(?P<n>", "(?P<m>", "(?:"}) + p + ")", s
	default:
		p, s := pattern(r, depth-1)
		return "(" + p + ")" + pick(r, repeats), s + s
	}
}

func text(r *rand.Rand) string {
	var b strings.Builder
	for n := r.Intn(7); n > 0; n-- {
		b.WriteString(pick(r, letters))
	}
	return b.String()
}

var noise = []string{"(", ")", "[", "]", "*", "+", "?", "{", "}", "|", "^", "$",
	"\\", "(?", "{2}", "(?i)", "\\Q", "\\E", "[^", "[:", ":]", "-", ".",
	"\\p", "{Lu}", ",", "1001", "\\x", "(?P<", ">", "\xff", "**", "\\C"}

func random(seed int64, n int) {
	r := rand.New(rand.NewSource(seed))
	for ; n > 0; n-- {
		p, s := pattern(r, 1+r.Intn(5))
		if r.Intn(4) == 0 {
			at := r.Intn(len(p) + 1)
			p = p[:at] + pick(r, noise) + p[at:]
		}
		if strings.Contains(p, "(?<") {
			continue
		}
		c := compile(p)
		if c == nil {
			continue
		}
		c.match(s)
		c.match(text(r) + s + text(r))
		c.match(text(r))
		if r.Intn(8) == 0 {
			t := text(r) + s + text(r)
			c.match(t[:r.Intn(len(t)+1)])
			c.match(pick(r, []string{"\xff", "\xe2\x82", "\xc0\xaf"}) + t)
		}
		if r.Intn(4) == 0 {
			c.replace(text(r)+s, pick(r, withs))
		}
	}
}

var withs = []string{"", "x", "$0", "<$1>", "${1}a$2", "$n-${m}", "$1x", "$$",
	"$", "${", "${1", "$é", "$01", "$10", "a$-b", "${n}$n_"}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "rows":
		rows()
	case len(os.Args) == 4 && os.Args[1] == "random":
		seed, _ := strconv.ParseInt(os.Args[2], 10, 64)
		n, _ := strconv.Atoi(os.Args[3])
		random(seed, n)
	default:
		fmt.Fprintln(os.Stderr, "usage: oracle rows | random SEED COUNT")
		os.Exit(2)
	}
	out.Flush()
}
