package probe

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

// planned is one poll of a plan: records, or none, or none until a gate is open.
type planned struct {
	until   string
	records []connect.SourceRecord
	shown   any // what the event shows
}

// recordSpec is a record of a plan.
type recordSpec struct {
	Topic     *string        `json:"topic"`
	Partition *int32         `json:"partition"`
	Key       any            `json:"key"`
	Value     any            `json:"value"`
	Timestamp *int64         `json:"timestamp"`
	Headers   [][2]any       `json:"headers"`
	SP        connect.Fields `json:"sp"`
	SO        connect.Fields `json:"so"`
	Copies    int            `json:"copies"`
}

func decode(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

func parsePlan(plan string) ([]planned, error) {
	if plan == "" {
		return nil, nil
	}
	var entries []json.RawMessage
	if err := decode(plan, &entries); err != nil {
		return nil, fmt.Errorf("source.plan: %w", err)
	}
	var all []planned
	for _, raw := range entries {
		var p planned
		switch raw[0] {
		case 'n':
		case '{':
			var wait struct {
				Until string `json:"until"`
			}
			if err := decode(string(raw), &wait); err != nil {
				return nil, fmt.Errorf("source.plan: %w", err)
			}
			p.until = wait.Until
		default:
			var specs []*recordSpec
			if err := decode(string(raw), &specs); err != nil {
				return nil, fmt.Errorf("source.plan: %w", err)
			}
			p.records = []connect.SourceRecord{}
			shown := []any{}
			for _, s := range specs {
				r, err := s.record()
				if err != nil {
					return nil, fmt.Errorf("source.plan: %w", err)
				}
				for range s.copies() {
					p.records = append(p.records, r)
					shown = append(shown, text(r.Value))
				}
			}
			p.shown = shown
		}
		all = append(all, p)
	}
	return all, nil
}

func (s *recordSpec) copies() int {
	if s == nil {
		return 1
	}
	return max(1, s.Copies)
}

// record returns the record; a null one is the zero record.
func (s *recordSpec) record() (r connect.SourceRecord, err error) {
	if s == nil {
		return r, nil
	}
	if s.Topic != nil {
		r.Topic = *s.Topic
	}
	if s.Partition != nil {
		r.Partition = connect.ToPartition(*s.Partition)
	}
	if s.Timestamp != nil {
		r.Timestamp = time.UnixMilli(*s.Timestamp).UTC()
	}
	if r.KeySchema, r.Key, err = value(s.Key); err != nil {
		return r, err
	}
	if r.ValueSchema, r.Value, err = value(s.Value); err != nil {
		return r, err
	}
	for _, h := range s.Headers {
		schema, v, err := value(h[1])
		if err != nil {
			return r, err
		}
		r.Headers.Add(fmt.Sprint(h[0]), schema, v)
	}
	r.SourcePartition = fields(s.SP)
	if s.SO != nil {
		r.SourceOffset = fields(s.SO)
	}
	return r, nil
}

// fields returns fields with Go's numbers.
func fields(f connect.Fields) connect.Fields {
	for k, v := range f {
		f[k] = plain(v)
	}
	return f
}

func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// value returns a value of a plan with its schema.
func value(v any) (*connect.Schema, any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil, nil
	case string:
		return connect.StringSchema, v, nil
	case map[string]any:
		return typed(v)
	}
	return nil, nil, fmt.Errorf("value %v is neither text nor an object", v)
}

func typed(v map[string]any) (*connect.Schema, any, error) {
	t, _ := v["t"].(string)
	content := fmt.Sprint(v["v"])
	integer := func(bits int) int64 { n, _ := strconv.ParseInt(content, 10, bits); return n }
	switch t {
	case "null":
		return connect.OptionalStringSchema, nil, nil
	case "big":
		size, err := v["size"].(json.Number).Int64()
		return connect.StringSchema, strings.Repeat("x", int(size)), err
	case "bytes":
		b, err := base64.StdEncoding.DecodeString(content)
		return connect.BytesSchema, b, err
	case "int8":
		return connect.Int8Schema, int8(integer(8)), nil
	case "int16":
		return connect.Int16Schema, int16(integer(16)), nil
	case "int32":
		return connect.Int32Schema, int32(integer(32)), nil
	case "int64":
		return connect.Int64Schema, integer(64), nil
	case "float32":
		f, err := strconv.ParseFloat(content, 32)
		return connect.Float32Schema, float32(f), err
	case "float64":
		f, err := strconv.ParseFloat(content, 64)
		return connect.Float64Schema, f, err
	case "boolean":
		return connect.BooleanSchema, content == "true", nil
	case "string":
		return connect.StringSchema, content, nil
	}
	return nil, nil, fmt.Errorf("the probe knows no type %q", t)
}

// text returns a value as events show it: nil for null, "<n chars>" for a long text.
func text(v any) any {
	if v == nil {
		return nil
	}
	s := java(v)
	if n := utf8.RuneCountInString(s); n > 64 {
		return fmt.Sprintf("<%d chars>", n)
	}
	return s
}

// java returns a value as Java's toString does.
func java(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = java(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *connect.Map:
		var parts []string
		for k, e := range v.All() {
			parts = append(parts, java(k)+"="+java(e))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []byte:
		return string(v)
	}
	return connect.FormatValue(v)
}

// or returns text as part of a line.
func or(v any) string {
	if v == nil {
		return "null"
	}
	return v.(string)
}

// isNone reports whether r is the zero record: what stands for a null in the list that a poll returns.
func isNone(r *connect.SourceRecord) bool {
	return r.Topic == "" && r.Value == nil && r.Key == nil && r.SourcePartition == nil && r.SourceOffset == nil
}
