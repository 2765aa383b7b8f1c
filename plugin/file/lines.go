package file

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// readSize is how much is read at once. All lines of one read share one string.
const readSize = 64 << 10

var errLineTooLong = errors.New("line too long")

// lines cuts a stream of bytes into lines. A line ends with \n, \r\n or \r; a \r that is the last byte so far ends
// none, since \n may follow. What comes after the last terminator stays until it is complete.
//
// Complete lines are cut out of one string for each read, so that a line costs no allocation.
type lines struct {
	max   int    // bytes of the longest line with its terminator
	buf   []byte // buf[:n] was read and has no complete line
	n     int
	chunk string // complete lines
	lf    int    // where the next \n stands in chunk; len(chunk) if there is none
	cr    int    // and the next \r
	pos   int    // chunk[:pos] was returned
	valid bool   // chunk is valid UTF-8
}

// fill reads once more. It must only be called when next has nothing left. It returns how many bytes were read.
func (l *lines) fill(read func([]byte) (int, error)) (int, error) {
	if l.n == len(l.buf) {
		if l.n >= l.max {
			return 0, errLineTooLong
		}
		grown := make([]byte, min(max(2*l.n, min(readSize, l.max)), l.max))
		copy(grown, l.buf)
		l.buf = grown
	}
	n, err := read(l.buf[l.n:])
	if n <= 0 {
		return 0, err
	}
	from := max(l.n-1, 0) // the last byte was not looked at if it is \r
	l.n += n
	end := from + lastTerminator(l.buf[from:l.n])
	if end == from {
		return n, err
	}
	l.chunk, l.pos = string(l.buf[:end]), 0
	l.valid = utf8.ValidString(l.chunk)
	l.lf, l.cr = l.find('\n', 0), l.find('\r', 0)
	rest := l.buf[end:l.n]
	if len(l.buf) > readSize && len(rest) < readSize {
		l.buf = make([]byte, readSize) // a long line is over: give its memory back
	}
	l.n = copy(l.buf, rest)
	return n, err
}

// lastTerminator returns the index behind the last terminator in b, or 0. A \r that is the last byte is none.
func lastTerminator(b []byte) int {
	end := bytes.LastIndexByte(b, '\n') + 1
	rest := b[end : len(b)-min(1, len(b)-end)]
	return end + bytes.LastIndexByte(rest, '\r') + 1
}

// find returns where c stands in chunk, from a position on.
func (l *lines) find(c byte, from int) int {
	if i := strings.IndexByte(l.chunk[from:], c); i >= 0 {
		return from + i
	}
	return len(l.chunk)
}

// next returns the next complete line and its size in bytes, terminator included; a size of 0 is no line.
func (l *lines) next() (line string, size int) {
	stop := min(l.lf, l.cr)
	if stop == len(l.chunk) {
		l.chunk, l.lf, l.cr, l.pos = "", 0, 0, 0 // the records alone keep it
		return "", 0
	}
	end := stop + 1
	if stop == l.cr && l.lf == end && end < len(l.chunk) {
		end++
	}
	line, size = l.chunk[l.pos:stop], end-l.pos
	l.pos = end
	if l.lf < end {
		l.lf = l.find('\n', end)
	}
	if l.cr < end {
		l.cr = l.find('\r', end)
	}
	if !l.valid {
		line = validUTF8(line)
	}
	return line, size
}

// validUTF8 puts U+FFFD in place of each malformed sequence, as Java's decoder does: one for the longest beginning of
// a character that is not completed, else one for each byte.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError || size > 1 {
			b.WriteString(s[i : i+size])
			i += size
			continue
		}
		b.WriteRune(utf8.RuneError)
		i += malformed(s[i:])
	}
	return b.String()
}

// malformed returns the length of the malformed sequence that s begins with.
func malformed(s string) int {
	lo, hi, n := byte(0x80), byte(0xBF), 0 // the bounds of the second byte, and the length of the character
	switch c := s[0]; {
	case c >= 0xC2 && c <= 0xDF:
		n = 2
	case c >= 0xE0 && c <= 0xEF:
		n = 3
		if c == 0xE0 {
			lo = 0xA0
		} else if c == 0xED {
			hi = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		n = 4
		if c == 0xF0 {
			lo = 0x90
		} else if c == 0xF4 {
			hi = 0x8F
		}
	}
	i := 1
	for ; i < n && i < len(s) && s[i] >= lo && s[i] <= hi; i++ {
		lo, hi = 0x80, 0xBF
	}
	return i
}
