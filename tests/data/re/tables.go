// Writes the Unicode tables of lib/base/re_*.c from the Unicode Character
// Database, as Go's unicode package has them. The tables are pinned, so that
// the same pattern means the same on every machine. To make them again, with
// the version of the package unicode-data (15.0 in Debian 12, as Go 1.21+):
//
//	go run tests/data/re/tables.go /usr/share/unicode category |
//	    sh tests/data/re/tables.sh lib/base/re_category.c
//
// and the same with script and fold.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
)

const maxRune = 0x10ffff

// The fields of every line of a file of the database.
func lines(name string, f func(v []string)) {
	in, err := os.Open(os.Args[1] + "/" + name)
	if err != nil {
		panic(err)
	}
	defer in.Close()
	for s := bufio.NewScanner(in); s.Scan(); {
		v := strings.Split(strings.SplitN(s.Text(), "#", 2)[0], ";")
		for i := range v {
			v[i] = strings.TrimSpace(v[i])
		}
		if v[0] != "" {
			f(v)
		}
	}
}

func hex(s string) int {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		panic(err)
	}
	return int(n)
}

// Where a run of equal ids begins: id << 24 | first code point; id 0 is none.
func runs(of []string, name string) {
	seen := map[string]int{}
	var names []string
	for _, s := range of {
		if _, ok := seen[s]; s != "" && !ok {
			seen[s] = 0
			names = append(names, s)
		}
	}
	sort.Strings(names)
	fmt.Printf("static const char *const %s_names[] = {\n", name)
	for i, n := range names {
		seen[n] = i + 1
		fmt.Printf("%q%s ", n, map[bool]string{true: ","}[i+1 < len(names)])
	}
	fmt.Printf("};\n\nstatic const uint32_t %s_runs[] = {\n", name)
	for r := 0; r <= maxRune; r++ {
		if r == 0 || of[r] != of[r-1] {
			sep := ", "
			if r == 0 {
				sep = ""
			}
			fmt.Printf("%s0x%08x", sep, seen[of[r]]<<24|r)
		}
	}
	fmt.Println(" };")
}

func category() {
	of := make([]string, maxRune+1)
	first := 0
	lines("UnicodeData.txt", func(v []string) {
		r := hex(v[0])
		if strings.HasSuffix(v[1], ", First>") {
			first = r
			return
		}
		if !strings.HasSuffix(v[1], ", Last>") {
			first = r
		}
		for ; first <= r; first++ {
			of[first] = v[2]
		}
	})
	runs(of, "category")
}

func script() {
	of := make([]string, maxRune+1)
	lines("Scripts.txt", func(v []string) {
		b := strings.Split(v[0], "..")
		for r := hex(b[0]); r <= hex(b[len(b)-1]); r++ {
			of[r] = v[1]
		}
	})
	runs(of, "script")
}

type run struct{ lo, hi, delta, step int }

// Code points that fold to one form a ring, in order of their numbers.
func fold() {
	rings := map[int][]int{}
	lines("CaseFolding.txt", func(v []string) {
		if v[1] == "C" || v[1] == "S" {
			to := hex(v[2])
			if rings[to] == nil {
				rings[to] = []int{to}
			}
			rings[to] = append(rings[to], hex(v[0]))
		}
	})
	next := make([]int, maxRune+1)
	for _, v := range rings {
		sort.Ints(v)
		for i, r := range v {
			next[r] = v[(i+1)%len(v)]
		}
	}
	var v []run
	for r := 0; r <= maxRune; r++ {
		if next[r] == 0 {
			continue
		}
		d := next[r] - r
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
	fmt.Print("static const struct fold folds[] = { ")
	for i, l := range v {
		if l.step == 0 {
			l.step = 1
		}
		if i > 0 {
			fmt.Print(", ")
		}
		fmt.Printf("{ 0x%x, 0x%x, %d, %d }", l.lo, l.hi, l.delta, l.step)
	}
	fmt.Println(" };")
}

func main() {
	switch os.Args[2] {
	case "category":
		category()
	case "script":
		script()
	case "fold":
		fold()
	}
}
