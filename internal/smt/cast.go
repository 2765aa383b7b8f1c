package smt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
)

const casting = "cast types"

// cast changes the type of fields of the key or value, or of the whole.
type cast struct {
	part  part
	spec  castSpec
	nulls nulls
	plans plans[castPlan]
}

// castSpec says what is cast to which type: either the whole or fields.
type castSpec struct {
	whole  connect.Type // 0 if fields are cast
	fields []fieldCast
}

type fieldCast struct {
	name string
	key  any // the name
	to   connect.Type
}

func (s castSpec) of(field string) (connect.Type, bool) {
	for i := range s.fields {
		if s.fields[i].name == field {
			return s.fields[i].to, true
		}
	}
	return 0, false
}

var castOutputs = []connect.Type{connect.TypeInt8, connect.TypeInt16, connect.TypeInt32, connect.TypeInt64, connect.TypeFloat32,
	connect.TypeFloat64, connect.TypeBoolean, connect.TypeString}

// parseCastSpec parses items FIELD:TYPE, or a single TYPE. Of several items for one field the last counts. The messages
// are Connect's, whose parts are not all where they should be.
func parseCastSpec(list []string) (s castSpec, err error) {
	for _, item := range list {
		parts := splitColons(item)
		var to connect.Type
		switch len(parts) {
		case 0:
			return s, connect.ConfigErrorf("spec", "Invalid casting spec: %s", item)
		case 1:
			if to, err = castOutput(parts[0]); err != nil {
				return s, err
			}
			s.whole = to
			continue
		case 2:
			if to, err = castOutput(parts[1]); err != nil {
				return s, err
			}
		default:
			return s, connect.ConfigErrorf("spec", "Invalid value [%s] for configuration renames: Invalid rename mapping: %s",
				strings.Join(list, ", "), item)
		}
		name := trimJava(parts[0])
		if i := slices.IndexFunc(s.fields, func(f fieldCast) bool { return f.name == name }); i >= 0 {
			s.fields[i].to = to
		} else {
			s.fields = append(s.fields, fieldCast{name, name, to})
		}
	}
	// The first field that can't be cast is the one that is reported, and Java goes through a HashMap.
	s.fields = hashOrderFunc(s.fields, func(f fieldCast) string { return f.name })
	if s.whole != 0 && len(list) > 1 {
		return s, connect.ConfigErrorf("spec", "Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec")
	}
	return s, nil
}

func castOutput(name string) (connect.Type, error) {
	name = trimJava(name)
	upper := strings.ToUpper(name)
	t, ok := connect.ParseType(upper)
	switch {
	case !ok || t.String() != upper:
		return 0, connect.ConfigErrorf("spec", "Invalid value java.lang.IllegalArgumentException: No enum constant "+
			"org.apache.kafka.connect.data.Schema.Type.%s for configuration Invalid type found in casting spec: %s", upper, name)
	case !slices.Contains(castOutputs, t):
		return 0, connect.ConfigErrorf("spec", "Cast transformation does not support casting to %v; supported types are "+
			"[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]", t)
	}
	return t, nil
}

// trimJava removes what Java's String.trim removes: space and everything below it.
func trimJava(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

type castPlan struct {
	out   *connect.Schema
	casts []plannedCast
	err   error
}

type plannedCast struct {
	field int
	in    *connect.Schema
	to    connect.Type
}

func newCast(p part, s castSpec, n nulls) *cast {
	t := &cast{part: p, spec: s, nulls: n}
	t.plans.compile = t.compile
	return t
}

func (t *cast) compile(s *connect.Schema) (p castPlan) {
	if t.spec.whole != 0 {
		b := copyBasics(connect.NewSchema(t.spec.whole), s)
		p.out, p.err = finishCast(b, s, t.spec.whole)
		return p
	}
	if p.err = requireFields(s); p.err != nil {
		return p
	}
	b := copyStruct(s)
	for _, f := range s.Fields() {
		to, ok := t.spec.of(f.Name)
		if !ok {
			b.Field(f.Name, f.Schema)
			continue
		}
		schema, err := finishCast(connect.NewSchema(to), f.Schema, to)
		if err != nil {
			p.err = err
			return p
		}
		b.Field(f.Name, schema)
		p.casts = append(p.casts, plannedCast{f.Index, f.Schema, to})
	}
	if s.Optional() {
		b.Optional()
	}
	p.out, p.err = b.Build()
	if def, ok := s.Default().(*connect.Struct); ok && p.err == nil {
		// Java fails here: it casts the struct as if it were a number.
		p.err = castFromStruct(def)
	}
	return p
}

func castFromStruct(s *connect.Struct) error {
	_, err := castValue(s.Schema(), s, connect.TypeStruct)
	return err
}

// finishCast makes the schema of a cast value as optional as it was, with the cast default.
func finishCast(b *connect.SchemaBuilder, s *connect.Schema, to connect.Type) (*connect.Schema, error) {
	if s.Optional() {
		b.Optional()
	}
	if s.Default() != nil {
		def, err := castValue(s, s.Default(), to)
		if err != nil {
			return nil, err
		}
		b.Default(def)
	}
	return b.Build()
}

func (t *cast) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if isNil(value) {
		return r, nil
	}
	if schema == nil {
		out, err := t.applySchemaless(value)
		if err != nil {
			return nil, err
		}
		return t.part.set(r, nil, out), nil
	}
	p := t.plans.of(schema)
	if p.err != nil {
		return nil, p.err
	}
	if t.spec.whole != 0 {
		out, err := castValue(schema, value, t.spec.whole)
		if err != nil {
			return nil, err
		}
		return t.part.set(r, p.out, out), nil
	}
	st, err := requireStruct(value, casting)
	if err != nil {
		return nil, err
	}
	s, err := t.nulls.aligned(st, schema)
	if err != nil {
		return nil, err
	}
	out, values := connect.StructFor(p.out)
	if err := t.copyFields(values, s, p); err != nil {
		return nil, err
	}
	return t.part.set(r, p.out, out), nil
}

func (t *cast) copyFields(values []any, s *connect.Struct, p castPlan) error {
	casts := p.casts
	for i := range values {
		v := t.nulls.at(s, i)
		if len(casts) > 0 && casts[0].field == i {
			var err error
			if v, err = castValue(casts[0].in, v, casts[0].to); err != nil {
				return err
			}
			casts = casts[1:]
		}
		if v == nil {
			if err := checkNull(p.out, i); err != nil {
				return err
			}
		}
		values[i] = v
	}
	return nil
}

func (t *cast) applySchemaless(value any) (any, error) {
	if t.spec.whole != 0 {
		return castValue(nil, value, t.spec.whole)
	}
	m, err := requireMap(value, casting)
	if err != nil {
		return nil, err
	}
	out := copyMap(m, len(t.spec.fields))
	for _, f := range t.spec.fields {
		v, _ := m.Get(f.key)
		if v, err = castValue(nil, v, f.to); err != nil {
			return nil, err
		}
		out.Set(f.key, v)
	}
	return out, nil
}

func castKind() kind {
	return kind{
		name: "Cast", parts: bothParts,
		def: connect.MustConfigDef(
			connect.ConfigKey{
				Name: "spec", Type: connect.ConfigList, Default: connect.Required, Importance: connect.High,
				Validator: connect.ConfigCheck(colonPairs, func(key string, value any) error {
					list := items(value)
					if len(list) == 0 {
						return connect.ConfigErrorf(key, "Must specify at least one field to cast.")
					}
					_, err := parseCastSpec(list)
					return err
				}),
				Documentation: "List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or " +
					"Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, boolean, " +
					"and string. Note that binary fields can only be cast to string.",
			},
			replaceNullKey,
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			s, err := parseCastSpec(c.List("spec"))
			if err != nil {
				return nil, err
			}
			return newCast(p, s, nullsOf(c)), nil
		},
	}
}

// outOfRange is what a text that is no number of the wanted type gives.
func outOfRange(v any, cause error) error {
	return &connect.DataError{Message: fmt.Sprintf("Value (%s) was out of range for requested data type", connect.FormatValue(v)), Err: cause}
}
