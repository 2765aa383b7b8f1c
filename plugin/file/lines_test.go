package file

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// reference cuts a text as Java's FileStreamSourceTask does, one byte after the other.
func reference(text []byte) (lines []string, consumed int) {
	start := 0
	for i := 0; i < len(text); i++ {
		end := i + 1
		switch {
		case text[i] == '\n':
		case text[i] == '\r' && end < len(text):
			if text[end] == '\n' {
				end++
			}
		default:
			continue
		}
		lines = append(lines, validUTF8(string(text[start:i])))
		start, i = end, end-1
	}
	return lines, start
}

// FuzzLines checks that lines and sizes don't depend on how a text is cut into reads.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\nc\rd\r\r\n\n"), uint8(1))
	f.Add([]byte("\r"), uint8(3))
	f.Add([]byte("x\r\ny\r"), uint8(2))
	f.Add([]byte("ä\xff\xe2\x82\n€\r\n\xf0\x9f\x98\x80\r"), uint8(5))
	f.Add(bytes.Repeat([]byte("0123456789\r"), 50), uint8(99))
	f.Fuzz(func(t *testing.T, text []byte, step uint8) {
		in := bytes.NewReader(text)
		read := func(p []byte) (int, error) { return in.Read(p[:min(len(p), int(step)+1)]) }
		l := lines{max: 1 << 20}
		var got []string
		consumed := 0
		for {
			for {
				line, size := l.next()
				if size == 0 {
					break
				}
				got, consumed = append(got, line), consumed+size
			}
			if _, err := l.fill(read); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		want, end := reference(text)
		if !slices.Equal(got, want) || consumed != end {
			t.Errorf("%q in steps of %d: got %q and %d bytes, want %q and %d", text, int(step)+1, got, consumed, want, end)
		}
		for _, line := range got {
			if !utf8.ValidString(line) {
				t.Errorf("%q is not valid", line)
			}
		}
	})
}

// What is replaced, and by how many characters, is what Java's decoder does.
func TestValidUTF8(t *testing.T) {
	for in, want := range map[string]int{ // UTF-16 units
		"":                         0,
		"aä€😀":                     5,
		"\x80":                     1,
		"\xc0\xaf":                 2,
		"\xc3":                     1,
		"\xc3a":                    2,
		"\xe0\x80\x80":             3,
		"\xe2\x82":                 1,
		"\xe2\x82a":                2,
		"\xed\xa0\x80":             3,
		"\xf0\x9f\x98":             1,
		"\xf0\x80\x80\x80":         4,
		"\xf4\x90\x80\x80":         4,
		"\xf8\x88\x80\x80\x80":     5,
		"\xf0\x9f\xf0\x9f\x98\x80": 3,
	} {
		got := validUTF8(in)
		if n := len(utf16.Encode([]rune(got))); n != want || !utf8.ValidString(got) {
			t.Errorf("%q became %q with %d units, want %d", in, got, n, want)
		}
	}
}
