package connect

import (
	"hash/fnv"
	"math/big"
	"strconv"
	"time"
)

// FormatValue returns the text that a value has in Kafka Connect, where it is Java's toString: 1.0E10, [a, b], {k=v},
// Struct{id=1}, Thu Jan 01 00:00:00 UTC 1970. Bytes give a text that names them but does not show them, as Java's do.
func FormatValue(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(AppendValue(nil, v))
}

// AppendValue appends the text of [FormatValue] to dst.
func AppendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int8:
		return strconv.AppendInt(dst, int64(v), 10)
	case int16:
		return strconv.AppendInt(dst, int64(v), 10)
	case int32:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case float64:
		return appendFloat(dst, v, 64)
	case []byte:
		h := fnv.New32a()
		h.Write(v)
		return strconv.AppendUint(append(dst, "[B@"...), uint64(h.Sum32()), 16)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = AppendValue(dst, e)
		}
		return append(dst, ']')
	case *Struct:
		if v == nil {
			return append(dst, "null"...)
		}
		return v.appendText(dst)
	case Decimal:
		return v.appendText(dst)
	case time.Time:
		return appendDate(dst, v)
	case *big.Int:
		return v.Append(dst, 10)
	case interface{ String() string }:
		if m, ok := AsMap(v); ok {
			return m.appendText(dst)
		}
		return append(dst, v.String()...)
	}
	if m, ok := AsMap(v); ok {
		return m.appendText(dst)
	}
	return append(dst, JavaClass(v)...)
}

func (m *Map) appendText(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range m.entries {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = AppendValue(dst, m.entries[i].Key)
		dst = append(dst, '=')
		dst = AppendValue(dst, m.entries[i].Value)
	}
	return append(dst, '}')
}

// appendText appends the fields that are not nil.
func (s *Struct) appendText(dst []byte) []byte {
	dst = append(dst, "Struct{"...)
	first := true
	for i, v := range s.values {
		if v == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, s.schema.fields[i].Name...)
		dst = append(dst, '=')
		dst = AppendValue(dst, v)
	}
	return append(dst, '}')
}

// gregorianStart is the first instant of the Gregorian calendar for Java's Date, 15 October 1582, in milliseconds; it
// counts days before that by the Julian calendar.
const gregorianStart = -12219292800000

// appendDate appends the text of Java's Date.toString in UTC.
func appendDate(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if t.UnixMilli() < gregorianStart {
		year, month, day = julian(t)
	}
	if year <= 0 {
		year = 1 - year // before Christ
	}
	sec := t.Unix()
	clock := sec % 86400
	if clock < 0 {
		clock += 86400
	}
	weekday := ((sec-clock)/86400 + 4) % 7 // 1 January 1970 was a Thursday
	if weekday < 0 {
		weekday += 7
	}
	const weekdays, months = "Sun Mon Tue Wed Thu Fri Sat ", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "
	dst = append(dst, weekdays[4*weekday:4*weekday+4]...)
	dst = append(dst, months[4*month-4:4*month]...)
	dst = append(appendTwo(dst, day), ' ')
	dst = append(appendTwo(dst, int(clock/3600)), ':')
	dst = append(appendTwo(dst, int(clock/60%60)), ':')
	dst = appendTwo(dst, int(clock%60))
	dst = append(dst, " UTC "...)
	return strconv.AppendInt(dst, int64(year), 10)
}

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// julian returns the date by the Julian calendar.
func julian(t time.Time) (year int, month time.Month, day int) {
	// The day number of 1 January of the year 1 in the Julian calendar, counted from 1970-01-01, is -719164.
	sec := t.Unix()
	days := sec / 86400
	if sec%86400 < 0 {
		days--
	}
	d := days + 719164 // days since 1 January of the Julian year 1
	cycles := d / 1461
	if d%1461 < 0 {
		cycles--
	}
	d -= cycles * 1461 // within four years, of which the last is a leap year
	inCycle := min(d/365, 3)
	d -= inCycle * 365
	lengths := [...]int64{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if inCycle == 3 {
		lengths[1] = 29
	}
	m := 0
	for d >= lengths[m] {
		d -= lengths[m]
		m++
	}
	return int(cycles*4 + inCycle + 1), time.Month(m + 1), int(d + 1)
}
