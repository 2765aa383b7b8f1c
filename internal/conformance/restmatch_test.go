package conformance_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// expected compares answers with expectations. Values are what tokens stand for in this run.
type expected struct {
	values  map[string]string // by token, such as <url>
	differs []string
}

// shapes are the tokens that stand for anything of a shape, also inside a text.
var shapes = map[string]string{
	"<version>":    `[0-9A-Za-z][0-9A-Za-z.+_-]*`,
	"<commit>":     `[0-9A-Za-z]+`,
	"<cluster-id>": `[0-9A-Za-z_-]{1,64}`,
	"<timestamp>":  `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`,
	"<stage>":      `.*`,
	"<again>":      `(?:org\.apache\.kafka\.connect\.errors\.ConnectException: )?`,
	"<*>":          `(?s:.*)`,
}

var shapeToken = regexp.MustCompile(`<(?:version|commit|cluster-id|timestamp|stage|again|\*)>`)

func (e *expected) fill(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	for token, value := range e.values {
		s = strings.ReplaceAll(s, token, value)
	}
	return s
}

func (e *expected) textFits(want, got string) bool {
	inner := func(prefix string) (string, bool) {
		rest, ok := strings.CutPrefix(want, prefix)
		rest, ends := strings.CutSuffix(rest, ">")
		return rest, ok && ends
	}
	if want == "<any>" {
		return true
	}
	if want == "<text>" || want == "<trace>" {
		return got != ""
	}
	if list, ok := inner("<set:"); ok {
		sorted := func(s string) []string {
			parts := strings.Split(s, ",")
			for i := range parts {
				parts[i] = strings.TrimSpace(parts[i])
			}
			slices.Sort(parts)
			return parts
		}
		return slices.Equal(sorted(list), sorted(got))
	}
	if pattern, ok := inner("<regex:"); ok {
		for token, value := range e.values {
			pattern = strings.ReplaceAll(pattern, token, regexp.QuoteMeta(value))
		}
		for token, shape := range shapes {
			pattern = strings.ReplaceAll(pattern, token, shape)
		}
		re, err := regexp.Compile("^(?:" + pattern + ")$")
		return err == nil && re.MatchString(got)
	}
	want = e.fill(want)
	if !shapeToken.MatchString(want) {
		return want == got
	}
	pattern, from := "^", 0
	for _, at := range shapeToken.FindAllStringIndex(want, -1) {
		pattern += regexp.QuoteMeta(want[from:at[0]]) + shapes[want[at[0]:at[1]]]
		from = at[1]
	}
	return regexp.MustCompile(pattern + regexp.QuoteMeta(want[from:]) + "$").MatchString(got)
}

// compare notes how got differs from want.
func (e *expected) compare(at string, want, got any) {
	differs := func() {
		e.differs = append(e.differs, fmt.Sprintf("%s: got  %s\n\twant %s", at, shorten(javaJSON(got, asIs)), shorten(javaJSON(want, asIs))))
	}
	switch want := want.(type) {
	case string:
		_, number := got.(json.Number)
		_, truth := got.(bool)
		text, isText := got.(string)
		if want != "<any>" && !(want == "<number>" && number) && !(want == "<bool>" && truth) && !(isText && e.textFits(want, text)) {
			differs()
		}
	case []any:
		list, ok := got.([]any)
		if !ok {
			differs()
			return
		}
		e.compareList(at, want, list)
	case *members:
		m, ok := got.(*members)
		if !ok {
			differs()
			return
		}
		e.compareMembers(at, want, m)
	default:
		if want != got {
			differs()
		}
	}
}

func (e *expected) compareList(at string, want, got []any) {
	mode := ""
	if len(want) > 0 {
		if first, ok := want[0].(string); ok && (first == "<unordered>" || first == "<contains>") {
			mode, want = first, want[1:]
		}
	}
	if mode == "" {
		if len(want) != len(got) {
			e.differs = append(e.differs, fmt.Sprintf("%s: got %d elements: %s\n\twant %d", at, len(got), shorten(javaJSON(got, asIs)), len(want)))
			return
		}
		for i := range want {
			e.compare(fmt.Sprintf("%s/%d", at, i), want[i], got[i])
		}
		return
	}
	left := slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(left, func(g any) bool {
			try := expected{values: e.values}
			try.compare(at, w, g)
			return len(try.differs) == 0
		})
		if i < 0 {
			e.differs = append(e.differs, fmt.Sprintf("%s: no element is like %s: %s", at, shorten(javaJSON(w, asIs)), shorten(javaJSON(got, asIs))))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	if mode == "<unordered>" && len(left) > 0 {
		e.differs = append(e.differs, fmt.Sprintf("%s: there is also %s", at, shorten(javaJSON(left, asIs))))
	}
}

func (e *expected) compareMembers(at string, want, got *members) {
	contains := want.has("<contains>")
	ordered := !contains && !want.has("<unordered>")
	var order []string
	for i, key := range want.keys {
		if key == "<contains>" || key == "<unordered>" {
			continue
		}
		key = e.fill(key)
		order = append(order, key)
		if !got.has(key) {
			e.differs = append(e.differs, fmt.Sprintf("%s: there is no %q: %s", at, key, shorten(javaJSON(got, asIs))))
			continue
		}
		e.compare(at+"/"+key, want.values[i], got.get(key))
	}
	var have []string
	for _, key := range got.keys {
		switch {
		case slices.Contains(order, key):
			have = append(have, key)
		case !contains:
			e.differs = append(e.differs, fmt.Sprintf("%s: there is also %q: %s", at, key, shorten(javaJSON(got.get(key), asIs))))
		}
	}
	if ordered && len(have) == len(order) && !slices.Equal(have, order) {
		e.differs = append(e.differs, fmt.Sprintf("%s: the order is %q\n\twant %q", at, have, order))
	}
}

func shorten(s string) string {
	if len(s) > 500 {
		return s[:500] + "…"
	}
	return s
}
