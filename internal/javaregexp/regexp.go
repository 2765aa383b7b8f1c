// Package javaregexp runs the regular expressions of configurations, which are Java's: java.util.regex of Java 17.
//
// A pattern is read as Java reads it and then given to the standard library's engine, whose time is linear in the
// text, or where that lacks a construct or gives it another meaning, to a backtracking one with a limit on time and
// memory. Texts are UTF-8; what is invalid in them counts as U+FFFD.
package javaregexp

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// matchTimeout bounds one match by the backtracking engine.
const matchTimeout = time.Second

// Regexp is a compiled regular expression. It is safe for concurrent use.
type Regexp struct {
	pattern string
	groups  int
	names   map[string]int
	minLen  int

	// The standard library's engine, or nil if the pattern is beyond it.
	fast, fastFull *regexp.Regexp
	// Texts that the fast engine may not have.
	notLineBreakAtEnd, onlyASCII bool

	lastMatch bool // \G is used

	slow, slowFull func() (*regexp2.Regexp, error)
}

// Compile compiles a Java regular expression. The error is an *[Error].
func Compile(pattern string) (*Regexp, error) {
	root, p, err := parse(pattern)
	if err != nil {
		return nil, err
	}
	r := &Regexp{pattern: pattern, groups: p.groups, names: p.names, minLen: root.minLen(), lastMatch: p.lastMatch}
	re2 := emitter{re2: true, groups: p.groups}
	re2.node(root)
	if !re2.beyond {
		// An error is a limit on repetitions or size that the other engine does not have.
		if fast, err := regexp.Compile(re2.String()); err == nil {
			if full, err := regexp.Compile(`\A(?:` + re2.String() + `)\z`); err == nil {
				r.fast, r.fastFull = fast, full
			}
		}
		r.notLineBreakAtEnd, r.onlyASCII = re2.endFinal, re2.boundaries
	}
	backtracking := func(prefix, suffix string) func() (*regexp2.Regexp, error) {
		return sync.OnceValues(func() (*regexp2.Regexp, error) {
			e := emitter{groups: p.groups}
			e.node(root)
			re, err := regexp2.Compile(prefix + e.String() + suffix)
			if err != nil {
				return nil, &Error{Pattern: pattern, Index: -1, Message: "Not supported: " + err.Error()}
			}
			re.MatchTimeout = matchTimeout
			return re, nil
		})
	}
	r.slow, r.slowFull = backtracking("", ""), backtracking(`\A(?:`, `)\z`)
	if r.fast == nil {
		if _, err := r.slow(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// String returns the pattern.
func (r *Regexp) String() string { return r.pattern }

// fastFor reports whether the fast engine gives Java's result on that text.
func (r *Regexp) fastFor(s string) bool {
	if r.fast == nil {
		return false
	}
	if r.notLineBreakAtEnd && s != "" {
		last, _ := utf8.DecodeLastRuneInString(s)
		switch last {
		case '\n', '\r', 0x85, 0x2028, 0x2029:
			return false
		}
	}
	if r.onlyASCII {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				return false
			}
		}
	}
	return true
}

// MatchFull reports whether the whole text matches, as Java's Matcher.matches does. It fails if the match takes too
// long.
func (r *Regexp) MatchFull(s string) (bool, error) {
	if r.fastFor(s) {
		return r.fastFull.MatchString(s), nil
	}
	slow, err := r.slowFull()
	if err != nil {
		return false, err
	}
	ok, err := slow.MatchString(s)
	return ok, r.limit(err)
}

// Find reports whether a part of the text matches, as Java's Matcher.find does. It fails if the match takes too long.
func (r *Regexp) Find(s string) (bool, error) {
	if r.fastFor(s) {
		return r.fast.MatchString(s), nil
	}
	slow, err := r.slow()
	if err != nil {
		return false, err
	}
	ok, err := slow.MatchString(s)
	return ok, r.limit(err)
}

// ReplaceFirst returns the text with its first match replaced, as Java's Matcher.replaceFirst does: in the
// replacement $1 and ${name} stand for groups and a backslash makes the next character literal. It fails if the
// replacement is used and wrong, or if the match takes too long.
func (r *Regexp) ReplaceFirst(s, replacement string) (string, error) {
	return r.replace(s, replacement, 1)
}

// ReplaceAll is [Regexp.ReplaceFirst] for all matches, as Java's Matcher.replaceAll.
func (r *Regexp) ReplaceAll(s, replacement string) (string, error) {
	return r.replace(s, replacement, -1)
}

func (r *Regexp) replace(s, replacement string, n int) (string, error) {
	// The fast engine leaves out an empty match right after another match.
	if r.fastFor(s) && (n == 1 || r.minLen > 0) {
		return r.replaceFast(s, replacement, n)
	}
	return r.replaceSlow(s, replacement, n)
}

func (r *Regexp) replaceFast(s, replacement string, n int) (string, error) {
	var buf [20]int
	var all [][]int
	if n == 1 {
		m := r.fast.FindStringSubmatchIndex(s)
		if m == nil {
			return s, nil
		}
		all = append(all, append(buf[:0], m...))
	} else if all = r.fast.FindAllStringSubmatchIndex(s, n); all == nil {
		return s, nil
	}
	out := make([]byte, 0, len(s)+len(replacement))
	done := 0
	for _, m := range all {
		out = append(out, s[done:m[0]]...)
		var err error
		out, err = r.expand(out, replacement, func(group int) string {
			if m[2*group] < 0 {
				return ""
			}
			return s[m[2*group]:m[2*group+1]]
		})
		if err != nil {
			return "", err
		}
		done = m[1]
	}
	return string(append(out, s[done:]...)), nil
}

func (r *Regexp) replaceSlow(s, replacement string, n int) (string, error) {
	slow, err := r.slow()
	if err != nil {
		return "", err
	}
	text := []rune(s)
	var out strings.Builder
	done, start := 0, 0
	for start <= len(text) {
		m, err := slow.FindRunesMatchStartingAt(text, start)
		if err != nil {
			return "", r.limit(err)
		}
		if m == nil {
			break
		}
		out.WriteString(string(text[done:m.RuneIndex]))
		b, err := r.expand(nil, replacement, func(group int) string {
			if g := m.GroupByNumber(group); g != nil && len(g.Captures) > 0 {
				return g.String()
			}
			return ""
		})
		if err != nil {
			return "", err
		}
		out.Write(b)
		done = m.RuneIndex + m.RuneLength
		start = done
		if m.RuneLength == 0 {
			if r.lastMatch { // which is not there any more, one further on
				break
			}
			start++
		}
		if n--; n == 0 {
			break
		}
	}
	if done == 0 && out.Len() == 0 && start == 0 {
		return s, nil
	}
	out.WriteString(string(text[done:]))
	return out.String(), nil
}

// limit explains an error of the backtracking engine, which gives up for no other reason.
func (r *Regexp) limit(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("regular expression %s: the match takes too long: %w", r.pattern, err)
}
