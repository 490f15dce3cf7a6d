// Writes the Unicode tables of lib/base/re_*.c on stdout, from those of the
// Go that runs it: go run tables.go category|script|fold. The tables are
// pinned, so that the same pattern means the same on every machine.
package main

import (
	"fmt"
	"os"
	"sort"
	"unicode"
)

func each(t *unicode.RangeTable, f func(r rune)) {
	for _, r := range t.R16 {
		for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
			f(c)
		}
	}
	for _, r := range t.R32 {
		for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
			f(c)
		}
	}
}

// Where a run of equal ids begins: id << 24 | first code point; id 0 is none.
func runs(m map[string]*unicode.RangeTable, length int, name string) {
	var names []string
	for n := range m {
		if length == 0 || len(n) == length {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	of := make([]int, unicode.MaxRune+2)
	for i, n := range names {
		each(m[n], func(r rune) { of[r] = i + 1 })
	}
	fmt.Printf("static const char *const %s_names[] = {\n", name)
	for _, n := range names {
		fmt.Printf("%q, ", n) // the last comma is taken away by hand
	}
	fmt.Printf("};\n\nstatic const uint32_t %s_runs[] = {\n", name)
	for r := 0; r <= unicode.MaxRune; r++ {
		if r == 0 || of[r] != of[r-1] {
			fmt.Printf("0x%08x, ", of[r]<<24|r)
		}
	}
	fmt.Println("};")
}

type run struct{ lo, hi, delta, step rune }

func fold() {
	var v []run
	for r := rune(0); r <= unicode.MaxRune; r++ {
		d := unicode.SimpleFold(r) - r
		if d == 0 {
			continue
		}
		done := false
		for k := len(v) - 1; k >= 0 && k >= len(v)-2 && !done; k-- {
			l := &v[k]
			s := r - l.hi
			if l.delta == d && s <= 2 && (l.step == 0 || l.step == s) {
				l.hi, l.step, done = r, s, true
			}
		}
		if !done {
			v = append(v, run{r, r, d, 0})
		}
	}
	fmt.Println("static const struct fold folds[] = {")
	for _, l := range v {
		if l.step == 0 {
			l.step = 1
		}
		fmt.Printf("{ 0x%x, 0x%x, %d, %d }, ", l.lo, l.hi, l.delta, l.step)
	}
	fmt.Println("};")
}

func main() {
	switch os.Args[1] {
	case "category":
		runs(unicode.Categories, 2, "category")
	case "script":
		runs(unicode.Scripts, 0, "script")
	case "fold":
		fold()
	}
}
