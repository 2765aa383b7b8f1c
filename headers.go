package connect

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// Header is one header of a [Record].
type Header struct {
	Key    string
	Schema *Schema // or nil
	Value  any     // or nil
}

// String returns the header as Connect prints it.
func (h Header) String() string {
	return "ConnectHeader(key=" + h.Key + ", value=" + FormatValue(h.Value) + ", schema=" + h.Schema.String() + ")"
}

// Headers are the headers of a [Record], in order; keys may repeat. Copies of a record share them, so elements must not
// be changed in place: the methods make a copy first.
type Headers []Header

// Add appends a header. It fails with a *[DataError] if the value does not match the schema, which may be nil: of a
// [Struct] it is then the struct's own.
func (h *Headers) Add(key string, s *Schema, value any) error {
	if v, ok := value.(*Struct); ok && s == nil && v != nil {
		s = v.schema
	}
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

// AddDecimal appends a header with a number of the logical type Decimal, of the number's own scale.
func (h *Headers) AddDecimal(key string, d Decimal) {
	*h = append(slices.Clip(*h), Header{key, DecimalSchema(d.Scale), d})
}

// AddDate appends a header with a day: t must be midnight in UTC, else it fails with a *[DataError].
func (h *Headers) AddDate(key string, t time.Time) error {
	if _, err := FromDate(DateSchema, t); err != nil {
		return err
	}
	*h = append(slices.Clip(*h), Header{key, DateSchema, t})
	return nil
}

// AddTime appends a header with a time of day: t must be on 1970-01-01 in UTC, else it fails with a *[DataError].
func (h *Headers) AddTime(key string, t time.Time) error {
	if _, err := FromTime(TimeSchema, t); err != nil {
		return err
	}
	*h = append(slices.Clip(*h), Header{key, TimeSchema, t})
	return nil
}

// AddTimestamp appends a header with a point in time.
func (h *Headers) AddTimestamp(key string, t time.Time) {
	*h = append(slices.Clip(*h), Header{key, TimestampSchema, t})
}

// All iterates over the headers with that key, in order.
func (h Headers) All(key string) iter.Seq[Header] {
	return func(yield func(Header) bool) {
		for _, e := range h {
			if e.Key == key && !yield(e) {
				return
			}
		}
	}
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

// Apply replaces each header with that key by what f makes of it, or removes it if f says false. It fails with a
// *[DataError], and changes nothing, if a new value does not match its schema.
func (h *Headers) Apply(key string, f func(Header) (Header, bool)) error {
	var out Headers
	for _, e := range *h {
		if e.Key == key {
			var keep bool
			if e, keep = f(e); !keep {
				continue
			}
			if err := checkHeader(e.Schema, e.Value); err != nil {
				return err
			}
		}
		out = append(out, e)
	}
	*h = out
	return nil
}

// Rename gives the headers with that key another one, in their place.
func (h *Headers) Rename(key, to string) {
	out := slices.Clone(*h)
	for i := range out {
		if out[i].Key == key {
			out[i].Key = to
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

// String returns the headers as Connect prints them.
func (h Headers) String() string {
	var b strings.Builder
	b.WriteString("ConnectHeaders(headers=[")
	for i, e := range h {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(e.String())
	}
	b.WriteString("])")
	return b.String()
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
