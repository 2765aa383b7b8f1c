package values

import "github.com/gokconnect/connect"

// merger finds a schema that all parts of a list or map have in common. This is Values.SchemaMerger.
type merger struct {
	common       *connect.Schema
	incompatible bool
}

func (m *merger) merge(sv connect.SchemaAndValue, null bool) {
	switch {
	case null || sv.Schema == nil || m.incompatible:
	case m.common == nil:
		m.common = sv.Schema
	default:
		m.common = commonSchema(m.common, sv.Schema)
		m.incompatible = m.common == nil
	}
}

// commonSchema returns the wider of two schemas, or nil if they don't agree.
func commonSchema(previous, latest *connect.Schema) *connect.Schema {
	p, l := previous.Type(), latest.Type()
	switch {
	case p != l:
		if !numeric(p) || !numeric(l) {
			return nil
		}
		if p < l {
			return latest
		}
		return previous
	case previous.Optional() == latest.Optional():
		if previous.Optional() {
			return previous
		}
		return latest
	case previous.Equal(latest):
		return previous
	}
	return nil
}

// numeric reports whether the type is one of those from INT8 to FLOAT64, each of which is wider than the one before.
func numeric(t connect.Type) bool { return t >= connect.TypeInt8 && t <= connect.TypeFloat64 }

// The schemas of arrays of the predefined types, so that texts of short lists need no new one each.
var arrays = func() map[*connect.Schema]*connect.Schema {
	m := make(map[*connect.Schema]*connect.Schema)
	for _, s := range []*connect.Schema{
		connect.Int8Schema, connect.Int16Schema, connect.Int32Schema, connect.Int64Schema, connect.Float32Schema, connect.Float64Schema,
		connect.BooleanSchema, connect.StringSchema, connect.DateSchema, connect.TimeSchema, connect.TimestampSchema,
	} {
		m[s] = connect.NewArray(s).MustBuild()
	}
	return m
}()

func arrayOf(element *connect.Schema) *connect.Schema {
	if s, ok := arrays[element]; ok {
		return s
	}
	return connect.NewArray(element).MustBuild()
}
