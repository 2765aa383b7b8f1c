package values

import (
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

// parseNumber returns a whole number in the narrowest integer type, another number as a float if it is not too large
// for one, and else as a decimal.
func parseNumber(token string) (connect.SchemaAndValue, bool) {
	if n, ok := smallInt(token); ok {
		return integer(n), true
	}
	if f, ok := smallFloat(token); ok {
		return connect.SchemaAndValue{Schema: connect.Float32Schema, Value: f}, true
	}
	d, err := parseDecimal(token)
	if err != nil {
		return connect.SchemaAndValue{}, false
	}
	if n, ok := wholeNumber(d); ok {
		return integer(n), true
	}
	if d.Scale != 0 {
		text := d.String()
		if f, err := strconv.ParseFloat(text, 32); err == nil {
			return connect.SchemaAndValue{Schema: connect.Float32Schema, Value: float32(f)}, true
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return connect.SchemaAndValue{Schema: connect.Float64Schema, Value: f}, true
		}
	}
	return connect.SchemaAndValue{Schema: connect.DecimalSchema(d.Scale), Value: d}, true
}

// smallInt reads what most numbers are.
func smallInt(token string) (int64, bool) {
	digits := token
	if token[0] == '-' || token[0] == '+' {
		digits = token[1:]
	}
	if digits == "" || len(digits) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if token[0] == '-' {
		n = -n
	}
	return n, true
}

// smallFloat reads a number with a point that is not whole, such as -12.75.
func smallFloat(token string) (float32, bool) {
	point, whole := -1, true
	for i := range len(token) {
		switch c := token[i]; {
		case c >= '0' && c <= '9':
			whole = whole && (c == '0' || point < 0)
		case c == '.' && point < 0:
			point = i
		case i > 0 || c != '-' && c != '+':
			return 0, false
		}
	}
	if point < 0 || whole || len(token) > 30 {
		return 0, false
	}
	f, err := strconv.ParseFloat(token, 32)
	return float32(f), err == nil
}

func integer(n int64) connect.SchemaAndValue {
	switch {
	case n == int64(int8(n)):
		return connect.SchemaAndValue{Schema: connect.Int8Schema, Value: int8(n)}
	case n == int64(int16(n)):
		return connect.SchemaAndValue{Schema: connect.Int16Schema, Value: int16(n)}
	case n == int64(int32(n)):
		return connect.SchemaAndValue{Schema: connect.Int32Schema, Value: int32(n)}
	}
	return connect.SchemaAndValue{Schema: connect.Int64Schema, Value: n}
}

// parseDecimal reads a number as Java's BigDecimal does, whose digits may be of any script.
func parseDecimal(text string) (connect.Decimal, error) {
	for i := range len(text) {
		if text[i] < utf8.RuneSelf {
			continue
		}
		ascii := make([]byte, 0, len(text))
		for _, c := range text {
			if d := javatext.Digit(c); c >= utf8.RuneSelf && c <= 0xFFFF && d >= 0 {
				ascii = append(ascii, byte('0'+d))
			} else {
				ascii = utf8.AppendRune(ascii, c)
			}
		}
		text = string(ascii)
		break
	}
	return connect.ParseDecimal(text)
}

// wholeNumber returns the number if it is whole and fits into an int64.
func wholeNumber(d connect.Decimal) (int64, bool) {
	n := d.Unscaled
	if n == nil || n.Sign() == 0 {
		return 0, true
	}
	digits := int64(decimalDigits(n))
	if magnitude := digits - int64(d.Scale); magnitude > 20 || magnitude < 1 {
		return 0, false
	}
	if d.Scale > 0 {
		quotient, rest := new(big.Int).QuoRem(n, powerOfTen(int64(d.Scale)), new(big.Int))
		if rest.Sign() != 0 {
			return 0, false
		}
		n = quotient
	} else if d.Scale < 0 {
		n = new(big.Int).Mul(n, powerOfTen(-int64(d.Scale)))
	}
	return n.Int64(), n.IsInt64()
}

func powerOfTen(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// decimalDigits returns the number of decimal digits.
func decimalDigits(n *big.Int) int {
	if n.IsInt64() {
		return len(strconv.AppendInt(nil, n.Int64(), 10)) - (1-n.Sign())/2
	}
	return len(new(big.Int).Abs(n).String())
}

// decimalLong is BigDecimal.longValue: the whole part, of which the lowest 64 bits.
func decimalLong(d connect.Decimal) int64 {
	n := d.Unscaled
	if n == nil || n.Sign() == 0 || d.Scale <= -64 {
		return 0 // 10^64 is a multiple of 2^64
	}
	if d.Scale > 0 {
		if int64(decimalDigits(n)) <= int64(d.Scale) {
			return 0
		}
		n = new(big.Int).Quo(n, powerOfTen(int64(d.Scale)))
	} else if d.Scale < 0 {
		n = new(big.Int).Mul(n, powerOfTen(-int64(d.Scale)))
	}
	return bigLong(n)
}

// bigLong is BigInteger.longValue: the lowest 64 bits.
func bigLong(n *big.Int) int64 {
	if n.IsInt64() {
		return n.Int64()
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64)) // And takes two's complement
	return int64(low.Uint64())
}

// decimalDouble is BigDecimal.doubleValue.
func decimalDouble(d connect.Decimal) float64 {
	f, _ := strconv.ParseFloat(d.String(), 64) // an infinity comes with an error
	return f
}

// floatLong is Java's cast to long: towards zero, and to the nearest there is.
func floatLong(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= 1<<63:
		return math.MaxInt64
	case f < -1<<63:
		return math.MinInt64
	}
	return int64(f)
}
