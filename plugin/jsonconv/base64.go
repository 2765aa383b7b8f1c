package jsonconv

import "github.com/gokconnect/connect"

// base64Bits are the values of the alphabet's characters, and 0xFF for all others.
var base64Bits = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xFF
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = byte(i)
	}
	return t
}()

// decodeBase64 decodes as Jackson does: padding is needed, after it more may follow, and white space is skipped before
// each group of four characters but not within.
func decodeBase64(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)/4*3)
	for i := 0; ; {
		for i < len(s) && s[i] <= ' ' {
			i++
		}
		if i >= len(s) {
			return out, nil
		}
		if i+4 > len(s) {
			return nil, connect.DataErrorf("base64 text ends within a group of four characters")
		}
		a, b, c, d := base64Bits[s[i]], base64Bits[s[i+1]], base64Bits[s[i+2]], base64Bits[s[i+3]]
		switch {
		case a|b|c|d < 64:
			out = append(out, a<<2|b>>4, b<<4|c>>2, c<<6|d)
		case a|b|c < 64 && s[i+3] == '=':
			out = append(out, a<<2|b>>4, b<<4|c>>2)
		case a|b < 64 && s[i+2] == '=' && s[i+3] == '=':
			out = append(out, a<<2|b>>4)
		default:
			return nil, connect.DataErrorf("character %d is not part of base64 text", i)
		}
		i += 4
	}
}
