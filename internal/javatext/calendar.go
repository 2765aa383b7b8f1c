package javatext

// The calendar is that of java.util.GregorianCalendar: Julian before 15 October 1582, Gregorian from then on. Days are
// counted from 1 January 1970.

// cutover is 15 October 1582, the first day of the Gregorian calendar, cutoverYear its year.
const (
	cutover     = -141427
	cutoverYear = 1582
)

const dayMillis = 24 * 60 * 60 * 1000

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// daysOf returns the day number of the first of a month (0 to 11) in one of the calendars.
func daysOf(year int64, month int, julian bool) int64 {
	// Count in years that begin in March, so that the leap day is the last one.
	y, m := year, int64(month)-2
	if m < 0 {
		y, m = y-1, m+12
	}
	days := 365*y + floorDiv(y, 4) + (153*m+2)/5
	if julian {
		return days - 719470
	}
	return days - floorDiv(y, 100) + floorDiv(y, 400) - 719468
}

// dateOf returns year, month (0 to 11) and day of the month of a day number, in the calendar of that time.
func dateOf(days int64) (year int64, month, day int) {
	julian := days < cutover
	var y int64
	if julian {
		n := days + 719470
		y = floorDiv(4*n+3, 1461)
		n -= 365*y + floorDiv(y, 4)
		return marchDate(y, n)
	}
	n := days + 719468
	era := floorDiv(n, 146097)
	n -= era * 146097
	y = (n - n/1460 + n/36524 - n/146096) / 365
	n -= 365*y + y/4 - y/100
	return marchDate(era*400+y, n)
}

func marchDate(y, dayOfYear int64) (year int64, month, day int) {
	m := (5*dayOfYear + 2) / 153
	day = int(dayOfYear-(153*m+2)/5) + 1
	if m < 10 {
		return y, int(m) + 2, day
	}
	return y + 1, int(m) - 10, day
}

// weekday returns the day of the week: 1 is Sunday, 7 Saturday.
func weekday(days int64) int { return int(floorMod(days+4, 7)) + 1 }

// weekdayOnOrBefore returns the last such weekday up to the day. Lenient parsing takes any 32-bit number for a weekday,
// and Java's arithmetic overflows with the least.
func weekdayOnOrBefore(days int64, day int) int64 {
	return days - floorMod(days+4-int64(int32(day)-1), 7)
}

// firstOfYear returns the day number of 1 January.
func firstOfYear(year int64) int64 { return daysOf(year, 0, year <= cutoverYear) }

// firstOfMonth returns the day number of the first of a month, of which October 1582 has only 21 days.
func firstOfMonth(year int64, month int) int64 {
	return daysOf(year, month, year < cutoverYear || year == cutoverYear && month <= 9)
}

// weekOf returns the week of the year, of which the first contains 1 January and which begin on Sundays, and the year
// that it belongs to.
func weekOf(days, year int64) (week int, weekYear int64) {
	next := firstOfYear(year + 1)
	if days >= weekdayOnOrBefore(next, 1) {
		return 1, year + 1
	}
	return int((days-weekdayOnOrBefore(firstOfYear(year), 1))/7) + 1, year
}
