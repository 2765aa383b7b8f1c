package smt

import "github.com/gokconnect/connect"

// requireMap returns a schemaless value as a map.
func requireMap(v any, purpose string) (*connect.Map, error) {
	if m, ok := connect.AsMap(v); ok {
		return m, nil
	}
	return nil, connect.DataErrorf("Only Map objects supported in absence of schema for [%s], found: %s", purpose, connect.JavaClass(v))
}

// requireStruct returns a value with schema as a struct.
func requireStruct(v any, purpose string) (*connect.Struct, error) {
	if s, ok := v.(*connect.Struct); ok && s != nil {
		return s, nil
	}
	return nil, connect.DataErrorf("Only Struct objects supported for [%s], found: %s", purpose, connect.JavaClass(v))
}

// stringKey returns a map's key, which must be a text wherever keys are taken for names of fields.
func stringKey(key any, purpose string) (string, error) {
	if s, ok := key.(string); ok {
		return s, nil
	}
	return "", connect.DataErrorf("Only maps with keys of type String supported for [%s], found a key of type: %s", purpose, connect.JavaClass(key))
}

// isNil reports whether a value is null: nil, or a nil pointer to one of the types that Connect's values have.
func isNil(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case *connect.Struct:
		return v == nil
	case *connect.Map:
		return v == nil
	case []byte:
		return v == nil
	case []any:
		return v == nil
	}
	return false
}
