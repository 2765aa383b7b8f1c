package javatext

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode/utf8"
)

// formatted holds what SimpleDateFormat prints.
var formatted = []struct {
	zone, pattern string
	millis        int64
	want          string
}{
	{"UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", 0, "1970-01-01T00:00:00.000+0000"},
	{"UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", 1709210096007, "2024-02-29T12:34:56.007+0000"},
	{"UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", 1735603200000, "2024-12-31T00:00:00.000+0000"},
	{"UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", -1, "1969-12-31T23:59:59.999+0000"},
	{"UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", -12219292800001, "1582-10-04T23:59:59.999+0000"},
	{"UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", -12219292800000, "1582-10-15T00:00:00.000+0000"},
	{"UTC", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", -62198755200000, "0002-01-03T00:00:00.000+0000"},
	{"UTC", "G yy Y YYYY y", 0, "AD 70 1970 1970 1970"},
	{"UTC", "G yy Y YYYY y", 1709210096007, "AD 24 2024 2024 2024"},
	{"UTC", "G yy Y YYYY y", 1735603200000, "AD 24 2025 2025 2024"},
	{"UTC", "G yy Y YYYY y", -1, "AD 69 1970 1970 1969"},
	{"UTC", "G yy Y YYYY y", -12219292800001, "AD 82 1582 1582 1582"},
	{"UTC", "G yy Y YYYY y", -12219292800000, "AD 82 1582 1582 1582"},
	{"UTC", "G yy Y YYYY y", -62198755200000, "BC 02 -1 -0001 2"},
	{"UTC", "D DD DDD F W w u uu", 0, "1 01 001 1 1 1 4 04"},
	{"UTC", "D DD DDD F W w u uu", 1709210096007, "60 60 060 5 5 9 4 04"},
	{"UTC", "D DD DDD F W w u uu", 1735603200000, "366 366 366 5 5 1 2 02"},
	{"UTC", "D DD DDD F W w u uu", -1, "365 365 365 5 5 1 3 03"},
	{"UTC", "D DD DDD F W w u uu", -12219292800001, "277 277 277 1 1 40 4 04"},
	{"UTC", "D DD DDD F W w u uu", -12219292800000, "278 278 278 1 1 40 5 05"},
	{"UTC", "D DD DDD F W w u uu", -62198755200000, "3 03 003 1 1 1 5 05"},
	{"UTC", "E EEEE a aaaa", 0, "Thu Thursday AM AM"},
	{"UTC", "E EEEE a aaaa", 1709210096007, "Thu Thursday PM PM"},
	{"UTC", "E EEEE a aaaa", 1735603200000, "Tue Tuesday AM AM"},
	{"UTC", "E EEEE a aaaa", -1, "Wed Wednesday PM PM"},
	{"UTC", "E EEEE a aaaa", -12219292800001, "Thu Thursday PM PM"},
	{"UTC", "E EEEE a aaaa", -12219292800000, "Fri Friday AM AM"},
	{"UTC", "E EEEE a aaaa", -62198755200000, "Fri Friday AM AM"},
	{"UTC", "h K k H hh KK kk HH", 0, "12 0 24 0 12 00 24 00"},
	{"UTC", "h K k H hh KK kk HH", 1709210096007, "12 0 12 12 12 00 12 12"},
	{"UTC", "h K k H hh KK kk HH", 1735603200000, "12 0 24 0 12 00 24 00"},
	{"UTC", "h K k H hh KK kk HH", -1, "11 11 23 23 11 11 23 23"},
	{"UTC", "h K k H hh KK kk HH", -12219292800001, "11 11 23 23 11 11 23 23"},
	{"UTC", "h K k H hh KK kk HH", -12219292800000, "12 0 24 0 12 00 24 00"},
	{"UTC", "h K k H hh KK kk HH", -62198755200000, "12 0 24 0 12 00 24 00"},
	{"UTC", "M MM MMM MMMM L LL LLL LLLL", 0, "1 01 Jan January 1 01 Jan January"},
	{"UTC", "M MM MMM MMMM L LL LLL LLLL", 1709210096007, "2 02 Feb February 2 02 Feb February"},
	{"UTC", "M MM MMM MMMM L LL LLL LLLL", 1735603200000, "12 12 Dec December 12 12 Dec December"},
	{"UTC", "M MM MMM MMMM L LL LLL LLLL", -1, "12 12 Dec December 12 12 Dec December"},
	{"UTC", "M MM MMM MMMM L LL LLL LLLL", -12219292800001, "10 10 Oct October 10 10 Oct October"},
	{"UTC", "M MM MMM MMMM L LL LLL LLLL", -12219292800000, "10 10 Oct October 10 10 Oct October"},
	{"UTC", "M MM MMM MMMM L LL LLL LLLL", -62198755200000, "1 01 Jan January 1 01 Jan January"},
	{"UTC", "z zzzz Z X XX XXX", 0, "UTC Coordinated Universal Time +0000 Z Z Z"},
	{"UTC", "z zzzz Z X XX XXX", 1709210096007, "UTC Coordinated Universal Time +0000 Z Z Z"},
	{"UTC", "z zzzz Z X XX XXX", 1735603200000, "UTC Coordinated Universal Time +0000 Z Z Z"},
	{"UTC", "z zzzz Z X XX XXX", -1, "UTC Coordinated Universal Time +0000 Z Z Z"},
	{"UTC", "z zzzz Z X XX XXX", -12219292800001, "UTC Coordinated Universal Time +0000 Z Z Z"},
	{"UTC", "z zzzz Z X XX XXX", -12219292800000, "UTC Coordinated Universal Time +0000 Z Z Z"},
	{"UTC", "z zzzz Z X XX XXX", -62198755200000, "UTC Coordinated Universal Time +0000 Z Z Z"},
	{"UTC", "'quoted' ''yyyy''", 0, "quoted '1970'"},
	{"UTC", "'quoted' ''yyyy''", 1709210096007, "quoted '2024'"},
	{"UTC", "'quoted' ''yyyy''", 1735603200000, "quoted '2024'"},
	{"UTC", "'quoted' ''yyyy''", -1, "quoted '1969'"},
	{"UTC", "'quoted' ''yyyy''", -12219292800001, "quoted '1582'"},
	{"UTC", "'quoted' ''yyyy''", -12219292800000, "quoted '1582'"},
	{"UTC", "'quoted' ''yyyy''", -62198755200000, "quoted '0002'"},
	{"UTC", "S SSS SSSSSS s m", 0, "0 000 000000 0 0"},
	{"UTC", "S SSS SSSSSS s m", 1709210096007, "7 007 000007 56 34"},
	{"UTC", "S SSS SSSSSS s m", 1735603200000, "0 000 000000 0 0"},
	{"UTC", "S SSS SSSSSS s m", -1, "999 999 000999 59 59"},
	{"UTC", "S SSS SSSSSS s m", -12219292800001, "999 999 000999 59 59"},
	{"UTC", "S SSS SSSSSS s m", -12219292800000, "0 000 000000 0 0"},
	{"UTC", "S SSS SSSSSS s m", -62198755200000, "0 000 000000 0 0"},
	{"UTC", "yyyy年MM月dd日", 0, "1970年01月01日"},
	{"UTC", "yyyy年MM月dd日", 1709210096007, "2024年02月29日"},
	{"UTC", "yyyy年MM月dd日", 1735603200000, "2024年12月31日"},
	{"UTC", "yyyy年MM月dd日", -1, "1969年12月31日"},
	{"UTC", "yyyy年MM月dd日", -12219292800001, "1582年10月04日"},
	{"UTC", "yyyy年MM月dd日", -12219292800000, "1582年10月15日"},
	{"UTC", "yyyy年MM月dd日", -62198755200000, "0002年01月03日"},
	{"America/New_York", "yyyy-MM-dd HH:mm z Z XXX X", 1709210096007, "2024-02-29 07:34 EST -0500 -05:00 -05"},
	{"America/New_York", "yyyy-MM-dd HH:mm z Z XXX X", 1720000000000, "2024-07-03 05:46 EDT -0400 -04:00 -04"},
	{"America/New_York", "yyyy-MM-dd HH:mm z Z XXX X", -3000000000000, "1874-12-07 13:40 EST -0500 -05:00 -05"},
	{"Asia/Kolkata", "yyyy-MM-dd HH:mm z Z XXX X", 1709210096007, "2024-02-29 18:04 IST +0530 +05:30 +05"},
	{"Asia/Kolkata", "yyyy-MM-dd HH:mm z Z XXX X", 1720000000000, "2024-07-03 15:16 IST +0530 +05:30 +05"},
	{"Asia/Kolkata", "yyyy-MM-dd HH:mm z Z XXX X", -3000000000000, "1874-12-08 00:10 IST +0530 +05:30 +05"},
	{"Europe/Berlin", "yyyy-MM-dd HH:mm z Z XXX X", 1709210096007, "2024-02-29 13:34 CET +0100 +01:00 +01"},
	{"Europe/Berlin", "yyyy-MM-dd HH:mm z Z XXX X", 1720000000000, "2024-07-03 11:46 CEST +0200 +02:00 +02"},
	{"Europe/Berlin", "yyyy-MM-dd HH:mm z Z XXX X", -3000000000000, "1874-12-07 19:40 CET +0100 +01:00 +01"},
}

// read holds what SimpleDateFormat reads: the milliseconds and the number of characters, or -.
var read = []struct{ pattern, text, want string }{
	{"yyyy-MM-dd", "2019-08-23", "1566518400000@10"},
	{"yyyy-MM-dd", "2019-08-23T14", "1566518400000@10"},
	{"yyyy-MM-dd", "2019-13-45", "1581638400000@10"},
	{"yyyy-MM-dd", "1582-10-10", "-12218860800000@10"},
	{"yyyy-MM-dd", "0-1-1", "-62167392000000@5"},
	{"yyyy-MM-dd", " 2019- 8- 3", "1564790400000@11"},
	{"yyyy-MM-dd", "2019-8", "-"},
	{"yyyy-MM-dd", "x", "-"},
	{"yyyy-MM-dd", "", "-"},
	{"yyyy-MM-dd", "2019-08-1E1", "1565395200000@11"},
	{"yyyy-MM-dd", "٢٠١٩-08-23", "1566518400000@10"},
	{"yyyy-MM-dd", "-5-1-1", "-62325158400000@6"},
	{"yyyy-MM-dd", "99999999999-1-1", "1471883220702496768@15"},
	{"yyyyMMdd", "20190823", "1566518400000@8"},
	{"yyyyMMdd", "2019082", "1564704000000@7"},
	{"yyyyMMddHHmmssSSS", "20190823143454346", "1566570894346@17"},
	{"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2019-08-23T14:34:54.346+0530", "1566551094346@28"},
	{"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2019-08-23T14:34:54.346Z", "-"},
	{"XXX", "+05:30", "-19800000@6"},
	{"XXX", "+0530", "-"},
	{"XX", "+0530", "-19800000@5"},
	{"X", "-05", "18000000@3"},
	{"X", "Z", "0@1"},
	{"X", "z", "-"},
	{"z", "PST", "28800000@3"},
	{"z", "EDT x", "14400000@3"},
	{"z", "GMT+5:30", "-19800000@8"},
	{"z", "gmt", "0@3"},
	{"z", "Pacific Daylight Time", "25200000@21"},
	{"Z", "-0800", "28800000@5"},
	{"YYYY-'W'ww-u", "2019-W34-5", "1566518400000@10"},
	{"YYYY-'W'ww-u", "2020-W01-7", "1577577600000@10"},
	{"YYYY-'W'ww-u", "2020-W60-9", "1614038400000@10"},
	{"yyyy-DDD", "2019-235", "1566518400000@8"},
	{"yyyy-DDD", "2019-400", "1580774400000@8"},
	{"hh:mm a", "12:30 am", "1800000@8"},
	{"hh:mm a", "12:30 PM", "45000000@8"},
	{"hh:mm a", "25:61 pm", "136860000@8"},
	{"kk:mm", "24:00", "0@5"},
	{"KK:mm a", "11:59 PM", "86340000@8"},
	{"EEE, d MMM yyyy HH:mm:ss z", "Fri, 23 Aug 2019 14:34:54 UTC", "1566570894000@29"},
	{"MMM d, yyyy", "august 23, 2019", "1566518400000@15"},
	{"MMMM d, yyyy", "AUG 23, 2019", "1566518400000@12"},
	{"MMM d, yyyy", "Foo 23, 2019", "-"},
	{"G yyyy", "BC 44", "-63524304000000@5"},
	{"yyyy MM W E", "2019 08 2 Mon", "1564963200000@13"},
	{"yyyy MM F E", "2019 08 -1 Fri", "1567123200000@14"},
	{"yyyy ww", "2019 34", "1566086400000@7"},
	{"E", "Tue", "432000000@3"},
	{"'T'HH", "T14", "50400000@3"},
	{"'T'HH", "t14", "-"},
	{"", "", "-"},
	{"''y", "'2019", "1546300800000@5"},
	{"yyyy HH K a", "2019 13 5 PM", "1546362000000@12"},
	{"yyyy", "NaN", "-62167392000000@3"},
	{"SSS", "123456", "123456@6"},
}

func TestFormat(t *testing.T) {
	for _, c := range formatted {
		f, err := CompileDate(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.In(loc).Format(time.UnixMilli(c.millis)); got != c.want {
			t.Errorf("%s of %d in %s = %q, want %q", c.pattern, c.millis, c.zone, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range read {
		f, err := CompileDate(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got := "-"
		if d, n, ok := f.Parse(c.text); ok {
			got = fmt.Sprintf("%d@%d", d.UnixMilli(), utf8.RuneCountInString(c.text[:n]))
		}
		if got != c.want {
			t.Errorf("%q read by %s = %s, want %s", c.text, c.pattern, got, c.want)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"yyyy-bb": "Illegal pattern character 'b'",
		"n":       "Illegal pattern character 'n'",
		"'":       "Unterminated quote",
		"yyyy'T":  "Unterminated quote",
		"XXXX":    "invalid ISO 8601 format: length=4",
	} {
		if _, err := CompileDate(pattern); err == nil || err.Error() != want {
			t.Errorf("CompileDate(%q): %v, want %s", pattern, err, want)
		}
	}
}

// TestCentury checks that two digits mean the year that is at most 80 years ago and less than 20 years ahead.
func TestCentury(t *testing.T) {
	f, err := CompileDate("yy-MM-dd")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	for ago := -19; ago < 80; ago++ {
		day := time.Date(now.Year()-ago, 6, 15, 0, 0, 0, 0, time.UTC)
		if got, _, ok := f.Parse(day.Format("06-01-02")); !ok || !got.Equal(day) {
			t.Errorf("%s became %v", day.Format(time.DateOnly), got)
		}
	}
}

func TestAppendFormatDoesNotAllocate(t *testing.T) {
	f, err := CompileDate("EEE yyyy-MM-dd'T'HH:mm:ss.SSSZ XXX z")
	if err != nil {
		t.Fatal(err)
	}
	buf, now := make([]byte, 0, 100), time.UnixMilli(1709210096007)
	if n := testing.AllocsPerRun(100, func() { buf = f.AppendFormat(buf[:0], now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDate(f *testing.F) {
	for _, c := range read {
		f.Add(c.pattern, c.text, int64(0))
	}
	for _, c := range formatted {
		f.Add(c.pattern, "", c.millis)
	}
	f.Fuzz(func(t *testing.T, pattern, text string, millis int64) {
		format, err := CompileDate(pattern)
		if err != nil {
			return
		}
		if _, n, ok := format.Parse(text); ok && (n <= 0 || n > len(text)) {
			t.Errorf("read %d of %d bytes", n, len(text))
		}
		if len(pattern) > 1000 {
			return
		}
		format.Format(time.UnixMilli(millis))
	})
}

// FuzzRoundTrip checks what Java keeps: a complete pattern gives the same time back.
func FuzzRoundTrip(f *testing.F) {
	format, err := CompileDate("G yyyy-MM-dd HH:mm:ss.SSS XXX")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(int64(0))
	f.Add(int64(-12219292800001))
	f.Fuzz(func(t *testing.T, millis int64) {
		millis %= 200_000_000_000_000
		want := time.UnixMilli(millis)
		text := format.Format(want)
		if got, n, ok := format.Parse(text); !ok || n != len(text) || !got.Equal(want) {
			t.Errorf("%d: %s became %d", millis, text, got.UnixMilli())
		}
	})
}

func BenchmarkDate(b *testing.B) {
	f, err := CompileDate("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("format", func(b *testing.B) {
		b.ReportAllocs()
		buf, at := make([]byte, 0, 64), time.UnixMilli(1709210096007)
		for b.Loop() {
			buf = f.AppendFormat(buf[:0], at)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, ok := f.Parse("2024-02-29T12:34:56.007Z"); !ok {
				b.Fatal("not read")
			}
		}
	})
}
