package javatext

import "time"

// time resolves the fields as a lenient GregorianCalendar does.
func (p *parsed) time() time.Time {
	q := *p
	if q.stamp[fieldWeekYear] > q.stamp[fieldYear] {
		q.resolveWeekYear()
	}
	days, ms := q.day(), q.timeOfDay()
	local := days*dayMillis + ms
	switch {
	case q.stamp[fieldZone] > 0:
		local -= (q.value[fieldZone] + q.value[fieldDaylight]) * 60_000
	case q.loc != time.UTC:
		local -= q.offsetAt(local)
	}
	return time.UnixMilli(local).UTC()
}

// offsetAt returns the zone's distance to UTC at a local time, in milliseconds. A time that the clocks skip is taken as
// if they had not been set forward; of one that comes twice the second counts.
func (p *parsed) offsetAt(local int64) int64 {
	at := func(ms int64) int64 {
		_, offset := zoneAt(p.loc, time.UnixMilli(ms))
		return int64(offset) * 1000
	}
	before, after := at(local-dayMillis), at(local+dayMillis)
	if at(local-after) == after {
		return after
	}
	return before
}

// resolveWeekYear turns a year of weeks, a week and a day of the week into a date.
func (p *parsed) resolveWeekYear() {
	week, day := int64(1), int64(1)
	if p.stamp[fieldWeekOfYear] > 0 {
		week = p.value[fieldWeekOfYear]
	}
	if p.stamp[fieldDayOfWeek] > 0 {
		day = p.value[fieldDayOfWeek]
	}
	if day < 1 || day > 7 {
		if day >= 8 {
			day--
			week += day / 7
			day = day%7 + 1
		} else {
			week += floorDiv(day-1, 7)
			day = floorMod(day-1, 7) + 1
		}
		day = day%7 + 1 // counted from Monday until here
	}
	first := parsed{loc: time.UTC}
	first.set(fieldYear, p.value[fieldWeekYear])
	first.set(fieldWeekOfYear, 1)
	first.set(fieldDayOfWeek, 1)
	year, month, dom := dateOf(first.day() + day - 1 + 7*(week-1))
	p.set(fieldYear, year)
	p.set(fieldMonth, int64(month))
	p.set(fieldDayOfMonth, int64(dom))
}

// timeOfDay returns the milliseconds since midnight, possibly of another day.
func (p *parsed) timeOfDay() int64 {
	hourStamp := aggregate(p.stamp[fieldHour], p.stamp[fieldAmPm])
	best := max(hourStamp, p.stamp[fieldHourOfDay])
	if best == 0 {
		best = max(p.stamp[fieldHour], p.stamp[fieldAmPm])
	}
	var hours int64
	switch {
	case best == 0:
	case best == p.stamp[fieldHourOfDay]:
		hours = p.value[fieldHourOfDay]
	default:
		hours = p.value[fieldHour]
		if p.stamp[fieldAmPm] > 0 {
			hours += 12 * p.value[fieldAmPm]
		}
	}
	return ((hours*60+p.value[fieldMinute])*60+p.value[fieldSecond])*1000 + p.value[fieldMilli]
}

func aggregate(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// selection says from which fields the date is made.
type selection struct {
	month, dayOfMonth, weekOfMonth, dayOfWeekInMonth, dayOfYear, dayOfWeek bool
}

// sel picks the fields that were set last and make a date.
func (p *parsed) sel() selection {
	s := &p.stamp
	dow, dom, doy := s[fieldDayOfWeek], s[fieldDayOfMonth], s[fieldDayOfYear]
	wom := aggregate(s[fieldWeekOfMonth], dow)
	dowim := aggregate(s[fieldDayOfWeekInMonth], dow)
	woy := aggregate(s[fieldWeekOfYear], dow)
	best := max(dom, wom, dowim, doy, woy)
	if best == 0 {
		wom, dowim, woy = s[fieldWeekOfMonth], max(s[fieldDayOfWeekInMonth], dow), s[fieldWeekOfYear]
		best = max(wom, dowim, woy)
		if best == 0 {
			dom = s[fieldMonth]
			best = dom
		}
	}
	var sel selection
	switch {
	case best == dom, best == wom && s[fieldWeekOfMonth] >= s[fieldWeekOfYear], best == dowim && s[fieldDayOfWeekInMonth] >= s[fieldWeekOfYear]:
		sel.month = true
		switch {
		case best == dom:
			sel.dayOfMonth = true
			return sel
		case wom == dowim:
			sel.weekOfMonth = s[fieldWeekOfMonth] >= s[fieldDayOfWeekInMonth]
			sel.dayOfWeekInMonth = !sel.weekOfMonth
		case best == wom:
			sel.weekOfMonth = true
		default:
			sel.dayOfWeekInMonth = s[fieldDayOfWeekInMonth] > 0
		}
	case best == doy:
		sel.dayOfYear = true
		return sel
	}
	sel.dayOfWeek = dow > 0
	return sel
}

// day returns the day number of the date. The time of day may yet add to it, which Java does first: see below.
func (p *parsed) day() int64 {
	year := int64(1970)
	if p.stamp[fieldYear] > 0 {
		year = p.value[fieldYear]
	}
	if p.stamp[fieldEra] > 0 && p.value[fieldEra] == 0 {
		year = 1 - year
	}
	sel := p.sel()
	// The calendar is chosen by the day that the time of day leads to.
	extra := floorDiv(p.timeOfDay(), dayMillis)
	gregorian := p.dayIn(year, sel, false) + extra
	julian := p.dayIn(year, sel, true) + extra
	var day int64
	switch {
	case year > cutoverYear && gregorian >= cutover:
		day = gregorian
	case year < cutoverYear && julian < cutover:
		day = julian
	default:
		if year < cutoverYear {
			gregorian = julian
		}
		switch {
		case sel.dayOfYear || !sel.month:
			day = julian
		case gregorian >= cutover:
			day = gregorian
		default:
			day = julian
		}
	}
	return day - extra
}

// dayIn returns the day number of the date in one of the calendars.
func (p *parsed) dayIn(year int64, sel selection, julian bool) int64 {
	month := int64(0)
	if sel.month {
		month = p.value[fieldMonth]
		year += floorDiv(month, 12)
		month = floorMod(month, 12)
	}
	first := daysOf(year, int(month), julian)
	week := func(n int64) int64 {
		sunday := weekdayOnOrBefore(first, 1)
		if sel.dayOfWeek {
			sunday = weekdayOnOrBefore(sunday+6, int(p.value[fieldDayOfWeek]))
		}
		return sunday + 7*(n-1)
	}
	switch {
	case sel.dayOfMonth:
		if p.stamp[fieldDayOfMonth] > 0 {
			first += p.value[fieldDayOfMonth] - 1
		}
		return first
	case sel.dayOfYear:
		return first + p.value[fieldDayOfYear] - 1
	case sel.weekOfMonth:
		return week(p.value[fieldWeekOfMonth])
	case !sel.month:
		return week(p.value[fieldWeekOfYear])
	}
	weekdayWanted, n := 1, int64(1)
	if sel.dayOfWeek {
		weekdayWanted = int(p.value[fieldDayOfWeek])
	}
	if sel.dayOfWeekInMonth {
		n = p.value[fieldDayOfWeekInMonth]
	}
	if n >= 0 {
		return weekdayOnOrBefore(first+7*n-1, weekdayWanted)
	}
	next := daysOf(year+(month+1)/12, int(month+1)%12, julian)
	return weekdayOnOrBefore(next-1+7*(n+1), weekdayWanted)
}
