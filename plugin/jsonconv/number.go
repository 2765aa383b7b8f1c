package jsonconv

import (
	"math"
	"math/big"
	"strconv"
	"unsafe"

	"github.com/gokconnect/connect"
)

// maxNumber is the most digits that a number may have, its exponent's included.
const maxNumber = 1000

// maxShort is how many digits a number may have so that it and the power of ten behind its point are float64s without
// being rounded: their quotient is then rounded once, as it has to be.
const maxShort = 15

var powers = [maxShort + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// number is a JSON number in a document.
type number struct {
	text  []byte // as it stands in the document
	float bool   // it has a point or an exponent
	exact bool   // an integer that fits into 64 bits: bits is its value
	short bool   // bits, divided by a power of ten, is its value, and a float64 holds both
	scale uint8  // of which power, if short
	bits  uint64 // the low 64 bits of an integer, in two's complement
}

// scanNumber reads the number at b[i], which is a digit or a minus sign. end is -1 if it is not a number. Whether what
// follows may follow a number is for the caller to say.
func scanNumber(b []byte, i int) (n number, end int) {
	start := i
	if b[i] == '-' {
		i++
	}
	first := i
	for i < len(b) && b[i] == '0' {
		i++
	}
	significant := i
	var low uint64
	for i < len(b) {
		c := b[i] - '0'
		if c > 9 {
			break
		}
		low = low*10 + uint64(c)
		i++
	}
	if i == first {
		return n, -1
	}
	whole := i - significant // Jackson counts no leading zeros
	if i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
		n.float = true
		digits := max(whole, 1)
		if b[i] == '.' {
			i++
			from := i
			for i < len(b) {
				c := b[i] - '0'
				if c > 9 {
					break
				}
				low = low*10 + uint64(c)
				i++
			}
			if i == from {
				return n, -1
			}
			digits += i - from
			if n.short = digits <= maxShort; n.short {
				n.scale, n.bits = uint8(i-from), low
				if b[start] == '-' {
					n.bits = -low
				}
			}
		}
		if i < len(b) && b[i]|0x20 == 'e' {
			n.short = false
			i++
			if i < len(b) && (b[i] == '+' || b[i] == '-') {
				i++
			}
			from := i
			i = skipDigits(b, i)
			if i == from {
				return n, -1
			}
			digits += i - from
			if i-from > 9 {
				if _, err := connect.ParseDecimal(string(b[start:i])); err != nil {
					return n, -1 // Java's BigDecimal has no such exponent
				}
			}
		}
		if digits > maxNumber {
			return n, -1
		}
		n.text = b[start:i]
		return n, i
	}
	if whole > maxNumber {
		return n, -1
	}
	n.text = b[start:i]
	switch {
	case whole <= 18:
		n.exact = true
	case whole == 19:
		n.exact = low <= math.MaxInt64 || b[start] == '-' && low == 1<<63
	}
	if b[start] == '-' {
		low = -low
	}
	n.bits = low
	return n, i
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// isInt32 reports whether Java would hold the number in an int.
func (n *number) isInt32() bool { return n.exact && int64(n.bits) == int64(int32(n.bits)) }

// low returns the low 64 bits of the number, without its fraction.
func (n *number) low() uint64 {
	if !n.float {
		return n.bits
	}
	d, err := connect.ParseDecimal(string(n.text))
	if err != nil || d.Scale <= -64 {
		return 0 // 10^64 is a multiple of 2^64
	}
	v := new(big.Int).Set(d.Unscaled)
	switch {
	case d.Scale > 2*maxNumber:
		return 0
	case d.Scale > 0:
		v.Quo(v, pow10(int64(d.Scale)))
	case d.Scale < 0:
		v.Mul(v, pow10(-int64(d.Scale)))
	}
	bits := new(big.Int).And(v, new(big.Int).SetUint64(math.MaxUint64)) // two's complement for negative numbers too
	return bits.Uint64()
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// float64 returns the number as Java's BigDecimal converts it, which knows no negative zero.
func (n *number) float64() float64 {
	if n.exact {
		return float64(int64(n.bits))
	}
	if n.short {
		return float64(int64(n.bits)) / powers[n.scale]
	}
	return n.parse(64)
}

// float32 is float64 for a float.
func (n *number) float32() float32 {
	if n.exact {
		return float32(int64(n.bits))
	}
	return float32(n.parse(32))
}

func (n *number) parse(size int) float64 {
	f, _ := strconv.ParseFloat(unsafe.String(unsafe.SliceData(n.text), len(n.text)), size) // infinite out of range
	if f == 0 && n.isZero() {
		return 0
	}
	return f
}

// isZero reports whether all digits before the exponent are zero.
func (n *number) isZero() bool {
	for _, c := range n.text {
		if c >= '1' && c <= '9' {
			return false
		}
		if c|0x20 == 'e' {
			break
		}
	}
	return true
}

// decimal returns the number with all its digits. It fails if its exponent is out of the range of Java's BigDecimal.
func (n *number) decimal() (connect.Decimal, error) { return connect.ParseDecimal(string(n.text)) }
