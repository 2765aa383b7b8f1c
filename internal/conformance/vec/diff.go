package vec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/gokconnect/connect"
)

// DiffSchema compares a schema with the expected one, and says where they differ. An unfinished builder counts as the
// schema that it would build.
func DiffSchema(want json.RawMessage, got *connect.Schema) error {
	if null(want) || got == nil {
		if null(want) != (got == nil) {
			return fmt.Errorf("schema is %v, expected %.300s", got, want)
		}
		return nil
	}
	w := decode[rawSchema](want)
	name, hasName := got.Name(), got.HasName()
	version, hasVersion := got.Version()
	switch {
	case w.Type != got.Type().Name():
		return fmt.Errorf("type is %s, expected %s", got.Type().Name(), w.Type)
	case w.Optional != got.Optional():
		return fmt.Errorf("%v: optional is %v, expected %v", got, got.Optional(), w.Optional)
	case (w.Name != nil) != hasName || hasName && *w.Name != name:
		return fmt.Errorf("%v: name is %q, expected %s", got, name, show(w.Name))
	case (w.Version != nil) != hasVersion || hasVersion && *w.Version != version:
		return fmt.Errorf("%v: version is %d (%v), expected %s", got, version, hasVersion, show(w.Version))
	case (w.Doc != nil) != got.HasDoc() || w.Doc != nil && *w.Doc != got.Doc():
		return fmt.Errorf("%v: doc is %q, expected %s", got, got.Doc(), show(w.Doc))
	case len(w.Fields) != len(got.Fields()):
		return fmt.Errorf("%v: %d fields, expected %d", got, len(got.Fields()), len(w.Fields))
	}
	// A map of Java's may come in any order; a null parameter is an empty one in Go.
	parameters := members(w.Parameters)
	if len(parameters) != len(got.Parameters()) {
		return fmt.Errorf("%v: parameters are %v, expected %s", got, got.Parameters(), w.Parameters)
	}
	for _, p := range parameters {
		if v, ok := got.Parameter(p.name); !ok || v != text(p.value) {
			return fmt.Errorf("%v: parameter %s is %q, expected %s", got, p.name, v, p.value)
		}
	}
	for i, f := range w.Fields {
		g := got.Fields()[i]
		if g.Name != f.Name || g.Index != i {
			return fmt.Errorf("%v: field %d is %q at %d, expected %q", got, i, g.Name, g.Index, f.Name)
		}
		if err := DiffSchema(f.Schema, g.Schema); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	if err := DiffSchema(w.KeySchema, got.Key()); err != nil {
		return fmt.Errorf("key schema: %w", err)
	}
	if err := DiffSchema(w.ValueSchema, got.Value()); err != nil {
		return fmt.Errorf("value schema: %w", err)
	}
	if err := DiffValue(w.Default, got.Default(), got); err != nil {
		return fmt.Errorf("default: %w", err)
	}
	return nil
}

// DiffValue compares a value with the expected one, and says where they differ. declared is the schema that stands next
// to it: the actual one, compared before.
func DiffValue(want json.RawMessage, got any, declared *connect.Schema) error {
	if null(want) || got == nil {
		if null(want) != (got == nil) {
			return fmt.Errorf("value is %#v, expected %.300s", got, want)
		}
		return nil
	}
	w := decode[rawValue](want)
	different := fmt.Errorf("value is %T %v, expected %.300s", got, got, want)
	check := func(same bool) error {
		if !same {
			return different
		}
		return nil
	}
	switch w.T {
	case "array":
		g, ok := got.([]any)
		elements := decode[[]json.RawMessage](w.V)
		if !ok || len(g) != len(elements) {
			return different
		}
		for i, e := range elements {
			if err := DiffValue(e, g[i], elementSchema(declared)); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		return nil
	case "map":
		g, ok := connect.AsMap(got)
		if !ok {
			return different
		}
		return diffMap(w, g, declared)
	case "struct":
		g, ok := got.(*connect.Struct)
		if !ok || g == nil {
			return different
		}
		return diffStruct(w, g, declared)
	}
	switch e := Value(want, declared).(type) {
	case float32:
		g, ok := got.(float32)
		return check(ok && (math.Float32bits(g) == math.Float32bits(e) || g != g && e != e))
	case float64:
		g, ok := got.(float64)
		return check(ok && (math.Float64bits(g) == math.Float64bits(e) || g != g && e != e))
	case []byte:
		g, ok := got.([]byte)
		return check(ok && g != nil && bytes.Equal(g, e))
	case connect.Decimal:
		g, ok := got.(connect.Decimal)
		return check(ok && g.Scale == e.Scale && unscaled(g).Cmp(unscaled(e)) == 0)
	case time.Time:
		g, ok := got.(time.Time)
		return check(ok && g.Equal(e) && g.Location() == time.UTC)
	case *big.Int:
		g, ok := got.(*big.Int)
		return check(ok && g.Cmp(e) == 0)
	default: // boolean, integers, strings and opaque values compare as they are
		return check(got == e)
	}
}

func diffMap(w rawValue, g *connect.Map, declared *connect.Schema) error {
	entries := decode[[][2]json.RawMessage](w.V)
	if len(entries) != g.Len() {
		return fmt.Errorf("map is %v, expected %.300s", g, w.V)
	}
	left := append([]connect.Entry(nil), g.Entries()...)
	for _, e := range entries {
		var first error
		found := -1
		for i := range left {
			err := DiffValue(e[0], left[i].Key, keySchema(declared))
			if err == nil {
				err = DiffValue(e[1], left[i].Value, elementSchema(declared))
			}
			if err == nil {
				found = i
				break
			}
			if first == nil {
				first = err
			}
			if w.Order != "hash" {
				break
			}
		}
		if found < 0 {
			return fmt.Errorf("entry %.100s: %w", e[0], first)
		}
		left = append(left[:found], left[found+1:]...)
	}
	return nil
}

func diffStruct(w rawValue, g *connect.Struct, declared *connect.Schema) error {
	if name := text(w.Schema); name == "declared" || name == "self" {
		if !g.Schema().Equal(declared) {
			return fmt.Errorf("struct has the schema %v, expected the declared %v", g.Schema(), declared)
		}
	} else if err := DiffSchema(w.Schema, g.Schema()); err != nil {
		return fmt.Errorf("schema of the struct: %w", err)
	}
	fields := decode[[][2]json.RawMessage](w.V)
	if len(fields) != len(g.Values()) {
		return fmt.Errorf("struct has %d fields, expected %d", len(g.Values()), len(fields))
	}
	for i, f := range fields {
		at := g.Schema().Fields()[i]
		if name := decode[string](f[0]); at.Name != name {
			return fmt.Errorf("field %d is %q, expected %q", i, at.Name, name)
		}
		if err := DiffValue(f[1], g.RawAt(i), at.Schema); err != nil {
			return fmt.Errorf("field %s: %w", at.Name, err)
		}
	}
	return nil
}

// DiffSchemaAndValue compares with the members schema and value of an object.
func DiffSchemaAndValue(want json.RawMessage, got connect.SchemaAndValue) error {
	w := decode[struct{ Schema, Value json.RawMessage }](want)
	return errors.Join(DiffSchema(w.Schema, got.Schema), DiffValue(w.Value, got.Value, got.Schema))
}

// DiffBytes compares with the raw bytes of an object; null and empty differ.
func DiffBytes(want json.RawMessage, got []byte) error {
	if w := Bytes(want); !bytes.Equal(w, got) || (w == nil) != (got == nil) {
		return fmt.Errorf("bytes are %q (nil: %v), expected %q (nil: %v)", got, got == nil, w, w == nil)
	}
	return nil
}

func unscaled(d connect.Decimal) *big.Int {
	if d.Unscaled == nil {
		return new(big.Int)
	}
	return d.Unscaled
}

func show[T any](p *T) string {
	if p == nil {
		return "none"
	}
	return fmt.Sprintf("%v", *p)
}
