package connect

import (
	"errors"
	"fmt"
	"math"
)

// Project returns a value of the schema source as a value of the schema target, as a reader of newer or older data needs
// it: struct fields that target lacks are left out, those that source lacks get target's default, and numbers are
// widened. It fails with a *[SchemaProjectorError] if the schemas don't fit together, and with a *[DataError] if the
// value does not fit its schema where that matters. The value is not changed; the result may share parts of it.
func Project(source *Schema, value any, target *Schema) (any, error) {
	if err := compatible(source, target); err != nil {
		return nil, err
	}
	switch {
	case source.optional && !target.optional && target.def == nil:
		return nil, projectorError("Writer schema is optional, however, target schema does not provide a default value.")
	case value == nil && source.optional && !target.optional:
		return target.def, nil
	case value == nil:
		return nil, nil
	}
	switch target.typ {
	case TypeStruct:
		return projectStruct(source, value, target)
	case TypeArray:
		return projectArray(source, value, target)
	case TypeMap:
		return projectMap(source, value, target)
	}
	if target.typ.isNumber() {
		return widen(value, target.typ), nil
	}
	return value, nil
}

func projectorError(format string, args ...any) error {
	return &SchemaProjectorError{DataError{Message: fmt.Sprintf(format, args...)}}
}

func (t Type) isNumber() bool { return t >= TypeInt8 && t <= TypeFloat64 }

func compatible(source, target *Schema) error {
	switch {
	case source == nil || target == nil:
		return projectorError("Schemas must not be null. source schema: %v and target schema: %v", source, target)
	case source.typ != target.typ && !(source.typ.isNumber() && target.typ.isNumber() && source.typ < target.typ):
		return projectorError("Schema type mismatch. source type: %v and target type: %v", source.typ, target.typ)
	case source.hasName != target.hasName || source.name != target.name:
		return projectorError("Schema name mismatch. source name: %s and target name: %s", nameText(source), nameText(target))
	case !sameParameters(source.parameters, target.parameters):
		return projectorError("Schema parameters not equal. source parameters: %s and target parameters: %s", parametersText(source), parametersText(target))
	}
	return nil
}

func nameText(s *Schema) string {
	if !s.hasName {
		return "null"
	}
	return s.name
}

func parametersText(s *Schema) string {
	if len(s.parameters) == 0 {
		return "null"
	}
	m := NewMapValue(len(s.parameters))
	for _, p := range s.parameters {
		m.Set(p.Key, p.Value)
	}
	return m.String()
}

func projectStruct(source *Schema, value any, target *Schema) (any, error) {
	from, ok := value.(*Struct)
	if !ok || from == nil {
		return nil, DataErrorf("Only Struct objects can be projected to %v, found: %s", target, JavaClass(value))
	}
	values := make([]any, len(target.fields))
	for i := range target.fields {
		f := &target.fields[i]
		sourceField, ok := source.Field(f.Name)
		switch {
		case ok:
			v, err := from.Get(f.Name)
			if err == nil {
				v, err = Project(sourceField.Schema, v, f.Schema)
			}
			if e := (*SchemaProjectorError)(nil); errors.As(err, &e) {
				return nil, &SchemaProjectorError{DataError{Message: "Error projecting " + f.Name, Err: err}}
			} else if err != nil {
				return nil, err
			}
			values[i] = v
		case f.Schema.optional:
			continue
		case f.Schema.def != nil:
			values[i] = f.Schema.def
		default:
			return nil, projectorError("Required field `%s` is missing from source schema: %v", f.Name, source)
		}
		if err := f.Schema.ValidateField(f.Name, values[i]); err != nil {
			return nil, err
		}
	}
	return &Struct{target, values}, nil
}

func projectArray(source *Schema, value any, target *Schema) (any, error) {
	from, ok := value.([]any)
	if !ok {
		return nil, DataErrorf("Only lists can be projected to %v, found: %s", target, JavaClass(value))
	}
	list := make([]any, len(from))
	for i, e := range from {
		v, err := Project(source.value, e, target.value)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

func projectMap(source *Schema, value any, target *Schema) (any, error) {
	from, ok := AsMap(value)
	if !ok {
		return nil, DataErrorf("Only maps can be projected to %v, found: %s", target, JavaClass(value))
	}
	m := NewMapValue(from.Len())
	for k, v := range from.All() {
		key, err := Project(source.key, k, target.key)
		if err != nil {
			return nil, err
		}
		v, err = Project(source.value, v, target.value)
		if err != nil {
			return nil, err
		}
		m.Set(key, v)
	}
	return m, nil
}

// widen returns a number as one of the type, by Java's rules where it does not fit. Whatever is no number it returns as
// it is.
func widen(v any, t Type) any {
	switch n := v.(type) {
	case int8:
		return widenInt(int64(n), t)
	case int16:
		return widenInt(int64(n), t)
	case int32:
		return widenInt(int64(n), t)
	case int64:
		return widenInt(n, t)
	case float32:
		if t == TypeFloat32 {
			return n
		}
		return widenFloat(float64(n), t)
	case float64:
		return widenFloat(n, t)
	}
	return v
}

func widenInt(n int64, t Type) any {
	switch t {
	case TypeInt8:
		return int8(n)
	case TypeInt16:
		return int16(n)
	case TypeInt32:
		return int32(n)
	case TypeInt64:
		return n
	case TypeFloat32:
		return float32(n)
	}
	return float64(n)
}

func widenFloat(f float64, t Type) any {
	switch t {
	case TypeFloat32:
		return float32(f)
	case TypeFloat64:
		return f
	case TypeInt64:
		return saturate(f, math.MinInt64, math.MaxInt64)
	}
	return widenInt(saturate(f, math.MinInt32, math.MaxInt32), t)
}

// saturate cuts the fraction off. NaN is 0, and what lies outside becomes the nearest limit.
func saturate(f float64, low, high int64) int64 {
	switch {
	case f != f:
		return 0
	case f <= float64(low):
		return low
	case f >= float64(high):
		return high
	}
	return int64(f)
}
