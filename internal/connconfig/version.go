package connconfig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
)

// versionRange is a requirement for a plugin's version, in the notation of Maven: sets such as [1.0,2.0) or [1.0],(,2.0),
// or a version alone, which means exactly that one. The nil range contains every version.
type versionRange []restriction

// restriction is one interval of a range. An empty bound is open.
type restriction struct {
	low, high                   string
	lowIncluded, highIncluded   bool
	lowUnbounded, highUnbounded bool
}

// latest is no requirement.
const latest = "latest"

// parseVersionRange parses a requirement.
func parseVersionRange(spec string) (versionRange, error) {
	if spec == latest {
		return nil, nil
	}
	spec = strings.TrimSpace(spec)
	if !strings.HasPrefix(spec, "[") && !strings.HasPrefix(spec, "(") {
		spec = "[" + spec + "]"
	}
	var r versionRange
	rest := spec
	for strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "(") {
		end := strings.IndexAny(rest, ")]")
		if end < 0 {
			return nil, fmt.Errorf("Unbounded range: %s", spec)
		}
		one, err := parseRestriction(rest[:end+1])
		if err != nil {
			return nil, err
		}
		if n := len(r); n > 0 {
			if before := r[n-1]; before.highUnbounded || one.lowUnbounded || compareVersions(one.low, before.high) < 0 {
				return nil, fmt.Errorf("Ranges overlap: %s", spec)
			}
		}
		r = append(r, one)
		rest = strings.TrimSpace(rest[end+1:])
		rest = strings.TrimSpace(strings.TrimPrefix(rest, ","))
	}
	if rest != "" {
		return nil, fmt.Errorf("Only fully-qualified sets allowed in multiple set scenario: %s", spec)
	}
	return r, nil
}

func parseRestriction(spec string) (restriction, error) {
	r := restriction{lowIncluded: spec[0] == '[', highIncluded: spec[len(spec)-1] == ']'}
	low, high, isRange := strings.Cut(strings.TrimSpace(spec[1:len(spec)-1]), ",")
	if !isRange {
		if !r.lowIncluded || !r.highIncluded {
			return r, fmt.Errorf("Single version must be surrounded by []: %s", spec)
		}
		r.low, r.high = low, low
		return r, nil
	}
	r.low, r.high = strings.TrimSpace(low), strings.TrimSpace(high)
	r.lowUnbounded, r.highUnbounded = r.low == "", r.high == ""
	if !r.lowUnbounded && !r.highUnbounded {
		if c := compareVersions(r.high, r.low); c < 0 || c == 0 && !(r.lowIncluded && r.highIncluded) {
			return r, fmt.Errorf("Range defies version ordering: %s", spec)
		}
	}
	return r, nil
}

func (r versionRange) contains(version string) bool {
	return len(r) == 0 || slices.ContainsFunc(r, func(one restriction) bool { return one.contains(version) })
}

func (r restriction) contains(version string) bool {
	if !r.lowUnbounded {
		if c := compareVersions(version, r.low); c < 0 || c == 0 && !r.lowIncluded {
			return false
		}
	}
	if !r.highUnbounded {
		if c := compareVersions(version, r.high); c > 0 || c == 0 && !r.highIncluded {
			return false
		}
	}
	return true
}

// String returns the range as Maven prints it: a single version is [1.0,1.0].
func (r versionRange) String() string {
	texts := make([]string, len(r))
	for i, one := range r {
		open, end := "(", ")"
		if one.lowIncluded {
			open = "["
		}
		if one.highIncluded {
			end = "]"
		}
		texts[i] = open + one.low + "," + one.high + end
	}
	return strings.Join(texts, ",")
}

// compareVersions compares versions part by part: numbers as numbers, and a qualifier such as SNAPSHOT or rc1 as earlier
// than none.
func compareVersions(a, b string) int {
	x, y := versionParts(a), versionParts(b)
	for i := range max(len(x), len(y)) {
		var p, q string
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if c := versionRank(p) - versionRank(q); c != 0 {
			return c
		}
		if n, m := strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0"); versionRank(p) == rankNumber && len(n) != len(m) {
			return len(n) - len(m)
		} else if c := strings.Compare(n, m); c != 0 {
			return c
		}
	}
	return 0
}

const (
	rankQualifier = iota - 1
	rankNone
	rankNumber
)

func versionRank(part string) int {
	switch {
	case strings.Trim(part, "0") == "" || part == "final" || part == "ga" || part == "release":
		return rankNone
	case part[0] >= '0' && part[0] <= '9':
		return rankNumber
	}
	return rankQualifier
}

// versionParts splits a version at dots, dashes and between digits and letters.
func versionParts(v string) []string {
	var parts []string
	start := 0
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	v = strings.ToLower(v)
	for i := range len(v) {
		switch {
		case v[i] == '.' || v[i] == '-' || v[i] == '_':
			parts = append(parts, v[start:i])
			start = i + 1
		case i > start && digit(v[i]) != digit(v[i-1]):
			parts = append(parts, v[start:i])
			start = i
		}
	}
	return append(parts, v[start:])
}

// validVersion is the validator of keys that ask for a version.
func validVersion() connect.ConfigValidator {
	return connect.ConfigCheck("a plugin version", func(key string, value any) error {
		text, ok := value.(string)
		if !ok {
			return nil
		}
		if _, err := parseVersionRange(text); err != nil {
			return &connect.ConfigError{Key: key, Message: err.Error(), Err: err}
		}
		return nil
	})
}

func versionMismatch(class string, want versionRange, available []string) error {
	return connect.ConfigErrorf("", "Plugin %s not found that matches the version range %v, available versions: [%s]", class, want, strings.Join(available, ", "))
}
