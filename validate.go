package connect

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// logicalType is what a schema's name makes of it.
type logicalType int8

const (
	notLogical logicalType = iota
	logicalDecimal
	logicalDate
	logicalTime
	logicalTimestamp
)

func logicalTypeOf(name string) logicalType {
	switch name {
	case DecimalName:
		return logicalDecimal
	case DateName:
		return logicalDate
	case TimeName:
		return logicalTime
	case TimestampName:
		return logicalTimestamp
	}
	return notLogical
}

// place says where in a value another stands, for messages: its text is what followed by the text of in, or by the name
// of a field. It is a chain on the stack, so that valid values cost no allocation.
type place struct {
	what  string
	field string
	in    *place
}

func (p *place) String() string {
	var b strings.Builder
	for ; p != nil; p = p.in {
		if p.what == "" {
			b.WriteString(`field: "`)
			b.WriteString(p.field)
			b.WriteByte('"')
		} else {
			b.WriteString(p.what)
		}
	}
	return b.String()
}

// Validate checks that a value is of the Go type that the schema's type or its logical type asks for (see [Type]), and
// its parts likewise; nil is valid only if the schema is optional. Its error is a *[DataError]. A valid value costs no
// allocation. Validate may be called on nil, which is an error.
func (s *Schema) Validate(v any) error {
	return s.validate(v, &place{what: "value"})
}

// ValidateField is [Schema.Validate] for the value of a field: the error names the field.
func (s *Schema) ValidateField(field string, v any) error {
	return s.validate(v, &place{field: field})
}

func (s *Schema) validate(v any, at *place) error {
	if s == nil {
		return DataErrorf("Invalid schema: null used for %s", at.String())
	}
	if v == nil {
		if !s.optional {
			return DataErrorf("Invalid value: null used for required %s, schema type: %v", at.String(), s.typ)
		}
		return nil
	}
	switch s.logical {
	case logicalDecimal:
		if _, ok := v.(Decimal); ok && s.typ.IsPrimitive() {
			return nil
		}
		return s.mismatch(v, at)
	case logicalDate, logicalTime, logicalTimestamp:
		if _, ok := v.(time.Time); ok && s.typ.IsPrimitive() {
			return nil
		}
		return s.mismatch(v, at)
	}
	var ok bool
	switch s.typ {
	case TypeInt8:
		_, ok = v.(int8)
	case TypeInt16:
		_, ok = v.(int16)
	case TypeInt32:
		_, ok = v.(int32)
	case TypeInt64:
		_, ok = v.(int64)
	case TypeFloat32:
		_, ok = v.(float32)
	case TypeFloat64:
		_, ok = v.(float64)
	case TypeBoolean:
		_, ok = v.(bool)
	case TypeString:
		_, ok = v.(string)
	case TypeBytes:
		b, isBytes := v.([]byte)
		ok = isBytes && b != nil
	case TypeArray:
		if list, ok := v.([]any); ok {
			return s.validateElements(list, at)
		}
	case TypeMap:
		if m, ok := AsMap(v); ok {
			return s.validateEntries(m, at)
		}
	case TypeStruct:
		if st, ok := v.(*Struct); ok && st != nil {
			if !st.schema.Equal(s) {
				return DataErrorf("Struct schemas do not match.")
			}
			return st.Validate()
		}
	}
	if !ok {
		return s.mismatch(v, at)
	}
	return nil
}

func (s *Schema) validateElements(list []any, at *place) error {
	element := place{what: "element of array ", in: at}
	for _, e := range list {
		if err := s.value.validate(e, &element); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) validateEntries(m *Map, at *place) error {
	key, value := place{what: "key of map ", in: at}, place{what: "value of map ", in: at}
	for i := range m.entries {
		if err := s.key.validate(m.entries[i].Key, &key); err != nil {
			return err
		}
		if err := s.value.validate(m.entries[i].Value, &value); err != nil {
			return err
		}
	}
	return nil
}

// mismatch returns the error for a value of the wrong type. A typed nil counts as nil.
func (s *Schema) mismatch(v any, at *place) error {
	if isNil(v) {
		return s.validate(nil, at)
	}
	name := ""
	if s.hasName {
		name = ` "` + s.name + `"`
	}
	return DataErrorf("Invalid Java object for schema%s with type %v: class %s for %s", name, s.typ, JavaClass(v), at.String())
}

// isNil reports whether a value is nil, or a nil of a type of the data model; an empty slice of elements is no nil.
func isNil(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []byte:
		return v == nil
	case *Struct:
		return v == nil
	case *Map, map[string]any, map[string]string, map[any]any:
		_, ok := AsMap(v)
		return !ok
	}
	return false
}

// JavaClass returns the name of the Java class that such a value has in Kafka Connect, whose messages name it:
// java.lang.Integer for an int32. For a value that is not of the data model it is the name of the Go type, and "null"
// for nil.
func JavaClass(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "java.lang.Boolean"
	case int8:
		return "java.lang.Byte"
	case int16:
		return "java.lang.Short"
	case int32:
		return "java.lang.Integer"
	case int64:
		return "java.lang.Long"
	case float32:
		return "java.lang.Float"
	case float64:
		return "java.lang.Double"
	case string:
		return "java.lang.String"
	case []byte:
		return "[B"
	case []any:
		return "java.util.ArrayList"
	case *Map, map[string]any, map[string]string, map[any]any:
		return "java.util.LinkedHashMap"
	case *Struct:
		return "org.apache.kafka.connect.data.Struct"
	case Decimal:
		return "java.math.BigDecimal"
	case time.Time:
		return "java.util.Date"
	case *big.Int:
		return "java.math.BigInteger"
	}
	return fmt.Sprintf("%T", v)
}

// TypeOf returns the type whose schema without a name accepts the value; ok is false for nil, and for what only a
// logical type accepts, or none.
func TypeOf(v any) (t Type, ok bool) {
	switch v.(type) {
	case int8:
		return TypeInt8, true
	case int16:
		return TypeInt16, true
	case int32:
		return TypeInt32, true
	case int64:
		return TypeInt64, true
	case float32:
		return TypeFloat32, true
	case float64:
		return TypeFloat64, true
	case bool:
		return TypeBoolean, true
	case string:
		return TypeString, true
	case []byte:
		return TypeBytes, true
	case []any:
		return TypeArray, true
	case *Map, map[string]any, map[string]string, map[any]any:
		return TypeMap, true
	case *Struct:
		return TypeStruct, true
	}
	return 0, false
}
