package conformance_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
)

func TestHeaders(t *testing.T) {
	vec.Run(t, "data/data/headers.jsonl", func(t *testing.T, c conformance.Case) {
		var in struct{ Ops []op }
		var out struct {
			Results []json.RawMessage
			Headers json.RawMessage
		}
		unmarshal(t, c.In, &in)
		unmarshal(t, c.Out, &out)
		var h connect.Headers
		for i, o := range in.Ops {
			before := append(connect.Headers(nil), h...)
			shared := h
			if err := headersOp(t, &h, o, out.Results[i]); err != nil {
				t.Errorf("op %d %s: %v", i, o, err)
			}
			for j := range before {
				if before[j].String() != shared[j].String() {
					t.Errorf("op %d %s changed a shared copy", i, o)
				}
			}
		}
		report(t, vec.DiffHeaders(out.Headers, h))
	})
}

func headersOp(t *testing.T, h *connect.Headers, o op, result json.RawMessage) error {
	name := str(t, o[0])
	var err error
	switch name {
	case "toString":
		var want struct{ Text string }
		unmarshal(t, result, &want)
		if !vec.MatchText(want.Text, h.String()) {
			return fmt.Errorf("text is %q, expected %q", h, want.Text)
		}
		return nil
	case "lastWithName":
		var want struct{ Header json.RawMessage }
		unmarshal(t, result, &want)
		last, ok := h.Last(str(t, o[1]))
		if isNull(want.Header) || !ok {
			if ok != !isNull(want.Header) {
				return fmt.Errorf("header %v, expected %s", last, want.Header)
			}
			return nil
		}
		return vec.DiffHeaders(json.RawMessage("["+string(want.Header)+"]"), connect.Headers{last})
	case "clear":
		*h = nil
	case "remove":
		h.Remove(str(t, o[1]))
	case "rename":
		h.Rename(str(t, o[1]), str(t, o[2]))
	case "dropVia":
		err = h.Apply(str(t, o[1]), func(connect.Header) (connect.Header, bool) { return connect.Header{}, false })
	case "retainLatest":
		if len(o) > 1 {
			h.RetainLatest(str(t, o[1]))
		} else {
			h.RetainAllLatest()
		}
	default:
		err = addHeader(t, h, name, o[1:])
	}
	return vec.DiffError(vec.Error(result), err)
}

// addHeader adds a header. A null where Go has a typed argument is added with the schema that Java gives it.
func addHeader(t *testing.T, h *connect.Headers, name string, args op) error {
	if isNull(args[0]) {
		return errNull // no Go call has a null key
	}
	key := str(t, args[0])
	if name == "add" {
		s := vec.Schema(args[1])
		return h.Add(key, s, vec.Value(args[2], s))
	}
	plain := map[string][2]*connect.Schema{ // for a value, for null
		"addString":    {connect.StringSchema, connect.OptionalStringSchema},
		"addBytes":     {connect.BytesSchema, connect.OptionalBytesSchema},
		"addBoolean":   {connect.BooleanSchema, connect.BooleanSchema},
		"addByte":      {connect.Int8Schema, connect.Int8Schema},
		"addShort":     {connect.Int16Schema, connect.Int16Schema},
		"addInt":       {connect.Int32Schema, connect.Int32Schema},
		"addLong":      {connect.Int64Schema, connect.Int64Schema},
		"addFloat":     {connect.Float32Schema, connect.Float32Schema},
		"addDouble":    {connect.Float64Schema, connect.Float64Schema},
		"addDecimal":   {},
		"addDate":      {nil, connect.DateSchema},
		"addTime":      {nil, connect.TimeSchema},
		"addTimestamp": {nil, connect.TimestampSchema},
		"addStruct":    {},
	}
	schemas, ok := plain[name]
	if !ok { // addList, addMap: a value and its schema
		s := vec.Schema(args[2])
		return h.Add(key, s, vec.Value(args[1], s))
	}
	switch v := vec.Value(args[1], nil).(type) {
	case nil:
		*h = append((*h)[:len(*h):len(*h)], connect.Header{Key: key, Schema: schemas[1]})
		return nil
	case string:
		h.AddString(key, v)
		return nil
	case connect.Decimal:
		h.AddDecimal(key, v)
		return nil
	case *connect.Struct:
		return h.Add(key, v.Schema(), v)
	case time.Time:
		switch name {
		case "addDate":
			return h.AddDate(key, v)
		case "addTime":
			return h.AddTime(key, v)
		}
		h.AddTimestamp(key, v)
		return nil
	default:
		return h.Add(key, schemas[0], v)
	}
}
