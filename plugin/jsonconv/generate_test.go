package jsonconv

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"time"

	"github.com/gokconnect/connect"
)

// generator makes schemas and values that fit them, the same ones for the same seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func (g generator) schema(depth int) *connect.Schema {
	types := 13
	if depth > 3 {
		types = 10
	}
	var b *connect.SchemaBuilder
	switch n := g.IntN(types); n {
	case 0, 1, 2, 3, 4, 5, 6, 7, 8:
		b = connect.NewSchema(connect.TypeInt8 + connect.Type(n))
		switch {
		case n == 2 && g.IntN(3) == 0:
			b.Name([]string{connect.DateName, connect.TimeName}[g.IntN(2)])
		case n == 3 && g.IntN(3) == 0:
			b.Name(connect.TimestampName)
		case g.IntN(5) == 0:
			b.Name(g.text())
		}
	case 9:
		b = connect.NewDecimalSchema(int32(g.IntN(9) - 3))
	case 10:
		b = connect.NewArray(g.schema(depth + 1))
	case 11:
		key := connect.StringSchema
		if g.IntN(2) == 0 {
			key = g.schema(depth + 1)
		}
		b = connect.NewMap(key, g.schema(depth+1))
	default:
		b = connect.NewSchema(connect.TypeStruct)
		for i := range g.IntN(12) {
			b.Field(fmt.Sprintf("%s%d", g.text(), i), g.schema(depth+1))
		}
	}
	if g.IntN(2) == 0 {
		b.Optional()
	}
	if g.IntN(4) == 0 {
		b.Doc(g.text())
		if s, _ := b.Build(); s.Name() != connect.DecimalName {
			b.Version(int32(g.Uint32()))
		}
	}
	if g.IntN(6) == 0 {
		b.Parameter(g.text(), g.text())
	}
	s := b.MustBuild()
	if g.IntN(5) == 0 && s.Type() != connect.TypeStruct {
		b.Default(g.present(s))
		s = b.MustBuild()
	}
	return s
}

func (g generator) text() string {
	parts := []string{"", "a", "é", "😀", "\"", "\\", "\x00", "\n", "/", "\u2028", "\u07ff", "long enough to be read by words"}
	var s string
	for range g.IntN(4) {
		s += parts[g.IntN(len(parts))]
	}
	return s
}

// value returns a value of the schema, which may be nil where it is optional and has no default.
func (g generator) value(s *connect.Schema) any {
	if s.Optional() && s.Default() == nil && g.IntN(4) == 0 {
		return nil
	}
	return g.present(s)
}

func (g generator) present(s *connect.Schema) any {
	switch s.Name() {
	case connect.DateName:
		return time.UnixMilli(int64(int32(g.Uint32())) * 86400000).UTC()
	case connect.TimeName:
		return time.UnixMilli(g.Int64N(86400001)).UTC()
	case connect.TimestampName:
		return time.UnixMilli(int64(g.Uint64())).UTC()
	case connect.DecimalName:
		scale, _ := s.Scale()
		n := big.NewInt(int64(g.Uint64()))
		return connect.Decimal{Unscaled: n.Mul(n, big.NewInt(int64(g.Uint64()>>g.IntN(64)))), Scale: scale}
	}
	switch s.Type() {
	case connect.TypeInt8:
		return int8(g.Uint32())
	case connect.TypeInt16:
		return int16(g.Uint32())
	case connect.TypeInt32:
		return int32(g.Uint32()) >> g.IntN(32)
	case connect.TypeInt64:
		return int64(g.Uint64()) >> g.IntN(64)
	case connect.TypeFloat32:
		for {
			if f := math.Float32frombits(g.Uint32()); !isZeroOrNotFinite(float64(f)) {
				return f
			}
		}
	case connect.TypeFloat64:
		for {
			if f := math.Float64frombits(g.Uint64()); !isZeroOrNotFinite(f) {
				return f
			}
		}
	case connect.TypeBoolean:
		return g.IntN(2) == 0
	case connect.TypeString:
		return g.text()
	case connect.TypeBytes:
		return []byte(g.text())
	case connect.TypeArray:
		list := make([]any, g.IntN(5))
		for i := range list {
			list[i] = g.value(s.Value())
		}
		return list
	case connect.TypeMap:
		m := connect.NewMapValue(0)
		for range g.IntN(20) {
			m.Set(g.present(s.Key()), g.value(s.Value()))
		}
		return m
	}
	values := make([]any, len(s.Fields()))
	for i, f := range s.Fields() {
		values[i] = g.value(f.Schema)
	}
	return connect.StructOf(s, values...)
}

// isZeroOrNotFinite reports what JSON loses: the sign of zero, and numbers that are none.
func isZeroOrNotFinite(f float64) bool { return f == 0 || f != f || math.IsInf(f, 0) }
