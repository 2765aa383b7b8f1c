package connect

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is the value of the logical type Decimal: Unscaled / 10^Scale. The zero Decimal is 0.
type Decimal struct {
	Unscaled *big.Int // must not be modified; nil is 0
	Scale    int32
}

// NewDecimal returns unscaled / 10^scale.
func NewDecimal(unscaled int64, scale int32) Decimal { return Decimal{big.NewInt(unscaled), scale} }

// ParseDecimal returns the number that a text stands for, such as -12.50 or 1E+3. Its scale is the number of digits
// after the point, less the exponent.
func ParseDecimal(text string) (Decimal, error) {
	bad := func(why string) (Decimal, error) {
		return Decimal{}, DataErrorf("not a decimal number: %s: %q", why, shorten(text))
	}
	digits, exponent := text, int64(0)
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.ParseInt(text[i+1:], 10, 64)
		if err != nil || n < math.MinInt32 || n > math.MaxInt32 {
			return bad("bad exponent")
		}
		digits, exponent = text[:i], n
	}
	sign := ""
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = digits[:1], digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = whole + fraction
	if digits == "" {
		return bad("no digits")
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return bad("unexpected character")
		}
	}
	scale := int64(len(fraction)) - exponent
	if scale != int64(int32(scale)) {
		return bad("exponent out of range")
	}
	if len(digits) <= 18 {
		n, err := strconv.ParseInt(sign+digits, 10, 64)
		if err != nil {
			return bad("unexpected character")
		}
		return NewDecimal(n, int32(scale)), nil
	}
	n, ok := new(big.Int).SetString(sign+digits, 10)
	if !ok {
		return bad("unexpected character")
	}
	return Decimal{n, int32(scale)}, nil
}

// shorten keeps messages about hostile input short.
func shorten(text string) string {
	const most = 100
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// DecimalOfBytes returns the number whose unscaled value is given in two's complement, most significant byte first, as
// Connect stores decimals. No byte at all is a *[DataError].
func DecimalOfBytes(b []byte, scale int32) (Decimal, error) {
	if len(b) == 0 {
		return Decimal{}, DataErrorf("decimal of zero bytes: at least one is needed")
	}
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return Decimal{n, scale}, nil
}

// Bytes returns the unscaled value in two's complement, most significant byte first, in as few bytes as possible.
func (d Decimal) Bytes() []byte { return d.AppendBytes(nil) }

// AppendBytes appends what [Decimal.Bytes] returns.
func (d Decimal) AppendBytes(dst []byte) []byte {
	n := d.unscaled()
	bits := n.BitLen()
	if n.Sign() < 0 {
		// -2^k needs no more bits than 2^k - 1: its complement decides.
		bits = new(big.Int).Not(n).BitLen()
	}
	size := bits/8 + 1
	start := len(dst)
	dst = append(dst, make([]byte, size)...)
	if n.Sign() >= 0 {
		n.FillBytes(dst[start:])
		return dst
	}
	new(big.Int).Not(n).FillBytes(dst[start:])
	for i := start; i < len(dst); i++ {
		dst[i] = ^dst[i]
	}
	return dst
}

// Equal reports whether both have the same digits and the same scale: 1.0 does not equal 1.00.
func (d Decimal) Equal(o Decimal) bool {
	return d.Scale == o.Scale && d.unscaled().Cmp(o.unscaled()) == 0
}

// String returns the number in full as Java's BigDecimal does: plain, such as 12.50, or with an exponent, such as 1.2E+10, if
// the scale is negative or there would be more than five zeros after the point. [ParseDecimal] gives the same number
// and scale back.
func (d Decimal) String() string { return string(d.appendText(nil)) }

func (d Decimal) appendText(dst []byte) []byte {
	n := d.unscaled()
	var buf [40]byte
	var digits []byte
	if n.IsInt64() { // which costs no allocation
		digits = strconv.AppendInt(buf[:0], n.Int64(), 10)
	} else {
		digits = n.Append(buf[:0], 10)
	}
	if d.Scale == 0 {
		return append(dst, digits...)
	}
	if digits[0] == '-' {
		dst = append(dst, '-')
		digits = digits[1:]
	}
	adjusted := -int64(d.Scale) + int64(len(digits)-1)
	if d.Scale > 0 && adjusted >= -6 {
		point := len(digits) - int(d.Scale)
		if point > 0 {
			dst = append(dst, digits[:point]...)
			dst = append(dst, '.')
			return append(dst, digits[point:]...)
		}
		dst = append(dst, "0."...)
		for range -point {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	if adjusted != 0 {
		dst = append(dst, 'E')
		if adjusted > 0 {
			dst = append(dst, '+')
		}
		dst = strconv.AppendInt(dst, adjusted, 10)
	}
	return dst
}

// GoString returns the number for debugging.
func (d Decimal) GoString() string { return fmt.Sprintf("connect.Decimal(%s)", d) }

func (d Decimal) unscaled() *big.Int {
	if d.Unscaled == nil {
		return new(big.Int)
	}
	return d.Unscaled
}
