package javatext

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// field is a field of java.util.Calendar.
type field int8

const (
	fieldEra field = iota
	fieldYear
	fieldMonth
	fieldWeekOfYear
	fieldWeekOfMonth
	fieldDayOfMonth
	fieldDayOfYear
	fieldDayOfWeek
	fieldDayOfWeekInMonth
	fieldAmPm
	fieldHour
	fieldHourOfDay
	fieldMinute
	fieldSecond
	fieldMilli
	fieldZone // in minutes
	fieldDaylight
	fieldWeekYear
	fieldCount
)

// parsed collects fields, and the order in which they were set: the last one wins where two contradict.
type parsed struct {
	value [fieldCount]int64
	stamp [fieldCount]int
	next  int
	loc   *time.Location
}

func (p *parsed) set(f field, v int64) {
	p.next++
	p.value[f], p.stamp[f] = v, p.next
}

// Parse reads a time from the beginning of a text, leniently, as SimpleDateFormat.parse does: fields may be out of
// their range and text may follow. It returns the number of bytes read; not ok says that the text does not match, or
// that nothing was read.
func (f *DateFormat) Parse(text string) (t time.Time, n int, ok bool) {
	p := parsed{loc: f.loc}
	pos := 0
	ambiguous := false
	for i := range f.elements {
		e := &f.elements[i]
		if e.letter == 0 {
			if !strings.HasPrefix(text[pos:], e.literal) {
				return time.Time{}, 0, false
			}
			pos += len(e.literal)
			continue
		}
		next := f.parseField(&p, text, pos, e, &ambiguous)
		if next < 0 {
			return time.Time{}, 0, false
		}
		pos = next
	}
	if pos == 0 {
		return time.Time{}, 0, false
	}
	t = p.time()
	if ambiguous && t.Before(f.centuryStart) {
		p.value[fieldYear] += 100
		p.value[fieldWeekYear] += 100
		t = p.time()
	}
	return t, pos, true
}

var numberFields = [...]struct {
	letter byte
	field  field
}{
	{'d', fieldDayOfMonth}, {'H', fieldHourOfDay}, {'m', fieldMinute}, {'s', fieldSecond}, {'S', fieldMilli}, {'D', fieldDayOfYear},
	{'F', fieldDayOfWeekInMonth}, {'w', fieldWeekOfYear}, {'W', fieldWeekOfMonth}, {'K', fieldHour}, {'u', fieldDayOfWeek},
	{'k', fieldHourOfDay}, {'h', fieldHour}, {'y', fieldYear}, {'Y', fieldWeekYear}, {'M', fieldMonth}, {'L', fieldMonth},
}

// parseField reads one field and returns the position after it, or -1.
func (f *DateFormat) parseField(p *parsed, text string, start int, e *element, ambiguous *bool) int {
	pos := start
	for pos < len(text) && (text[pos] == ' ' || text[pos] == '\t') {
		pos++
	}
	if pos == len(text) {
		return -1
	}
	switch e.letter {
	case 'G':
		return p.name(text, start, fieldEra, eras[:])
	case 'E':
		return p.name(text, start, fieldDayOfWeek, weekdays[:])
	case 'a':
		return p.name(text, start, fieldAmPm, ampm[:])
	case 'z', 'Z':
		return p.zone(text, start, pos)
	case 'X':
		return p.isoZone(text, pos, e.count)
	case 'M', 'L':
		if e.count > 2 {
			return p.name(text, start, fieldMonth, months[:])
		}
	}
	limit := text
	if e.obeyCount {
		end := start
		for range e.count {
			if end >= len(text) {
				return -1
			}
			_, size := utf8.DecodeRuneInString(text[end:])
			end += size
		}
		if limit = text[:end]; pos > len(limit) {
			return -1 // blanks only, which count
		}
	}
	v, next := parseNumber(limit, pos)
	if next < 0 {
		return -1
	}
	var to field
	for _, nf := range numberFields {
		if nf.letter == e.letter {
			to = nf.field
		}
	}
	switch e.letter {
	case 'y', 'Y':
		if e.count <= 2 && next-pos == 2 && isDigit(text[pos]) && isDigit(text[pos+1]) {
			start := int64(f.centuryStartYear)
			*ambiguous = v == start%100
			if v < start%100 {
				v += 100
			}
			v += start / 100 * 100
		}
	case 'M', 'L':
		v = int64(int32(v - 1))
	case 'k':
		if v == 24 {
			v = 0
		}
	case 'h':
		if v == 12 {
			v = 0
		}
	case 'u':
		if v >= 1 && v <= 7 {
			v = v%7 + 1
		}
	}
	p.set(to, v)
	return next
}

// name reads one of the names, in any case, in full or its first three letters.
func (p *parsed) name(text string, start int, f field, names []string) int {
	best, length := -1, 0
	match := func(i int, name string) {
		if len(name) > length && len(text)-start >= len(name) && strings.EqualFold(text[start:start+len(name)], name) {
			best, length = i, len(name)
		}
	}
	for i, name := range names {
		match(i, name)
		if len(name) > 3 {
			match(i, name[:3])
		}
	}
	if best < 0 {
		return -1
	}
	if f == fieldDayOfWeek {
		best++
	}
	p.set(f, int64(best))
	return start + length
}

func (p *parsed) setOffset(minutes int) {
	p.set(fieldZone, int64(minutes))
	p.set(fieldDaylight, 0)
}

// zone reads +hhmm, GMT+hh:mm or a name.
func (p *parsed) zone(text string, start, pos int) int {
	switch c := text[pos]; {
	case c == '+' || c == '-':
		return p.offset(text, pos+1, c == '-', 0, false)
	case (c == 'G' || c == 'g') && len(text)-start >= 3 && strings.EqualFold(text[start:start+3], "GMT"):
		pos = start + 3
		if pos < len(text) && (text[pos] == '+' || text[pos] == '-') {
			return p.offset(text, pos+1, text[pos] == '-', 0, true)
		}
		p.setOffset(0)
		return pos
	}
	z, n := matchZone(text[pos:])
	if z == nil {
		return -1
	}
	p.set(fieldZone, int64(z.minutes))
	p.set(fieldDaylight, int64(z.daylight))
	return pos + n
}

// isoZone reads Z, +hh, +hhmm or +hh:mm, by the number of letters.
func (p *parsed) isoZone(text string, pos, count int) int {
	switch text[pos] {
	case 'Z':
		p.setOffset(0)
		return pos + 1
	case '+', '-':
		return p.offset(text, pos+1, text[pos] == '-', count, count == 3)
	}
	return -1
}

func (p *parsed) offset(text string, pos int, negative bool, count int, colon bool) int {
	digit := func() int {
		if pos >= len(text) || !isDigit(text[pos]) {
			return -1
		}
		pos++
		return int(text[pos-1] - '0')
	}
	hours := digit()
	if hours < 0 || pos == len(text) {
		return -1
	}
	if d := digit(); d >= 0 {
		hours = hours*10 + d
	} else if count > 0 || !colon {
		return -1
	}
	if hours > 23 {
		return -1
	}
	minutes := 0
	if count != 1 {
		if colon {
			if pos == len(text) || text[pos] != ':' {
				return -1
			}
			pos++
		}
		tens, ones := digit(), 0
		if tens >= 0 {
			ones = digit()
		}
		minutes = tens*10 + ones
		if tens < 0 || ones < 0 || minutes > 59 {
			return -1
		}
	}
	minutes += 60 * hours
	if negative {
		minutes = -minutes
	}
	p.setOffset(minutes)
	return pos
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// parseNumber reads an integer in the way of java.text.DecimalFormat, which reads 1E3 and NaN too, as an int. It
// returns the position after it, or -1.
func parseNumber(text string, pos int) (v int64, next int) {
	if strings.HasPrefix(text[pos:], "NaN") {
		return 0, pos + 3
	}
	negative := false
	if strings.HasPrefix(text[pos:], "-") {
		negative = true
		pos++
	}
	if strings.HasPrefix(text[pos:], "∞") {
		if negative {
			return math.MinInt32, pos + len("∞")
		}
		return math.MaxInt32, pos + len("∞")
	}
	start, exact, approx := pos, int64(0), 0.0
	for pos < len(text) {
		d, size := digitAt(text, pos)
		if d < 0 {
			break
		}
		if exact >= 0 && (exact > math.MaxInt64/10 || exact*10 > math.MaxInt64-int64(d)) {
			exact = -1
		} else if exact >= 0 {
			exact = exact*10 + int64(d)
		}
		approx = approx*10 + float64(d)
		pos += size
	}
	if pos == start {
		return 0, -1
	}
	if strings.HasPrefix(text[pos:], "E") {
		if exponent, after := parseExponent(text, pos+1); after >= 0 {
			pos = after
			approx *= math.Pow(10, float64(exponent))
			exact = -1
			if approx == math.Trunc(approx) && approx < 1<<63 {
				exact = int64(approx)
			}
		}
	}
	if exact >= 0 {
		if negative {
			exact = -exact
		}
		return int64(int32(exact)), pos
	}
	if negative {
		approx = -approx
	}
	return int64(max(min(approx, math.MaxInt32), math.MinInt32)), pos
}

func parseExponent(text string, pos int) (exponent, next int) {
	negative := pos < len(text) && text[pos] == '-'
	if negative {
		pos++
	}
	start := pos
	for pos < len(text) {
		d, size := digitAt(text, pos)
		if d < 0 {
			break
		}
		exponent = min(exponent*10+d, 1<<20)
		pos += size
	}
	if pos == start {
		return 0, -1
	}
	if negative {
		exponent = -exponent
	}
	return exponent, pos
}

func digitAt(text string, pos int) (d, size int) {
	if c := text[pos]; c < utf8.RuneSelf {
		if isDigit(c) {
			return int(c - '0'), 1
		}
		return -1, 1
	}
	r, size := utf8.DecodeRuneInString(text[pos:])
	return Digit(r), size
}
