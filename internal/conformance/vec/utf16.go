package vec

import (
	"encoding/hex"
	"unicode/utf16"
)

// utf16Text returns the text of code units in hex, with U+FFFD in place of each unpaired surrogate.
func utf16Text(units string) string {
	b := must(hex.DecodeString(units))
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(u))
}
