package smt

import (
	"strings"
	"unicode/utf16"

	"github.com/gokconnect/connect"
)

// FieldPath is the way to a field: the name of a field, then the name of a field of that, and so on.
type FieldPath []string

// ParseFieldPath parses a path. In syntax V1 it is a single name. In V2 names are separated by dots, and one that
// contains dots stands between backticks; a backslash before a backtick that a dot follows makes that part of the name.
func ParseFieldPath(path, version string) (FieldPath, error) {
	if strings.EqualFold(version, "V1") {
		return FieldPath{path}, nil
	}
	var steps FieldPath
	for i := 0; i < len(path); {
		if path[i] == '`' {
			name, end, ok := quotedStep(path, i+1)
			if !ok {
				// Java counts UTF-16 units.
				at := len(utf16.Encode([]rune(path[:i])))
				return nil, &connect.ConfigError{Key: "field", Message: "Incomplete backtick pair in path: [" + path + "]," +
					" consider adding a backslash before backtick at position " + connect.FormatValue(int32(at)) + " to escape it"}
			}
			steps = append(steps, name)
			i = end + 2 // behind the backtick and the dot
			continue
		}
		name, _, more := strings.Cut(path[i:], ".")
		steps = append(steps, name)
		if !more {
			break
		}
		i += len(name) + 1
	}
	if strings.HasSuffix(path, ".") {
		steps = append(steps, "")
	}
	return steps, nil
}

// quotedStep returns the name that begins at start, behind a backtick, and where the backtick is that ends it.
func quotedStep(path string, start int) (name string, end int, ok bool) {
	for i := start; ; i++ {
		n := strings.IndexByte(path[i:], '`')
		if n < 0 {
			return "", 0, false
		}
		i += n
		escaped := path[i-1] == '\\'
		switch {
		case i == len(path)-1:
			return name + path[start:i], i, !escaped
		case path[i+1] != '.':
			// part of the name
		case !escaped:
			return name + path[start:i], i, true
		default:
			name += path[start:i-1] + "`"
			start = i + 1
		}
	}
}
