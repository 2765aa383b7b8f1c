package connect

import (
	"slices"
	"time"
)

// Header is one header of a [Record].
type Header struct {
	Key    string
	Schema *Schema // or nil
	Value  any     // or nil
}

// Headers are the headers of a [Record], in order; keys may repeat. Copies of a record share them, so elements must not
// be changed in place: the methods make a copy first.
type Headers []Header

// Add appends a header. It fails with a *[DataError] if the value does not match the schema, which may be nil.
func (h *Headers) Add(key string, s *Schema, value any) error {
	if err := checkHeader(s, value); err != nil {
		return err
	}
	*h = append(slices.Clip(*h), Header{key, s, value})
	return nil
}

// AddString appends a header with a text.
func (h *Headers) AddString(key, value string) {
	*h = append(slices.Clip(*h), Header{key, StringSchema, value})
}

// Last returns the last header with that key.
func (h Headers) Last(key string) (Header, bool) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Key == key {
			return h[i], true
		}
	}
	return Header{}, false
}

// Filter keeps the headers for which keep is true.
func (h *Headers) Filter(keep func(Header) bool) {
	var out Headers
	for _, e := range *h {
		if keep(e) {
			out = append(out, e)
		}
	}
	*h = out
}

// Remove removes all headers with that key.
func (h *Headers) Remove(key string) { h.Filter(func(e Header) bool { return e.Key != key }) }

// RetainLatest keeps of all headers with that key the last one.
func (h *Headers) RetainLatest(key string) { h.retain(func(k string) bool { return k == key }) }

// RetainAllLatest keeps of all headers with the same key the last one.
func (h *Headers) RetainAllLatest() { h.retain(func(string) bool { return true }) }

func (h *Headers) retain(meant func(key string) bool) {
	seen := make(map[string]bool)
	var out Headers
	for _, e := range slices.Backward(*h) {
		if meant(e.Key) {
			if seen[e.Key] {
				continue
			}
			seen[e.Key] = true
		}
		out = append(out, e)
	}
	slices.Reverse(out)
	*h = out
}

// checkHeader checks a header's value against its schema. It looks at the value alone, not at its parts, as Connect does.
func checkHeader(s *Schema, v any) error {
	switch {
	case s == nil:
		return nil
	case v == nil && !s.optional:
		return DataErrorf("A null value requires an optional schema but was %v", s)
	case v == nil:
		return nil
	}
	if t, ok := TypeOf(v); ok && t == s.typ {
		return nil
	}
	switch v.(type) {
	case Decimal:
		if s.typ == TypeBytes && s.logical == logicalDecimal {
			return nil
		}
	case time.Time:
		if s.typ == TypeInt32 && (s.logical == logicalDate || s.logical == logicalTime) || s.typ == TypeInt64 && s.logical == logicalTimestamp {
			return nil
		}
	}
	return DataErrorf("The value %s is not compatible with the schema %v", FormatValue(v), s)
}
