package javaregexp

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// javaCases are what Java 17 says; ! stands before the message of an exception.
var javaCases = []struct {
	pattern, text, replacement string
	full, find                 bool
	first, all                 string
	bad                        bool
}{
	{"orders", "orders", "x", true, true, "x", "x", false},
	{`(.*)-(\d+)`, "topic-12", "$2-$1", true, true, "12-topic", "12-topic", false},
	{`(?<name>\w+)\.(?<rest>.*)`, "db.table", "${rest}_${name}", true, true, "table_db", "table_db", false},
	{"a", "ab", "z", false, true, "zb", "zb", false},
	{"a*", "baac", "-", false, true, "-baac", "-b--c-", false},
	{"x*", "abxc", "-", false, true, "-abxc", "-a-b--c-", false},
	{"$", "abc", "!", false, true, "abc!", "abc!", false},
	{"a$", "a\n", "X", false, true, "X\n", "X\n", false},
	{"^", "abc", ">", false, true, ">abc", ">abc", false},
	{".*", "orders\n", "X", false, true, "X\n", "XX\nX", false},
	{".", "é", "x", true, true, "x", "x", false},
	{"(?s).*", "a\nb", "x", true, true, "x", "xx", false},
	{"(?m)^", "a\nb\n", ">", false, true, ">a\nb\n", ">a\n>b\n", false},
	{"(?m)$", "a\r\nb", "<", false, true, "a<\r\nb", "a<\r\nb<", false},
	{"(?i)straße", "STRASSE", "x", false, false, "STRASSE", "STRASSE", false},
	{"(?i)ünï", "ÜNÏ", "x", false, false, "ÜNÏ", "ÜNÏ", false},
	{"(?iu)ünï", "ÜNÏ", "x", true, true, "x", "x", false},
	{"(?i)k", "K", "x", true, true, "x", "x", false},
	{"(?iu)k", "K", "x", true, true, "x", "x", false},
	{"[a-z&&[^aeiou]]+", "hello", "C", false, true, "Cello", "CeCo", false},
	{"[a-c[x-z]]+", "axb-y", "_", false, true, "_-y", "_-_", false},
	{"[^a-z&&[b-d]]", "c", "X", false, false, "c", "c", false},
	{"[a-z&&[def]&&[^e]]", "defg", "_", false, true, "_efg", "_e_g", false},
	{`[\w&&\D]+`, "ab12", "W", false, true, "W12", "W12", false},
	{"[]a]+", "]a", "x", true, true, "x", "x", false},
	{"[a-]+", "a-b", "x", false, true, "xb", "xb", false},
	{`[\Q-\E]`, "a-b", "x", false, true, "axb", "axb", false},
	{`\Qa.b\E+`, "a.bbb", "x", true, true, "x", "x", false},
	{`\p{Alpha}+`, "aé1", "x", false, true, "xé1", "xé1", false},
	{`\p{L}+`, "aé1", "x", false, true, "x1", "x1", false},
	{`\p{javaLowerCase}+`, "aéA", "x", false, true, "xA", "xA", false},
	{`\p{Lower}`, "B", "x", false, false, "B", "B", false},
	{`(?i)\p{Lower}`, "B", "x", true, true, "x", "x", false},
	{`\P{Lu}+`, "aB", "x", false, true, "xB", "xB", false},
	{`\p{IsGreek}`, "β", "g", true, true, "g", "g", false},
	{`\p{InGreek}`, "β", "g", true, true, "g", "g", false},
	{`\p{Punct}+`, "a-b+", "_", false, true, "a_b+", "a_b_", false},
	{`\w+`, "é_a1", "x", false, true, "éx", "éx", false},
	{`(?U)\w+`, "é_a1", "x", true, true, "x", "x", false},
	{`\d+`, "٣4", "n", false, true, "٣n", "٣n", false},
	{`\bé`, "aé", "x", false, false, "aé", "aé", false},
	{`\Bb`, "ab", "x", false, true, "ax", "ax", false},
	{`\h+`, "a \tb", "_", false, true, "a_b", "a_b", false},
	{`\R`, "a\r\nb\nc", ";", false, true, "a;b\nc", "a;b;c", false},
	{`\X`, "é́a", "x", false, true, "xa", "xx", false},
	{`\x41\x{42}\u0043\0104\cM?`, "ABCD", "x", true, true, "x", "x", false},
	{"(?=o)o(?!p)", "opo", "x", false, true, "opx", "opx", false},
	{"(?<=a)b(?<!cb)", "ab cb", "x", false, true, "ax cb", "ax cb", false},
	{`(a+)\1`, "aaaa", "[$1]", true, true, "[aa]", "[aa]", false},
	{"(?>a*)ab", "aaab", "x", false, false, "aaab", "aaab", false},
	{"a*+ab", "aaab", "x", false, false, "aaab", "aaab", false},
	{"a{2,3}+", "aaaa", "x", false, true, "xa", "xa", false},
	{"(a|ab)(c|bcd)", "abcd", "$1,$2", true, true, "a,bcd", "a,bcd", false},
	{"(a*)*", "b", "[$1]", false, true, "[]b", "[]b[]", false},
	{"(a|b(c))*", "bca", "$2", true, true, "c", "c", false},
	{`(?<n>a)\k<n>`, "aa", "$1", true, true, "a", "a", false},
	{"(a)(b)?", "a", "[$2]", true, true, "[]", "[]", false},
	{`\G\d`, "12a3", "x", false, true, "x2a3", "xxa3", false},
	{"(?x) a b # c", "ab", "x", true, true, "x", "x", false},
	{pattern: "{", bad: true},              // Illegal repetition
	{pattern: "a{,2}", bad: true},          // Illegal repetition
	{pattern: "a{2", bad: true},            // Unclosed counted closure
	{pattern: "*a", bad: true},             // Dangling meta character '*'
	{pattern: "a**", bad: true},            // Dangling meta character '*'
	{pattern: "(", bad: true},              // Unclosed group
	{pattern: ")", bad: true},              // Unmatched closing ')'
	{pattern: "[a", bad: true},             // Unclosed character class
	{pattern: "[b-a]", bad: true},          // Illegal character range
	{pattern: `\`, bad: true},              // Unexpected internal error
	{pattern: `\y`, bad: true},             // Illegal/unsupported escape sequence
	{pattern: `\E`, bad: true},             // Illegal/unsupported escape sequence
	{pattern: `\p{Foo}`, bad: true},        // Unknown character property name {Foo}
	{pattern: `\p{IsFoo}`, bad: true},      // Unknown character property name {IsFoo}
	{pattern: "(?<n>a)(?<n>b)", bad: true}, // Named capturing group <n> is already defined
	{pattern: `\k<m>`, bad: true},          // named capturing group <m> does not exist
	{pattern: "(?z)", bad: true},           // Unknown inline modifier
	{pattern: "(?<=(ab)*)", bad: true},     // Look-behind group does not have an obvious maximum length
	{`\2(a)`, "aa", "x", false, false, "aa", "aa", false},
	{"a", "a", "$1", true, true, "!No group 1", "!No group 1", false},
	{"a", "a", "$", true, true, "!Illegal group reference: group index is missing", "!Illegal group reference: group index is missing", false},
	{"a", "a", `\`, true, true, "!character to be escaped is missing", "!character to be escaped is missing", false},
	{"a", "a", "${x}", true, true, "!No group with name {x}", "!No group with name {x}", false},
	{"a", "a", "${1}", true, true, "!capturing group name {1} starts with digit character", "!capturing group name {1} starts with digit character", false},
	{"(a)", "a", "$12", true, true, "a2", "a2", false},
	{"a", "a", `\$0`, true, true, "$0", "$0", false},
	{"a", "b", "$9", false, false, "b", "b", false},
	{`\R{2}`, "\r\n", "x", false, false, "\r\n", "\r\n", false},
}

func TestJava(t *testing.T) {
	for _, c := range javaCases {
		t.Run(c.pattern, func(t *testing.T) {
			re, err := Compile(c.pattern)
			if c.bad {
				var e *Error
				if !errors.As(err, &e) || e.Pattern != c.pattern {
					t.Fatalf("Compile: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := re.MatchFull(c.text); err != nil || got != c.full {
				t.Errorf("MatchFull = %v, %v, want %v", got, err, c.full)
			}
			if got, err := re.Find(c.text); err != nil || got != c.find {
				t.Errorf("Find = %v, %v, want %v", got, err, c.find)
			}
			check := func(name, want string, f func(s, r string) (string, error)) {
				got, err := f(c.text, c.replacement)
				if err != nil {
					got = "!" + err.Error()
				}
				if got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			check("ReplaceFirst", c.first, re.ReplaceFirst)
			check("ReplaceAll", c.all, re.ReplaceAll)
		})
	}
}

// TestEnginesAgree compares the two engines where both have the pattern.
func TestEnginesAgree(t *testing.T) {
	for _, c := range javaCases {
		re, err := Compile(c.pattern)
		if c.bad || err != nil || !re.fastFor(c.text) {
			continue
		}
		slow := &Regexp{pattern: re.pattern, groups: re.groups, names: re.names, slow: re.slow, slowFull: re.slowFull}
		if got, err := slow.MatchFull(c.text); err != nil || got != c.full {
			t.Errorf("%s: MatchFull = %v, %v, want %v", c.pattern, got, err, c.full)
		}
		want, werr := re.ReplaceFirst(c.text, c.replacement)
		if got, err := slow.ReplaceFirst(c.text, c.replacement); got != want || (err == nil) != (werr == nil) {
			t.Errorf("%s: ReplaceFirst = %q, %v, want %q, %v", c.pattern, got, err, want, werr)
		}
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("(", 100_000) + strings.Repeat(")", 100_000)
	for _, pattern := range []string{deep, strings.Repeat("[", 100_000), `\N{LATIN SMALL LETTER A}`, `(?c)a`, `\b{g}`, `\p{InKhmer}`} {
		var e *Error
		if _, err := Compile(pattern); !errors.As(err, &e) {
			t.Errorf("Compile(%.20s): %v", pattern, err)
		}
	}
	re, err := Compile(`(?=a)(a+)+\1b`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := re.MatchFull(strings.Repeat("a", 5000)); err == nil || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("endless backtracking: %v", err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, c := range javaCases {
		f.Add(c.pattern, c.text, c.replacement)
	}
	f.Fuzz(func(t *testing.T, pattern, text, replacement string) {
		if len(pattern) > 100 || len(text) > 50 || !utf8.ValidString(text) {
			return
		}
		re, err := Compile(pattern)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("not an *Error: %v", err)
			}
			return
		}
		full, err := re.MatchFull(text)
		if err != nil {
			return
		}
		find, err := re.Find(text)
		if err != nil {
			return
		}
		if full && !find && text != "" {
			t.Errorf("%q matches all of %q, but is not found in it", pattern, text)
		}
		out, err := re.ReplaceFirst(text, replacement)
		if err == nil && !find && out != text {
			t.Errorf("ReplaceFirst without a match: %q became %q", text, out)
		}
		if _, err := re.ReplaceAll(text, `[\$0]`); err != nil && !strings.Contains(err.Error(), "too long") {
			t.Error(err)
		}
	})
}

func BenchmarkRoute(b *testing.B) {
	for _, c := range []struct{ name, pattern string }{
		{"re2", `(.*)\.public\.(.*)`},
		{"backtracking", `(?!x)(.*)\.public\.(.*)`},
	} {
		b.Run(c.name, func(b *testing.B) {
			re, err := Compile(c.pattern)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := re.MatchFull("server.public.orders"); !ok || err != nil {
					b.Fatal(ok, err)
				}
				if s, err := re.ReplaceFirst("server.public.orders", "$2"); s != "orders" || err != nil {
					b.Fatal(s, err)
				}
			}
		})
	}
}
