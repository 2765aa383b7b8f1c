package javaregexp

import (
	"slices"
	"sort"
	"unicode"
)

const maxRune = unicode.MaxRune

// runeSet is a set of code points: pairs of first and last, ascending and apart from each other.
type runeSet []rune

var anyRune = runeSet{0, maxRune}

// ranges returns the set of the given pairs, in any order.
func ranges(pairs ...rune) runeSet {
	type span struct{ lo, hi rune }
	spans := make([]span, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		spans = append(spans, span{pairs[i], pairs[i+1]})
	}
	sort.Slice(spans, func(i, j int) bool { return spans[i].lo < spans[j].lo })
	var set runeSet
	for _, s := range spans {
		if n := len(set); n > 0 && s.lo <= set[n-1]+1 {
			set[n-1] = max(set[n-1], s.hi)
			continue
		}
		set = append(set, s.lo, s.hi)
	}
	return set
}

// runes returns the set of the given code points.
func runes(members ...rune) runeSet {
	pairs := make([]rune, 0, 2*len(members))
	for _, r := range members {
		pairs = append(pairs, r, r)
	}
	return ranges(pairs...)
}

// tables returns the code points of Unicode tables.
func tables(all ...*unicode.RangeTable) runeSet {
	var pairs []rune
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			pairs = append(pairs, lo, hi)
			return
		}
		for r := lo; r <= hi; r += stride {
			pairs = append(pairs, r, r)
		}
	}
	for _, t := range all {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return ranges(pairs...)
}

func (s runeSet) union(o runeSet) runeSet { return ranges(slices.Concat(s, o)...) }

func (s runeSet) negate() runeSet {
	var out runeSet
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= maxRune {
		out = append(out, next, maxRune)
	}
	return out
}

func (s runeSet) intersect(o runeSet) runeSet {
	return s.negate().union(o.negate()).negate()
}

func (s runeSet) minus(o runeSet) runeSet { return s.intersect(o.negate()) }

func (s runeSet) has(r rune) bool {
	for i := 0; i < len(s); i += 2 {
		if r >= s[i] && r <= s[i+1] {
			return true
		}
	}
	return false
}

// single returns the only member of a set of one.
func (s runeSet) single() (rune, bool) {
	if len(s) == 2 && s[0] == s[1] {
		return s[0], true
	}
	return 0, false
}

// foldASCII adds the other case of ASCII letters, as Java's CASE_INSENSITIVE does.
func (s runeSet) foldASCII() runeSet {
	pairs := slices.Clone(s)
	for i := 0; i < len(s); i += 2 {
		if lo, hi := max(s[i], 'A'), min(s[i+1], 'Z'); lo <= hi {
			pairs = append(pairs, lo+'a'-'A', hi+'a'-'A')
		}
		if lo, hi := max(s[i], 'a'), min(s[i+1], 'z'); lo <= hi {
			pairs = append(pairs, lo-'a'+'A', hi-'a'+'A')
		}
	}
	return ranges(pairs...)
}

// cased holds every code point that has another case.
var cased = []*unicode.RangeTable{unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase, unicode.Mn}

// foldUnicode adds the other cases of all letters, as Java's UNICODE_CASE does.
func (s runeSet) foldUnicode() runeSet {
	pairs := slices.Clone(s)
	add := func(r rune) {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			pairs = append(pairs, f, f)
		}
	}
	if r, ok := s.single(); ok {
		add(r)
		return ranges(pairs...)
	}
	letters := s.intersect(tables(cased...))
	for i := 0; i < len(letters); i += 2 {
		for r := letters[i]; r <= letters[i+1]; r++ {
			add(r)
		}
	}
	return ranges(pairs...)
}
