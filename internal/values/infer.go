package values

import "github.com/gokconnect/connect"

// InferSchema returns the schema that a value speaks for, or nil if it does not: dates, decimals, empty lists and
// maps, and those whose parts are of several types. Parts are known by their type alone. It fails for a list or map of
// nothing but nil.
func InferSchema(v any) (*connect.Schema, error) { return infer(v, 0) }

func infer(v any, depth int) (*connect.Schema, error) {
	if depth > maxDepth {
		return nil, connect.DataErrorf("Failed to infer a schema: the value nests deeper than %d levels", maxDepth)
	}
	switch v := plain(v).(type) {
	case string:
		return connect.StringSchema, nil
	case bool:
		return connect.BooleanSchema, nil
	case int8:
		return connect.Int8Schema, nil
	case int16:
		return connect.Int16Schema, nil
	case int32:
		return connect.Int32Schema, nil
	case int64:
		return connect.Int64Schema, nil
	case float32:
		return connect.Float32Schema, nil
	case float64:
		return connect.Float64Schema, nil
	case []byte:
		return connect.BytesSchema, nil
	case *connect.Struct:
		return v.Schema(), nil
	case []any:
		if len(v) == 0 {
			return nil, nil
		}
		var element detector
		for _, e := range v {
			if ok, err := element.detect(e, depth); !ok {
				return nil, err
			}
		}
		s, err := element.schema()
		if err != nil {
			return nil, err
		}
		return connect.NewArray(s).Build()
	case *connect.Map:
		if v.Len() == 0 {
			return nil, nil
		}
		var key, value detector
		for _, e := range v.Entries() {
			if ok, err := key.detect(e.Key, depth); !ok {
				return nil, err
			}
			if ok, err := value.detect(e.Value, depth); !ok {
				return nil, err
			}
		}
		k, err := key.schema()
		if err != nil {
			return nil, err
		}
		s, err := value.schema()
		if err != nil {
			return nil, err
		}
		return connect.NewMap(k, s).Build()
	}
	return nil, nil
}

// detector finds the one type that all parts have. This is Values.SchemaDetector.
type detector struct {
	known    connect.Type
	optional bool
}

func (d *detector) detect(v any, depth int) (bool, error) {
	if plain(v) == nil {
		d.optional = true
		return true, nil
	}
	s, err := infer(v, depth+1)
	if s == nil {
		return false, err
	}
	if d.known == 0 {
		d.known = s.Type()
	}
	return d.known == s.Type(), nil
}

func (d *detector) schema() (*connect.Schema, error) {
	b := connect.NewSchema(d.known)
	if d.optional {
		b.Optional()
	}
	return b.Build()
}
