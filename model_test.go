package connect

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestDecimalText(t *testing.T) {
	for _, test := range []struct {
		unscaled string
		scale    int32
		want     string
	}{
		{"0", 0, "0"}, {"0", 2, "0.00"}, {"0", -3, "0E+3"}, {"0", 7, "0E-7"}, {"0", 6, "0.000000"},
		{"-5", 0, "-5"}, {"150", 2, "1.50"}, {"-1", 2, "-0.01"}, {"1", 6, "0.000001"}, {"1", 7, "1E-7"},
		{"123", 10, "1.23E-8"}, {"-12", -5, "-1.2E+6"}, {"10", -1, "1.0E+2"}, {"1", -2147483648, "1E+2147483648"},
		{"123456789012345678901234567890", 10, "12345678901234567890.1234567890"},
	} {
		n, _ := new(big.Int).SetString(test.unscaled, 10)
		d := Decimal{n, test.scale}
		if got := d.String(); got != test.want {
			t.Errorf("%s·10^-%d is %q, expected %q", test.unscaled, test.scale, got, test.want)
		}
		if test.scale == math.MinInt32 {
			continue // Java can't read back what it writes either
		}
		if back, err := ParseDecimal(test.want); err != nil || !back.Equal(d) {
			t.Errorf("ParseDecimal(%q) is %v, %v", test.want, back, err)
		}
	}
	if got := (Decimal{}).String(); got != "0" {
		t.Errorf("the zero Decimal is %q", got)
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, text := range []string{"", "-", ".", "1e", "e1", "--1", "+-1", "1.2.3", "1_000", "0x1", " 1", "1 ", "NaN", "1e99999999999",
		"1e2147483648", "1E+-3", "-.e3", strings.Repeat("9", 50) + "x"} {
		if d, err := ParseDecimal(text); err == nil {
			t.Errorf("ParseDecimal(%q) is %v, expected an error", text, d)
		}
	}
}

// Every number survives its bytes, which are as few as they can be.
func TestDecimalBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	check := func(n *big.Int) {
		t.Helper()
		d := Decimal{n, 3}
		b := d.Bytes()
		back, err := DecimalOfBytes(b, 3)
		if err != nil || !back.Equal(d) {
			t.Fatalf("%v → %x → %v, %v", n, b, back, err)
		}
		if len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
			t.Fatalf("%v takes %d bytes, more than it needs: %x", n, len(b), b)
		}
	}
	for shift := range uint(200) {
		power := new(big.Int).Lsh(big.NewInt(1), shift)
		for _, delta := range []int64{-1, 0, 1} {
			n := new(big.Int).Add(power, big.NewInt(delta))
			check(n)
			check(new(big.Int).Neg(n))
		}
	}
	for range 2000 {
		check(big.NewInt(random.Int64() >> random.IntN(63)))
		check(big.NewInt(-random.Int64() >> random.IntN(63)))
	}
	if _, err := DecimalOfBytes(nil, 0); err == nil {
		t.Error("no byte at all is a number")
	}
}

func TestFormatValue(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, "null"}, {true, "true"}, {int8(-1), "-1"}, {"text", "text"},
		{1.0, "1.0"}, {math.Copysign(0, -1), "-0.0"}, {0.001, "0.001"}, {0.00099, "9.9E-4"},
		{1e7, "1.0E7"}, {9999999.0, "9999999.0"}, {1234567.875, "1234567.875"}, {5e-324, "4.9E-324"}, {1e-5, "1.0E-5"},
		{math.MaxFloat64, "1.7976931348623157E308"}, {math.NaN(), "NaN"}, {math.Inf(-1), "-Infinity"}, {2e23, "1.9999999999999998E23"},
		{float32(0.1), "0.1"}, {float32(123456789), "1.23456792E8"}, {float32(1e10), "1.0E10"},
		{[]any{int32(1), "b", nil}, "[1, b, null]"},
		{MapOf(Entry{"k", int32(1)}, Entry{"l", []any{}}), "{k=1, l=[]}"},
		{map[string]any{"b": 1.5, "a": nil}, "{a=null, b=1.5}"},
		{NewDecimal(150, 2), "1.50"},
		{time.UnixMilli(0), "Thu Jan 01 00:00:00 UTC 1970"},
		{time.Date(1582, 10, 15, 0, 0, 0, 0, time.UTC), "Fri Oct 15 00:00:00 UTC 1582"},
		{time.Date(1582, 10, 14, 23, 59, 59, 0, time.UTC), "Thu Oct 04 23:59:59 UTC 1582"}, // Julian
		{time.UnixMilli(-62135769600000), "Sat Jan 01 00:00:00 UTC 1"},
		{time.UnixMilli(-62135769600001), "Fri Dec 31 23:59:59 UTC 1"}, // before Christ
		{NewPassword("secret"), "[hidden]"},
	} {
		if got := FormatValue(test.value); got != test.want {
			t.Errorf("%#v is %q, expected %q", test.value, got, test.want)
		}
	}
}

// Numbers of few digits are written in a way of their own.
func TestFormatShortFloats(t *testing.T) {
	check := func(f float64) {
		want := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(want, ".") {
			want += ".0"
		}
		if got := FormatValue(f); got != want {
			t.Errorf("%v is %q, expected %q", f, got, want)
		}
	}
	for range 100_000 {
		n := rand.IntN(100_000_000)
		f := max(float64(n)/100, 0.01)
		check(f)
		check(math.Nextafter(f, 1e6))
		check(math.Nextafter(f, 0.01))
		check(max(float64(n)/1e5, 0.001))
	}
}

func TestFormatDates(t *testing.T) {
	for range 100_000 {
		at := time.Unix(gregorianStart/1000+rand.Int64N(4e11), rand.Int64N(1e9)).In(time.FixedZone("", 3600))
		if got, want := FormatValue(at), at.UTC().Format("Mon Jan 02 15:04:05 UTC 2006"); got != want {
			t.Fatalf("%d is %q, expected %q", at.Unix(), got, want)
		}
	}
}

func TestValidateTypedNil(t *testing.T) {
	point := NewStruct("Point").Field("x", Int32Schema).MustBuild()
	list := NewArray(Int32Schema).MustBuild()
	for _, test := range []struct {
		schema *Schema
		value  any
		ok     bool
	}{
		{BytesSchema, []byte(nil), false}, {OptionalBytesSchema, []byte(nil), true}, {BytesSchema, []byte{}, true},
		{point, (*Struct)(nil), false}, {list, []any(nil), true}, {Int32Schema, 5, false},
	} {
		if err := test.schema.Validate(test.value); (err == nil) != test.ok {
			t.Errorf("%v with %#v: %v", test.schema, test.value, err)
		}
	}
	s := NewStruct("").Field("b", NewSchema(TypeBytes).Optional().Default([]byte{1}).MustBuild()).MustBuild()
	if v := StructOf(s, nil).With("b", []byte(nil)).Value("b"); !EqualValues(v, []byte{1}) {
		t.Errorf("a field that was set to nil bytes gives %v, expected the default", v)
	}
	was := StructOf(s, []byte{2})
	if now := was.With("b", []byte{3}); !EqualValues(was.Value("b"), []byte{2}) || !EqualValues(now.Value("b"), []byte{3}) {
		t.Errorf("With made %v of %v", now, was)
	}
	if err := (*Schema)(nil).Validate(1); err == nil {
		t.Error("nil schema validates")
	}
}

// A struct's default may be a struct of the schema itself, and then compares without end if nobody takes care.
func TestSelfDefault(t *testing.T) {
	build := func(x int32) *Schema {
		b := NewStruct("Point").Field("x", Int32Schema)
		plain, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return b.Default(StructOf(plain, x)).MustBuild()
	}
	a, b, c := build(1), build(1), build(2)
	if !a.Equal(b) || a.Equal(c) {
		t.Errorf("equal: %v, unequal: %v", a.Equal(b), !a.Equal(c))
	}
	if d := a.Default().(*Struct); d.Schema() != a || a.Validate(d) != nil {
		t.Errorf("default %v of schema %v: %v", d, d.Schema(), a.Validate(d))
	}
}

func TestEqualValues(t *testing.T) {
	s := NewStruct("S").Field("b", OptionalBytesSchema).MustBuild()
	for i, test := range []struct {
		a, b any
		want bool
	}{
		{nil, nil, true}, {nil, "", false}, {int32(1), int64(1), false}, {math.NaN(), math.NaN(), true},
		{0.0, math.Copysign(0, -1), false}, {[]byte{}, []byte(nil), false}, {[]byte{1}, []byte{1}, true},
		{MapOf(Entry{"a", int32(1)}, Entry{"b", nil}), map[string]any{"b": nil, "a": int32(1)}, true},
		{NewDecimal(10, 1), NewDecimal(100, 2), false},
		{StructOf(s, []byte{1}), StructOf(s, []byte{1}), true}, {StructOf(s, nil), StructOf(s, []byte{}), false},
	} {
		if got := EqualValues(test.a, test.b); got != test.want {
			t.Errorf("%d: EqualValues(%v, %v) is %v", i, test.a, test.b, got)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-1.50", "1E+5", ".5", "1e-7", "99999999999999999999.9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		if adjusted := int64(d.Scale) - int64(len(d.unscaled().String())); adjusted < math.MinInt32/2 || adjusted > math.MaxInt32/2 {
			return // its text may have an exponent that no scale reaches
		}
		back, err := ParseDecimal(d.String())
		if err != nil || !back.Equal(d) {
			t.Fatalf("%q → %v → %v, %v", text, d, back, err)
		}
		again, err := DecimalOfBytes(d.Bytes(), d.Scale)
		if err != nil || !again.Equal(d) {
			t.Fatalf("%q → %v → %v, %v", text, d, again, err)
		}
	})
}

// randomSchema and randomValue make a schema of random bytes, and a value of it.
func randomSchema(next func() byte, depth int) *Schema {
	t := Type(next()%12) + 1
	if depth == 0 && !t.IsPrimitive() {
		t = TypeInt64
	}
	var b *SchemaBuilder
	switch t {
	case TypeArray:
		b = NewArray(randomSchema(next, depth-1))
	case TypeMap:
		b = NewMap(randomSchema(next, 0), randomSchema(next, depth-1))
	case TypeStruct:
		b = NewStruct("")
		for i := range next() % 12 {
			b.Field(string('a'+rune(i)), randomSchema(next, depth-1))
		}
	default:
		b = NewSchema(t)
	}
	if next()%2 == 0 {
		b.Optional()
	}
	if next()%4 == 0 {
		b.Name("N").Version(int32(next()))
	}
	return b.MustBuild()
}

func randomValue(s *Schema, next func() byte) any {
	if s.Optional() && next()%3 == 0 {
		return nil
	}
	switch s.Type() {
	case TypeInt8:
		return int8(next())
	case TypeInt16:
		return int16(next()) << 7
	case TypeInt32:
		return int32(next()) << 20
	case TypeInt64:
		return int64(next()) << 50
	case TypeFloat32:
		return float32(next()) / 3
	case TypeFloat64:
		return float64(next()) / 3
	case TypeBoolean:
		return next()%2 == 0
	case TypeString:
		return string(rune(next()))
	case TypeBytes:
		return []byte{next()}
	case TypeArray:
		list := []any{}
		for range next() % 4 {
			list = append(list, randomValue(s.Value(), next))
		}
		return list
	case TypeMap:
		m := NewMapValue(0)
		for range next() % 12 {
			m.Set(randomValue(s.Key(), next), randomValue(s.Value(), next))
		}
		return m
	}
	values := make([]any, len(s.Fields()))
	for i, f := range s.Fields() {
		values[i] = randomValue(f.Schema, next)
	}
	return StructOf(s, values...)
}

// Whatever the schema, its values are valid, equal themselves, and project onto it unchanged.
func FuzzModel(f *testing.F) {
	f.Add([]byte{11, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{10, 5, 1, 11, 9, 8, 7, 2, 2, 2, 2, 2, 0, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		i := 0
		next := func() byte {
			i++
			if i > len(data) {
				return byte(i * 37)
			}
			return data[i-1]
		}
		s := randomSchema(next, 3)
		v := randomValue(s, next)
		if err := s.Validate(v); err != nil {
			t.Fatalf("%v of %v: %v", FormatValue(v), s, err)
		}
		if !EqualValues(v, v) || !s.Equal(s) {
			t.Fatalf("%v does not equal itself", FormatValue(v))
		}
		out, err := Project(s, v, s)
		if err != nil {
			t.Fatalf("project %v: %v", FormatValue(v), err)
		}
		if !EqualValues(out, v) {
			t.Fatalf("projected %v, expected %v", FormatValue(out), FormatValue(v))
		}
	})
}

func FuzzStringConverter(f *testing.F) {
	f.Add([]byte("a\xe2\x82"), "utf-8")
	f.Add([]byte{0xd8, 0x3d, 0xde, 0x00, 0x01}, "UTF-16")
	f.Add([]byte{0x81, 0x40, 0xeb}, "Shift_JIS")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		set := findCharset(name)
		if set == nil {
			return
		}
		text := set.decode(b)
		// What was read can be written, and is then read as the same but for what can't be mapped.
		if again := set.decode(set.append(nil, text)); !strings.Contains(text, replacement) && again != text && !bytes.ContainsAny(b, "\\~") {
			t.Fatalf("%s: %x → %q → %q", name, b, text, again)
		}
	})
}
