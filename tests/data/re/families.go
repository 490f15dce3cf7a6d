package main

import "strings"

// Patterns by family: what Go takes, what it refuses and others take.
var syntax = []string{
	// repetition
	`a*+`, `a++`, `a?+`, `a{2,3}+`, `a**`, `a?*`, `a+*`, `a{2}{3}`, `a{2}*`,
	`a*?`, `a+?`, `a??`, `a{2}?`, `a*??`, `*`, `+a`, `?`, `{2}`, `{`, `{}`,
	`{a}`, `a{`, `a{}`, `a{,}`, `a{,2}`, `a{2`, `a{2,`, `a{2,3`, `a{2,3}`,
	`a{02}`, `a{0}`, `a{0,0}`, `a{1000}`, `a{1001}`, `a{1,1001}`, `a{2,1}`,
	`a{99999999999}`, `a{1,99999999999}`, `(a{100}){10}`, `(a{100}){11}`,
	`(a{100}){100}`, `((a{10}){10}){10}`, `((a{10}){10}){11}`,
	`((a{100}){0}){100}`, `(a{0,1}){1000}`, `(a*){1000}`, `(a{1,}){1000}`,
	`(a{2,}){501}`, `(|a)*`, `(a|)+`, `^*`, `$*`, `\b*`, `\b+`, `^{2}`,
	`(?i)*`, `a(?i)*`, `a*(?i)*`, `|*`, `(*)`, `(|*)`, `(?:)*`, `()*`, `a|*`,
	// groups and flags
	`(`, `)`, `()`, `(a`, `a)`, `(a))`, `((a)`, `(?:a)`, `(?:a`, `(?`, `(?i`,
	`(?i)`, `(?i:a)`, `(?-i)`, `(?-)`, `(?i-)`, `(?--i)`, `(?i-s)a`,
	`(?-i-s)`, `(?x)a`, `(?n)a`, `(?J)a`, `(?^)a`, `(?ismU)a`, `(?)`, `(?:)`,
	`(?=a)`, `(?!a)`, `(?#c)`, `(?>a)`, `(?|a)`, `(?R)`, `(?1)`, `(?&n)`,
	`(?P=n)`, `(?P>n)`, `(?C1)`, `(?'n'a)`, `(?P<n>a)`, `(?P<1n>a)`, `(?P<`,
	`(?P<n`, `(?P<n>`, `(?P<>a)`, `(?P<n m>a)`, `(?P<é>a)`, `(?P<n-m>a)`,
	`(?P<n>a)(?P<n>b)`, `(?P`, `(?Px`, `(*FAIL)`, `(*COMMIT)`, `(*ACCEPT)`,
	`(*MARK:x)`, `(a)(?i)B(c)`, `(?i)a(?-i)b`, `((?i)a)b`, `a|(?i)b|c`,
	`(?s).`, `(?s-s:.)`, `(?m)^a$`, `(?U)a+`, `(?U)a+?`, `(?U:a*)b`,
	`(?i)ß`, `(?i)k`, `(?i)[k]`, `(?i)[^k]`, `(?i)ſ`, `(?i)Σ`,
	// escapes
	`\`, `a\`, `\a`, `\b`, `\c`, `\d`, `\e`, `\f`, `\g`, `\h`, `\i`, `\j`,
	`\k`, `\l`, `\m`, `\n`, `\o`, `\q`, `\r`, `\s`, `\t`, `\u`, `\v`, `\w`,
	`\y`, `\z`, `\A`, `\B`, `\C`, `\D`, `\E`, `\F`, `\G`, `\H`, `\K`, `\L`,
	`\N`, `\O`, `\Q`, `\R`, `\S`, `\U`, `\V`, `\W`, `\X`, `\Y`, `\Z`, `\_`,
	`\-`, `\ `, `\!`, `\/`, `\"`, `\é`, `\cA`, `\o{101}`, `\0`, `\1`, `\01`,
	`\012`, `\123`, `\8`, `\18`, `\377`, `\400`, `\x`, `\x4`, `\x41`,
	`\x{41}`, `\x{}`, `\x{`, `\x{4`, `\x{110000}`, `\x{10ffff}`, `\xg`,
	`\x{d800}`, `\k<n>`, `\g1`, `\g{-1}`, `\N{U+41}`, `\Qa*\E`, `\Qa*`,
	`\Q\E`, `\Qa\E*`, `\Q\\E`, `\Qab\E+`, `a\Qb\`, `\E`, `a\\b`,
	// classes
	`[`, `[]`, `[]]`, `[^]`, `[^]]`, `[a`, `[a]`, `[^a]`, `[a-`, `[a-]`,
	`[-a]`, `[a-c]`, `[c-a]`, `[a-a]`, `[a-c-e]`, `[a--]`, `[--a]`, `[\d-z]`,
	`[a-\d]`, `[\w-]`, `[\b]`, `[\B]`, `[\A]`, `[\z]`, `[\Q]\E]`, `[\E]`,
	`[[:alpha:]]`, `[[:^alpha:]]`, `[[:word:]]`, `[[:alnum:]]`,
	`[[:ascii:]]`, `[[:blank:]]`, `[[:cntrl:]]`, `[[:digit:]]`,
	`[[:graph:]]`, `[[:lower:]]`, `[[:print:]]`, `[[:punct:]]`,
	`[[:space:]]`, `[[:upper:]]`, `[[:xdigit:]]`, `[[:foo:]]`, `[[:<:]]`,
	`[[:alpha:`, `[[:alpha:]`, `[[:alpha]]`, `[:alpha:]`, `[[.a.]]`,
	`[[=a=]]`, `[[:d:]]`, `[[:alpha:]-z]`, `[a[:digit:]b]`, `[\x41-\x43]`,
	`[\n-\r]`, `[é-ü]`, `[^é]`, `[\pL]`, `[^\pL]`, `[\PL\d]`, `[\p{Lu}-z]`,
	`[\x{0}-\x{10ffff}]`, `[^\x{0}-\x{10ffff}]`, `[.]`, `[*+?]`, `[\\]`,
	`[\]]`, `[[]`, `[[a]`, `[a&&b]`, `[^\n]`, `(?i)[a-z]`, `(?i)[^a-z]`,
	`(?i)[[:lower:]]`, `(?i)[\W]`, `(?i)\w`, `(?i)\W`, `(?i)[[:^upper:]]`,
	// properties
	`\pL`, `\PL`, `\pN`, `\pZ`, `\pX`, `\p`, `\p{`, `\p{}`, `\p{L`, `\p{L}`,
	`\p{^L}`, `\P{^L}`, `\p{Lu}`, `\p{Ll}`, `\p{Cn}`, `\p{LC}`, `\p{L&}`,
	`\p{Any}`, `\P{Any}`, `\p{^Any}`, `\p{Xan}`, `\p{Greek}`, `\p{greek}`,
	`\p{GREEK}`, `\p{Han}`, `\p{Latin}`, `\p{Common}`, `\p{Inherited}`,
	`\p{Script=Greek}`, `\p{sc:Greek}`, `\p{Old_Italic}`, `\p{Letter}`,
	`\p{Sc}`, `\p{Co}`, `\p{Cs}`, `\pC`, `\pM`, `\pP`, `\pS`, `\pé`, `\p^L`,
	`(?i)\p{Lu}`, `(?i)\P{Lu}`, `(?i)\p{Ll}`, `(?i)\p{Greek}`, `(?i)\p{Lt}`,
	`(?i)[\p{Lu}]`, `(?i)[^\p{Lu}]`, `\p{Nd}+`, `\p{Zs}`,
	// the rest
	``, `|`, `||`, `a||b`, `(|)`, `^`, `$`, `^$`, `^^`, `$$`, `a^b`, `a$b`,
	`(^a)`, `(a$)`, `^a|b$`, `.`, `..`, `é`, "\xff", "a\xffb", "[\xff]",
	"(\xff", "\\\xff", "\\Q\xff", `a b`, `a#b`, `a/b`, "a\nb",
}

// Patterns with what they mean where engines differ, each on subjects.
var semantic = []string{
	`a$`, `(?m)a$`, `(?m)^a`, `\Aa`, `a\z`, `(?m)\Aa`, `^a.b$`, `(?s)a.b`,
	`a.b`, `[^a]b`, `\s+`, `[[:space:]]+`, `\d+`, `\w+`, `\W+`, `\bfoo\b`,
	`\Boo`, `\b`, `\B`, `(a+)(b+)?`, `(a|ab)(c|bcd)(d*)`, `(a*)*`, `(a*)+`,
	`(a|b)*`, `(a*?)(b*)`, `(?:a|ab)c?`, `a|ab`, `ab|a`, `(a)|(b)`,
	`(?:(a)|b)*`, `((a)|(b))+`, `(a?)(a?)(a?)`, `(a??)(a?)`, `(|a)*`,
	`(|a)+`, `(a|)*`, `(a*|b)*`, `(?:a?)*?`, `(?:a?)+?b`, `(.*)(\d+)`,
	`(.*?)(\d+)`, `(.+):(.+)`, `([^:]+)(?::(\d+))?`, `(.*);(.*)`,
	`(?i)k+`, `(?i)ſ`, `(?i)straße`, `(?i)ΣΑΣ`, `(?i)[k-s]+`,
	`(?i)\p{Lu}+`, `(?i)[[:upper:]]+`, `(?i:a)b`, `\pL+`, `\p{Greek}+`,
	`[α-ω]+`, `é+`, `[^é]+`, `日.`, `😀?$`, `\x{1F600}`, `.{2}`, `^.{3}$`,
	`(?U)a+`, `(?U)(a+)(a*)`, `(?U)a{1,3}`, `a{2,}`, `a{0,1}`, `a{0}b`,
	`(ab){2,3}`, `(ab){2,3}?`, `(?:ab)*c`, `x*`, `(?:)`, `a**?`, `$^`, `^$`,
	`(?m)^$`, `(?m)$`, `(?m)^`, `(^|:)a`, `a(:|$)`, `(?:^a|b$)`, `prod-.*`,
	`.*:9100`, `.*foo.*`, `foo|a:9100|k`, `.+`, `.*`, `a.*b.*`, `(?i)FOO.*`,
	`.*o.+`, `f(o|oo)`, `[ab]*a[ab]{2}`, `(?:a|aa)+`, `(a+)+b`, `�`, `[�]`,
	`.*�`, `a.c`, `\Qa.b\E`, `(?P<n>a+)(?P<m>b*)`, `(?P<n>a)|(?P<n>b)`,
}

var subjects = []string{"", "a", "b", "ab", "aab", "abab", "abcd", "aaa",
	"a\n", "\na", "a\nb", "\n", "a\n\nb", "foo", "a foo b", "afoo", "FOO",
	"foo.bar", "a:9100", "host:9100:a", "x1;y22", "\v\f \t", "é", "aéb",
	"日本", "😀", "αβγΣς", "straSSe", "STRAßE", "K", "ſ", "k", "a.b", "\\",
	"\xff", "a\xffb", "\xe2\x82", "�", "12a٣", "Aǅz", "]-[", "{,2}"}

func deep(open string, n int) string {
	return strings.Repeat(open, n) + "a" + strings.Repeat(")", n)
}

func rows() {
	for _, p := range syntax {
		if c := compile(p); c != nil {
			for i := 0; i < len(subjects); i += 3 {
				c.match(subjects[(i+len(p))%len(subjects)])
			}
		}
	}
	for _, p := range semantic {
		c := compile(p)
		if c == nil {
			continue
		}
		for _, s := range subjects {
			c.match(s)
		}
		for i, s := range []string{"aab", "x1;y22", "a\n\nb", "日本a:1", ""} {
			for k := range withs {
				if (i+k+len(p))%8 == 0 {
					c.replace(s, withs[k])
				}
			}
		}
	}
	for _, p := range []string{deep("(", 998), deep("(", 999),
		deep("(", 1000), deep("(", 1001), deep("(?:", 990),
		strings.Repeat("(a|b", 499) + strings.Repeat(")", 499),
		strings.Repeat("(ab*", 333) + strings.Repeat(")", 333),
		strings.Repeat("(ab*", 334) + strings.Repeat(")", 334),
		strings.Repeat("((xx?y){2}", 4) + strings.Repeat(")", 4)} {
		if c := compile(p); c != nil {
			c.match("a")
		}
	}
	for _, s := range append(subjects, "a.b*c", `\.+*?()|[]{}^$`) {
		row("Q", s, quote(s))
	}
	random(15, 400)
}
