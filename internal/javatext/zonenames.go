package javatext

import (
	"strings"
	"time"
)

// zoneName is a name of a time zone in English that texts use, with its distance to UTC in minutes. Java knows more of
// them; these are the ones of RFC 822 and of the zones that have names in common use.
type zoneName struct {
	short, long string
	zone        string // a place that uses it
	minutes     int    // the distance of the zone's standard time
	daylight    int    // what summer time adds to it
}

var zoneNames = []zoneName{
	{"UTC", "Coordinated Universal Time", "UTC", 0, 0},
	{"GMT", "Greenwich Mean Time", "GMT", 0, 0},
	{"EST", "Eastern Standard Time", "America/New_York", -300, 0},
	{"EDT", "Eastern Daylight Time", "America/New_York", -300, 60},
	{"CST", "Central Standard Time", "America/Chicago", -360, 0},
	{"CDT", "Central Daylight Time", "America/Chicago", -360, 60},
	{"MST", "Mountain Standard Time", "America/Denver", -420, 0},
	{"MDT", "Mountain Daylight Time", "America/Denver", -420, 60},
	{"PST", "Pacific Standard Time", "America/Los_Angeles", -480, 0},
	{"PDT", "Pacific Daylight Time", "America/Los_Angeles", -480, 60},
	{"AKST", "Alaska Standard Time", "America/Anchorage", -540, 0},
	{"AKDT", "Alaska Daylight Time", "America/Anchorage", -540, 60},
	{"HST", "Hawaii-Aleutian Standard Time", "Pacific/Honolulu", -600, 0},
	{"AST", "Atlantic Standard Time", "America/Halifax", -240, 0},
	{"ADT", "Atlantic Daylight Time", "America/Halifax", -240, 60},
	{"WET", "Western European Standard Time", "Europe/Lisbon", 0, 0},
	{"WEST", "Western European Summer Time", "Europe/Lisbon", 0, 60},
	{"CET", "Central European Standard Time", "Europe/Berlin", 60, 0},
	{"CEST", "Central European Summer Time", "Europe/Berlin", 60, 60},
	{"EET", "Eastern European Standard Time", "Europe/Athens", 120, 0},
	{"EEST", "Eastern European Summer Time", "Europe/Athens", 120, 60},
	{"BST", "British Summer Time", "Europe/London", 0, 60},
	{"MSK", "Moscow Standard Time", "Europe/Moscow", 180, 0},
	{"IST", "India Standard Time", "Asia/Kolkata", 330, 0},
	{"JST", "Japan Standard Time", "Asia/Tokyo", 540, 0},
	{"KST", "Korean Standard Time", "Asia/Seoul", 540, 0},
	{"SGT", "Singapore Standard Time", "Asia/Singapore", 480, 0},
	{"AEST", "Australian Eastern Standard Time", "Australia/Sydney", 600, 0},
	{"AEDT", "Australian Eastern Daylight Time", "Australia/Sydney", 600, 60},
	{"ACST", "Australian Central Standard Time", "Australia/Adelaide", 570, 0},
	{"ACDT", "Australian Central Daylight Time", "Australia/Adelaide", 570, 60},
	{"AWST", "Australian Western Standard Time", "Australia/Perth", 480, 0},
	{"NZST", "New Zealand Standard Time", "Pacific/Auckland", 720, 0},
	{"NZDT", "New Zealand Daylight Time", "Pacific/Auckland", 720, 60},
	{"SAST", "South Africa Standard Time", "Africa/Johannesburg", 120, 0},
	{"BRT", "Brasilia Standard Time", "America/Sao_Paulo", -180, 0},
}

// zoneAt returns the name of a zone at a time, and its distance to UTC in seconds. Before 1900 Java knows no local
// times: the zone's standard time of today counts.
func zoneAt(loc *time.Location, t time.Time) (name string, offset int) {
	if t.UnixMilli() >= first1900 {
		return t.In(loc).Zone()
	}
	name, offset = time.Date(2025, time.January, 1, 0, 0, 0, 0, loc).Zone()
	if n, o := time.Date(2025, time.July, 1, 0, 0, 0, 0, loc).Zone(); o < offset {
		return n, o
	}
	return name, offset
}

const first1900 = -2_208_988_800_000

// appendZone appends a zone's name.
func appendZone(dst []byte, short string, offset int, long bool) []byte {
	for i := range zoneNames {
		z := &zoneNames[i]
		if z.short == short && (z.minutes+z.daylight)*60 == offset {
			if long {
				return append(dst, z.long...)
			}
			return append(dst, z.short...)
		}
	}
	if short != "" && short[0] != '+' && short[0] != '-' && !long {
		return append(dst, short...)
	}
	return appendOffset(append(dst, "GMT"...), &element{letter: 'X', count: 3}, offset/60)
}

// matchZone returns the longest name of a zone that the text begins with, in any case; nil if there is none.
func matchZone(text string) (z *zoneName, n int) {
	for i := range zoneNames {
		for _, name := range [...]string{zoneNames[i].long, zoneNames[i].short} {
			if len(name) > n && len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) {
				z, n = &zoneNames[i], len(name)
			}
		}
	}
	return z, n
}
