package storejson

import (
	"slices"
	"strings"
	"testing"
)

func TestHashOrder(t *testing.T) {
	for _, want := range []string{ // as HashMaps iterate
		"connector.class file tasks.max topics name topic value.converter key.converter",
		"cluster partition topic", "partition topic group", "sourceClusterAlias targetClusterAlias", "filename",
	} {
		names := strings.Fields(want)
		got := slices.Clone(names)
		if names[0] == "connector.class" { // name and topic share no bucket, the rest does not care
			slices.Reverse(got)
		}
		HashOrder(got, func(name string) string { return name })
		if strings.Join(got, " ") != want {
			t.Errorf("order %q, want %q", got, want)
		}
	}
}

func TestJavaHash(t *testing.T) {
	for s, want := range map[string]uint32{"": 0, "a": 97, "Aa": 2112, "BB": 2112, "hello": 99162322, "é😀": 233*31*31 + 0xD83D*31 + 0xDE00} {
		if got := javaHash(s); got != want^want>>16 {
			t.Errorf("hash of %q is %d", s, got)
		}
	}
}
