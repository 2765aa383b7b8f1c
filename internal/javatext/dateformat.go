package javatext

import (
	"strconv"
	"time"
)

var (
	months   = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	weekdays = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	eras     = [...]string{"BC", "AD"}
	ampm     = [...]string{"AM", "PM"}
)

// Format returns the text of a time, to the millisecond.
func (f *DateFormat) Format(t time.Time) string { return string(f.AppendFormat(nil, t)) }

// AppendFormat appends what [DateFormat.Format] returns. It does not allocate if dst has room.
func (f *DateFormat) AppendFormat(dst []byte, t time.Time) []byte {
	abbreviation, offset := "UTC", 0
	if f.loc != time.UTC {
		abbreviation, offset = zoneAt(f.loc, t)
	}
	local := t.UnixMilli() + int64(offset)*1000
	days := floorDiv(local, dayMillis)
	ms := local - days*dayMillis
	year, month, day := dateOf(days)
	clock := uint32(ms) // divides faster
	for i := range f.elements {
		e := &f.elements[i]
		n := e.count
		switch e.letter {
		case 0:
			if len(e.literal) == 1 {
				dst = append(dst, e.literal[0])
			} else {
				dst = append(dst, e.literal...)
			}
		case 'd':
			dst = appendPadded(dst, int64(day), n)
		case 'H':
			dst = appendPadded(dst, int64(clock/(60*60*1000)), n)
		case 'm':
			dst = appendPadded(dst, int64(clock/60_000%60), n)
		case 's':
			dst = appendPadded(dst, int64(clock/1000%60), n)
		case 'S':
			dst = appendPadded(dst, int64(clock%1000), n)
		case 'G':
			if year > 0 {
				dst = append(dst, eras[1]...)
			} else {
				dst = append(dst, eras[0]...)
			}
		case 'y':
			y := year
			if y <= 0 {
				y = 1 - y
			}
			dst = appendYear(dst, y, n)
		case 'Y':
			_, y := weekOf(days, year)
			dst = appendYear(dst, y, n)
		case 'M', 'L':
			switch {
			case n >= 4:
				dst = append(dst, months[month]...)
			case n == 3:
				dst = append(dst, months[month][:3]...)
			default:
				dst = appendPadded(dst, int64(month)+1, n)
			}
		case 'E':
			name := weekdays[weekday(days)-1]
			if n < 4 {
				name = name[:3]
			}
			dst = append(dst, name...)
		case 'a':
			dst = append(dst, ampm[ms/(dayMillis/2)]...)
		case 'z':
			dst = appendZone(dst, abbreviation, offset, n >= 4)
		case 'Z', 'X':
			dst = appendOffset(dst, e, offset/60)
		default:
			dst = appendPadded(dst, number(e.letter, year, month, days, ms), n)
		}
	}
	return dst
}

// number returns the value of one of the rarer fields that are always a number.
func number(letter byte, year int64, month int, days, ms int64) int64 {
	hour := ms / (60 * 60 * 1000)
	switch letter {
	case 'D':
		return days - firstOfYear(year) + 1
	case 'F':
		return (days-firstOfMonth(year, month))/7 + 1
	case 'W':
		first := firstOfMonth(year, month)
		return (days-first+int64(weekday(first))-1)/7 + 1
	case 'w':
		week, _ := weekOf(days, year)
		return int64(week)
	case 'u':
		return int64(weekday(days)+5)%7 + 1
	case 'k':
		return (hour+23)%24 + 1
	case 'K':
		return hour % 12
	}
	return (hour+11)%12 + 1 // h
}

func appendYear(dst []byte, year int64, n int) []byte {
	if n == 2 {
		return appendPadded(dst, year%100, 2)
	}
	return appendPadded(dst, year, n)
}

// pairs are the numbers from 00 to 99.
var pairs = func() (p [100][2]byte) {
	for i := range p {
		p[i] = [2]byte{byte('0' + i/10), byte('0' + i%10)}
	}
	return p
}()

// appendPadded appends a number of at least n digits.
func appendPadded(dst []byte, v int64, n int) []byte {
	switch { // most
	case n == 2 && uint64(v) < 100:
		two := pairs[v]
		return append(dst, two[0], two[1])
	case n == 3 && uint64(v) < 1000:
		two := pairs[uint32(v)%100]
		return append(dst, byte('0'+uint32(v)/100), two[0], two[1])
	case n == 4 && uint64(v) < 10_000:
		high, low := pairs[uint32(v)/100], pairs[uint32(v)%100]
		return append(dst, high[0], high[1], low[0], low[1])
	}
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	width := 1
	for x := v; x >= 10; x /= 10 {
		width++
	}
	for ; width < n; width++ {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, v, 10)
}

// appendOffset appends the distance to UTC: +0530 for Z; for X a Z if there is none, else +05, +0530 or +05:30.
func appendOffset(dst []byte, e *element, minutes int) []byte {
	if e.letter == 'X' && minutes == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	dst = appendPadded(append(dst, sign), int64(minutes/60), 2)
	if e.letter == 'X' && e.count == 1 {
		return dst
	}
	if e.letter == 'X' && e.count == 3 {
		dst = append(dst, ':')
	}
	return appendPadded(dst, int64(minutes%60), 2)
}
