package connect

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// appendFloat appends the text that Double.toString or Float.toString gives up to Java 18, on which Connect's messages
// and texts were recorded: plain from 0.001 up to ten million, and otherwise in scientific notation without a plus sign.
// The digits are the shortest that give the same number back, but for a few numbers that Java writes with more digits
// than it needs, such as 1.9999999999999998E23. Where Java's 64-bit arithmetic overflows, for one float32 in thousands
// around 1E25, the last digit may differ from Java's; both read back as the same number.
func appendFloat(dst []byte, f float64, size int) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return strconv.AppendFloat(dst, f, 'f', 1, 64)
	case f < 0:
		return appendFloat(append(dst, '-'), -f, size)
	}
	if f >= 1e-3 && f < 1e6 { // in this range Java's digits are the shortest, powers of two included
		// Numbers of up to 15 digits have a float64 each: one that f stands for is the shortest text of f.
		if n := uint64(f*100 + 0.5); size == 64 && float64(n)/100 == f {
			dst = append(strconv.AppendUint(dst, n/100, 10), '.', byte('0'+n/10%10))
			if n%10 != 0 {
				dst = append(dst, byte('0'+n%10))
			}
			return dst
		}
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, size)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	var buf [32]byte
	digits, exponent := floatDigits(buf[:0], f, size)
	if exponent == 6 { // 1234567.8
		for len(digits) < 8 {
			digits = append(digits, '0')
		}
		dst = append(append(dst, digits[:7]...), '.')
		return append(dst, digits[7:]...)
	}
	dst = append(dst, digits[0], '.')
	if len(digits) == 1 {
		digits = append(digits, '0')
	}
	dst = append(append(dst, digits[1:]...), 'E')
	return strconv.AppendInt(dst, int64(exponent), 10)
}

// floatDigits returns Java's digits of a positive number, the first of which stands for 10^exponent.
func floatDigits(buf []byte, f float64, size int) (digits []byte, exponent int) {
	mantissa, shift := decompose(f, size)
	precision := 53
	if size == 32 {
		precision = 24
	}
	tail := bits.TrailingZeros64(mantissa)
	length := bits.Len64(mantissa)
	powerOfTwo := tail == length-1
	whole := shift+tail >= 0
	switch {
	case whole && length+shift <= 63:
		return wholeDigits(buf, mantissa, shift, length+shift-1-precision)
	case powerOfTwo || whole || length+shift >= precision-3:
		return nearDigits(buf, mantissa, shift, powerOfTwo)
	}
	buf = strconv.AppendFloat(buf, f, 'e', -1, size)
	if buf[1] == 'e' { // in scientific notation Java wants two digits at least, the nearest
		buf = strconv.AppendFloat(buf[:0], f, 'e', 1, size)
	}
	digits = buf[:1]
	for i := 1; ; i++ {
		switch buf[i] {
		case '.':
		case 'e':
			exponent, _ = strconv.Atoi(string(buf[i+1:]))
			return trimZeros(digits), exponent
		default:
			digits = append(digits, buf[i])
		}
	}
}

// decompose returns a number as mantissa · 2^shift; the mantissa's lowest bit is worth one unit in the last place.
func decompose(f float64, size int) (mantissa uint64, shift int) {
	if size == 32 {
		b := math.Float32bits(float32(f))
		mantissa, shift = uint64(b&(1<<23-1)), int(b>>23&0xff)-150
		if shift == -150 {
			return mantissa, shift + 1
		}
		return mantissa | 1<<23, shift
	}
	b := math.Float64bits(f)
	mantissa, shift = b&(1<<52-1), int(b>>52&0x7ff)-1075
	if shift == -1075 {
		return mantissa, shift + 1
	}
	return mantissa | 1<<52, shift
}

// wholeDigits returns the digits of a whole number below 2^63. Those that are worth less than the bits beyond the
// precision are rounded away.
func wholeDigits(buf []byte, mantissa uint64, shift, beyond int) (digits []byte, exponent int) {
	n := mantissa
	if shift >= 0 {
		n <<= shift
	} else {
		n >>= -shift
	}
	dropped := 0
	if beyond-1 > 0 {
		p := uint64(1)
		for limit := uint64(1) << min(beyond-1, 62); p <= limit/10; p *= 10 {
			dropped++
		}
		rest := n % p
		if n /= p; p > 1 && rest >= p/2 {
			n++
		}
	}
	digits = strconv.AppendUint(buf, n, 10)
	return trimZeros(digits), dropped + len(digits) - 1
}

// nearDigits generates digits one by one until what is left is less than half a unit in the last place, or a quarter
// for a power of two, below which the numbers are closer.
func nearDigits(buf []byte, mantissa uint64, shift int, powerOfTwo bool) (digits []byte, exponent int) {
	// The number is rest/scale; margin/scale is how far from it the digits may be.
	rest := new(big.Int).Lsh(new(big.Int).SetUint64(mantissa), uint(max(shift, 0)+2))
	scale := new(big.Int).Lsh(big.NewInt(1), uint(max(-shift, 0)+2))
	margin := new(big.Int).Lsh(big.NewInt(1), uint(max(shift, 0)+1))
	if powerOfTwo {
		margin.Rsh(margin, 1)
	}
	ten := big.NewInt(10)
	exponent = int(math.Floor(float64(bits.Len64(mantissa)+shift-1) * math.Log10(2)))
	if power := new(big.Int).Exp(ten, big.NewInt(int64(max(exponent, -exponent))), nil); exponent >= 0 {
		scale.Mul(scale, power)
	} else {
		rest.Mul(rest, power)
		margin.Mul(margin, power)
	}
	tenScale := new(big.Int).Mul(scale, ten)
	if rest.Cmp(tenScale) >= 0 {
		exponent++
		scale, tenScale = tenScale, new(big.Int).Mul(tenScale, ten)
	}
	q, sum := new(big.Int), new(big.Int)
	digits = buf
	for {
		q.QuoRem(rest, scale, rest)
		rest.Mul(rest, ten)
		margin.Mul(margin, ten)
		digits = append(digits, byte('0'+q.Int64()))
		low, high := rest.Cmp(margin) < 0, sum.Add(rest, margin).Cmp(tenScale) > 0
		if !low && !high || len(digits) == 1 && (exponent < -3 || exponent >= 8) {
			continue
		}
		if high && low {
			c := sum.Lsh(rest, 1).Cmp(tenScale)
			high = c > 0 || c == 0 && digits[len(digits)-1]&1 != 0
		}
		if high {
			digits, exponent = roundUp(digits, exponent)
		}
		return trimZeros(digits), exponent
	}
}

func roundUp(digits []byte, exponent int) ([]byte, int) {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] != '9' {
			digits[i]++
			return digits[:i+1], exponent
		}
	}
	return append(digits[:0], '1'), exponent + 1
}

func trimZeros(digits []byte) []byte {
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits
}
