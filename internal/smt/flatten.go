package smt

import (
	"context"
	"math/big"
	"time"

	"github.com/gokconnect/connect"
)

const flattening = "flattening"

// maxDepth bounds how deep maps may be nested in each other.
const maxDepth = 1000

// flatten brings the fields of nested structs or maps to the top, with the names of all levels for a name.
type flatten struct {
	part      part
	delimiter string
	plans     plans[flattenPlan]
	names     *nameTree // of entries of maps
}

type flattenPlan struct {
	out   *connect.Schema
	nodes []flattenNode
	err   error
}

// flattenNode is what becomes of one field: of a leaf a field of the output, of a struct those of its fields.
type flattenNode struct {
	schema *connect.Schema // of a struct
	nodes  []flattenNode
	leaf   int // the number in the output
}

func newFlatten(p part, delimiter string) *flatten {
	t := &flatten{part: p, delimiter: delimiter, names: newNameTree(delimiter)}
	t.plans.compile = t.compile
	return t
}

func (t *flatten) name(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + t.delimiter + name
}

func (t *flatten) compile(s *connect.Schema) (p flattenPlan) {
	if p.err = requireFields(s); p.err != nil {
		return p
	}
	b := copyStruct(s)
	def, _ := s.Default().(*connect.Struct)
	leaves := 0
	if p.nodes, p.err = t.compileStruct(b, &leaves, s, "", s.Optional(), def); p.err == nil {
		p.out, p.err = b.Build()
	}
	return p
}

func (t *flatten) compileStruct(b *connect.SchemaBuilder, leaves *int, s *connect.Schema, prefix string, optional bool, def *connect.Struct) ([]flattenNode, error) {
	nodes := make([]flattenNode, len(s.Fields()))
	for i, f := range s.Fields() {
		name := t.name(prefix, f.Name)
		optional := optional || f.Schema.Optional()
		value := f.Schema.Default()
		if value == nil && def != nil {
			value = def.Value(f.Name)
		}
		switch f.Schema.Type() {
		case connect.TypeStruct:
			inner, _ := value.(*connect.Struct)
			below, err := t.compileStruct(b, leaves, f.Schema, name, optional, inner)
			if err != nil {
				return nil, err
			}
			nodes[i] = flattenNode{schema: f.Schema, nodes: below}
		case connect.TypeMap:
			return nil, connect.DataErrorf("Flatten transformation does not support %v for record with schemas (for field %s).", f.Schema.Type(), name)
		default:
			leaf, err := leafSchema(f.Schema, optional, value)
			if err != nil {
				return nil, err
			}
			if err := b.Field(name, leaf).Err(); err != nil {
				return nil, err
			}
			nodes[i] = flattenNode{leaf: *leaves}
			*leaves++
		}
	}
	return nodes, nil
}

// leafSchema returns the schema of a field at the top: optional if anything above it was.
func leafSchema(s *connect.Schema, optional bool, def any) (*connect.Schema, error) {
	if optional == s.Optional() && def == nil {
		return s, nil
	}
	b := connect.NewSchema(s.Type())
	if s.Type() == connect.TypeArray {
		b = connect.NewArray(s.Value())
	}
	copyBasics(b, s)
	if optional {
		b.Optional()
	}
	if def != nil {
		b.Default(def)
	}
	return b.Build()
}

func (t *flatten) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if isNil(value) {
		return r, nil
	}
	if schema == nil {
		m, err := requireMap(value, flattening)
		if err != nil {
			return nil, err
		}
		out := connect.NewMapValue(m.Len())
		if err := t.fillMap(out, m, t.names, 1); err != nil {
			return nil, err
		}
		return t.part.set(r, nil, out), nil
	}
	st, err := requireStruct(value, flattening)
	if err != nil {
		return nil, err
	}
	p := t.plans.of(schema)
	if p.err != nil {
		return nil, p.err
	}
	s, err := replaceNulls.aligned(st, schema)
	if err != nil {
		return nil, err
	}
	out, values := connect.StructFor(p.out)
	if err := fill(values, p.out, p.nodes, s); err != nil {
		return nil, err
	}
	return t.part.set(r, p.out, out), nil
}

// fill sets the fields that come from s. Those of a struct that is null stay null.
func fill(values []any, out *connect.Schema, nodes []flattenNode, s *connect.Struct) error {
	for i := range nodes {
		n := &nodes[i]
		if n.schema == nil {
			if values[n.leaf] = s.At(i); values[n.leaf] == nil {
				if err := checkNull(out, n.leaf); err != nil {
					return err
				}
			}
			continue
		}
		v := s.RawAt(i) // without the default, as in Java
		if isNil(v) {
			continue
		}
		inner, err := requireStruct(v, flattening)
		if err != nil {
			return err
		}
		if inner.Schema() != n.schema && !n.schema.Equal(inner.Schema()) {
			return connect.DataErrorf("Struct schemas do not match.")
		}
		if err := fill(values, out, n.nodes, inner); err != nil {
			return err
		}
	}
	return nil
}

func (t *flatten) fillMap(out, m *connect.Map, prefix *nameTree, depth int) error {
	if depth > maxDepth {
		return connect.DataErrorf("Flatten transformation does not support maps nested deeper than %d levels", maxDepth)
	}
	for _, e := range m.Entries() {
		name, err := prefix.below(e.Key)
		if err != nil {
			return err
		}
		switch v := e.Value.(type) {
		case nil, int8, int16, int32, int64, float32, float64, bool, string, []byte, []any:
			out.Set(name.key, v)
		case *connect.Struct:
			return connect.DataErrorf("Flatten transformation does not support class %s for record without schemas (for field %s).", connect.JavaClass(v), name.text)
		case time.Time, connect.Decimal, *big.Int:
			return unsupportedValue("Flatten", v)
		default:
			inner, ok := connect.AsMap(v)
			switch {
			case !ok:
				return unsupportedValue("Flatten", v)
			case name.key == nil: // as in Java
				return connect.DataErrorf("Flatten transformation does not support a map with the key null")
			}
			if err := t.fillMap(out, inner, name, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsupportedValue says that a schemaless value is of none of the types that schemas describe.
func unsupportedValue(transformation string, v any) error {
	return connect.DataErrorf("%s transformation was passed a value of type class %s which is not supported by Connect's data API", transformation, connect.JavaClass(v))
}

func flattenKind() kind {
	return kind{
		name: "Flatten", parts: bothParts,
		def: connect.MustConfigDef(connect.ConfigKey{
			Name: "delimiter", Type: connect.ConfigString, Default: ".", Importance: connect.Medium,
			Documentation: "Delimiter to insert between field names from the input record when generating field names for the output record",
		}),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			return newFlatten(p, c.String("delimiter")), nil
		},
	}
}
