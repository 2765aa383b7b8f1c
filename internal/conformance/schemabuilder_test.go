package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
)

// errNull is the outcome where Java throws because of a null that can't be written in Go.
var errNull = errors.New("null argument")

func TestSchemaBuilder(t *testing.T) {
	vec.Run(t, "data/data/schemabuilder.jsonl", func(t *testing.T, c conformance.Case) {
		var in struct {
			Type  string
			Scale int32
			Ops   []op
		}
		unmarshal(t, c.In, &in)
		if in.Type != "" {
			var out struct{ Schema json.RawMessage }
			unmarshal(t, c.Out, &out)
			report(t, vec.DiffSchema(out.Schema, predefined(t, in.Type, in.Scale)))
			return
		}
		ops := in.Ops
		var question op
		switch last := ops[len(ops)-1]; str(t, last[0]) {
		case "fields", "getField", "keySchema", "valueSchema", "toString":
			question, ops = last, ops[:len(ops)-1]
		}
		b, err := build(t, ops)
		var s *connect.Schema
		if err == nil {
			s, err = b.Build()
		}
		if question == nil || err != nil {
			vec.CheckError(t, c.Error, err)
			if err == nil && c.Error == nil {
				var out struct{ Schema json.RawMessage }
				unmarshal(t, c.Out, &out)
				report(t, vec.DiffSchema(out.Schema, s))
			}
			return
		}
		ask(t, c, s, question)
	})
}

func predefined(t *testing.T, name string, scale int32) *connect.Schema {
	switch name {
	case "Decimal":
		return connect.DecimalSchema(scale)
	case "Date":
		return connect.DateSchema
	case "Time":
		return connect.TimeSchema
	case "Timestamp":
		return connect.TimestampSchema
	}
	t.Fatalf("no predefined schema %s", name)
	return nil
}

func build(t *testing.T, ops []op) (*connect.SchemaBuilder, error) {
	var b *connect.SchemaBuilder
	set := map[string]bool{}
	for _, o := range ops {
		name := str(t, o[0])
		// A null name or text is said in Go by not calling the method; after another one it is a different one.
		if (name == "name" || name == "doc" || name == "version") && isNull(o[1]) && !set[name] {
			continue
		}
		switch name {
		case "type":
			typ, _ := connect.ParseType(str(t, o[1])) // none for null
			b = connect.NewSchema(typ)
		case "array":
			b = connect.NewArray(vec.Schema(o[1]))
		case "map":
			b = connect.NewMap(vec.Schema(o[1]), vec.Schema(o[2]))
		case "optional":
			b.Optional()
		case "required":
			b.Required()
		case "default":
			s, err := b.Build()
			if err != nil {
				return nil, err
			}
			b.Default(vec.Value(o[1], s))
		case "name":
			b.Name(str(t, o[1]))
		case "doc":
			b.Doc(str(t, o[1]))
		case "version":
			var n int32
			unmarshal(t, o[1], &n)
			b.Version(n)
		case "parameter":
			value := ""
			if !isNull(o[2]) {
				value = str(t, o[2])
			}
			b.Parameter(str(t, o[1]), value)
		case "parameters":
			if isNull(o[1]) {
				return nil, errNull
			}
			var all map[string]string
			unmarshal(t, o[1], &all)
			for k, v := range all {
				b.Parameter(k, v)
			}
		case "field":
			field := "" // null and empty are the same mistake
			if !isNull(o[1]) {
				field = str(t, o[1])
			}
			b.Field(field, vec.Schema(o[2]))
		case "build":
		default:
			t.Fatalf("no such op: %s", name)
		}
		set[name] = true
	}
	return b, nil
}

// ask asks a built schema. Where Java throws because the type has no such part, Go answers that there is none.
func ask(t *testing.T, c conformance.Case, s *connect.Schema, question op) {
	var out struct {
		Schema json.RawMessage
		Text   string
		Fields []string
		Field  json.RawMessage
	}
	if c.Error == nil {
		unmarshal(t, c.Out, &out)
	}
	part := func(got *connect.Schema) {
		if c.Error != nil && got != nil {
			t.Errorf("answer is %v, expected none", got)
		} else if c.Error == nil {
			report(t, vec.DiffSchema(out.Schema, got))
		}
	}
	switch str(t, question[0]) {
	case "fields":
		var names []string
		for _, f := range s.Fields() {
			names = append(names, fmt.Sprintf("%s@%d", f.Name, f.Index))
		}
		if strings.Join(names, " ") != strings.Join(out.Fields, " ") {
			t.Errorf("fields are %q, expected %q", names, out.Fields)
		}
	case "getField":
		f, ok := s.Field(str(t, question[1]))
		if c.Error != nil || isNull(out.Field) {
			if ok {
				t.Errorf("field %v, expected none", f)
			}
			return
		}
		if want := str(t, out.Field); want != fmt.Sprintf("%s@%d", f.Name, f.Index) {
			t.Errorf("field %v, expected %s", f, want)
		}
	case "keySchema":
		part(s.Key())
	case "valueSchema":
		part(s.Value())
	case "toString":
		if s.String() != out.Text {
			t.Errorf("text is %q, expected %q", s.String(), out.Text)
		}
	}
}
