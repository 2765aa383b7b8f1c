package jsonconv

import "github.com/gokconnect/connect"

var typesByName = map[string]connect.Type{
	"boolean": connect.TypeBoolean, "int8": connect.TypeInt8, "int16": connect.TypeInt16, "int32": connect.TypeInt32,
	"int64": connect.TypeInt64, "float": connect.TypeFloat32, "double": connect.TypeFloat64, "bytes": connect.TypeBytes,
	"string": connect.TypeString, "array": connect.TypeArray, "map": connect.TypeMap, "struct": connect.TypeStruct,
}

var namesByType = func() (names [connect.TypeStruct + 1]string) {
	for name, t := range typesByName {
		names[t] = name
	}
	return names
}()

// schemaOf returns the schema that a node describes; nil for null.
func (c *Converter) schemaOf(n *node) (*connect.Schema, error) {
	if n.kind == kindNull {
		return nil, nil
	}
	typ := n.get("type")
	if typ == nil || typ.kind != kindString {
		return nil, connect.DataErrorf("Schema must contain 'type' field")
	}
	t, ok := typesByName[typ.text]
	if !ok {
		return nil, connect.DataErrorf("Unknown schema type: %s", typ.text)
	}
	b, err := c.builderOf(t, n)
	if err != nil {
		return nil, err
	}
	if o := n.get("optional"); o != nil && o.kind == kindBoolean && o.truth {
		b.Optional()
	} else {
		b.Required()
	}
	if name := n.get("name"); name != nil && name.kind == kindString {
		b.Name(name.text)
	}
	if v := n.get("version"); v != nil && v.kind == kindNumber && !v.number.float {
		b.Version(int32(v.number.bits))
	}
	if doc := n.get("doc"); doc != nil && doc.kind == kindString {
		b.Doc(doc.text)
	}
	if p := n.get("parameters"); p != nil && p.kind == kindObject {
		for i := range p.items {
			if p.items[i].kind != kindString {
				return nil, connect.DataErrorf("Schema parameters must have string values.")
			}
			b.Parameter(p.names[i], p.items[i].text)
		}
	}
	s, err := b.Build()
	if err != nil {
		return nil, err
	}
	if d := n.get("default"); d != nil {
		v, err := c.fromNode(s, d)
		if err != nil {
			return nil, err
		}
		if t == connect.TypeStruct && v != nil {
			// To Connect the schema of such a struct is never the one that is being built.
			cause := connect.DataErrorf("Struct schemas do not match.")
			return nil, &connect.SchemaBuilderError{Data: connect.DataError{Message: "Invalid default value", Err: cause}}
		}
		return b.Default(v).Build()
	}
	return s, nil
}

// builderOf returns a builder of the type with its parts.
func (c *Converter) builderOf(t connect.Type, n *node) (*connect.SchemaBuilder, error) {
	switch t {
	case connect.TypeArray:
		items := n.get("items")
		if items == nil || items.kind == kindNull {
			return nil, connect.DataErrorf("Array schema did not specify the element type")
		}
		element, err := c.schemaOf(items)
		if err != nil {
			return nil, err
		}
		return connect.NewArray(element), nil
	case connect.TypeMap:
		keys, values := n.get("keys"), n.get("values")
		if keys == nil {
			return nil, connect.DataErrorf("Map schema did not specify the key type")
		}
		if values == nil {
			return nil, connect.DataErrorf("Map schema did not specify the value type")
		}
		key, err := c.schemaOf(keys)
		if err != nil {
			return nil, err
		}
		value, err := c.schemaOf(values)
		if err != nil {
			return nil, err
		}
		b := connect.NewMap(key, value)
		return b, b.Err()
	case connect.TypeStruct:
		fields := n.get("fields")
		if fields == nil || fields.kind != kindArray {
			return nil, connect.DataErrorf("Struct schema's \"fields\" argument is not an array.")
		}
		b := connect.NewSchema(t)
		for i := range fields.items {
			f := &fields.items[i]
			name := f.get("field")
			if name == nil || name.kind != kindString {
				return nil, connect.DataErrorf("Struct schema's field name not specified properly")
			}
			s, err := c.schemaOf(f)
			if err != nil {
				return nil, err
			}
			if err := b.Field(name.text, s).Err(); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return connect.NewSchema(t), nil
}
