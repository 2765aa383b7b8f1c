package javatext

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestDecodeUTF8 compares with Java's String, whose code units are given in hex.
func TestDecodeUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"41ff42":   "0041fffd0042",
		"e282":     "fffd",
		"e28241":   "fffd0041",
		"eda080":   "fffd",
		"e08080":   "fffdfffdfffd",
		"f09f98":   "fffd",
		"f0808080": "fffdfffdfffdfffd",
		"f4908080": "fffdfffdfffdfffd",
		"f5808080": "fffdfffdfffdfffd",
		"c0af":     "fffdfffd",
		"c3":       "fffd",
		"c328":     "fffd0028",
		"80":       "fffd",
		"f09f9880": "d83dde00",
		"e2":       "fffd",
		"e0a0":     "fffd",
		"f09f41":   "fffd0041",
		"eda0":     "fffd",
		"fe61":     "fffd0061",
		"eda08041": "fffd0041",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, unit := range utf16.Encode([]rune(DecodeUTF8(b))) {
			fmt.Fprintf(&got, "%04x", unit)
		}
		if got.String() != want {
			t.Errorf("%s became %s, want %s", in, &got, want)
		}
	}
}

func TestDigit(t *testing.T) {
	for r, want := range map[rune]int{'0': 0, '9': 9, 'a': -1, '٣': 3, '९': 9, '０': 0, '９': 9, '²': -1, 0x1D7FF: 9, 0x1D7CE: 0, 0x1D7D9: 1} {
		if got := Digit(r); got != want {
			t.Errorf("Digit(%U) = %d, want %d", r, got, want)
		}
	}
}
