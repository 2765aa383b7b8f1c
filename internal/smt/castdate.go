package smt

import "time"

// dateText returns the text that Connect gives a date, by its value alone: a time of day for the first day of 1970 and
// all before, a day at midnight, else both.
func dateText(t time.Time) string {
	t = t.UTC()
	const day = 24 * 60 * 60 * 1000
	switch ms := t.UnixMilli(); {
	case ms < day:
		return t.Format("15:04:05.000Z")
	case ms%day == 0:
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
