package javahash_test

import (
	"slices"
	"testing"

	"github.com/gokconnect/connect/internal/javahash"
)

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		keys    []string
		buckets int
		want    []string
	}{
		{[]string{"name", "connector.class", "tasks.max", "topics", "key.converter", "value.converter", "file", "topic"}, javahash.Buckets,
			[]string{"connector.class", "file", "tasks.max", "topics", "name", "topic", "value.converter", "key.converter"}},
		{[]string{"a", "name"}, javahash.CopyBuckets(2), []string{"name", "a"}},
		{[]string{"a", "name"}, javahash.Buckets, []string{"a", "name"}},
		{[]string{"BB", "Aa"}, javahash.Buckets, []string{"BB", "Aa"}}, // the same hash
		{nil, javahash.Buckets, []string{}},
	} {
		if got := javahash.Order(tt.keys, tt.buckets); !slices.Equal(got, tt.want) {
			t.Errorf("Order(%q, %d) = %q, want %q", tt.keys, tt.buckets, got, tt.want)
		}
	}
	for size, want := range map[int]int{0: 2, 2: 4, 6: 16, 12: 32} {
		if got := javahash.CopyBuckets(size); got != want {
			t.Errorf("CopyBuckets(%d) = %d, want %d", size, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]uint32{"": 1, "a": 31 + 97, "ab": 31*(31+98) + 97, "\xff": 30} { // ByteBuffer goes from the end
		if got := javahash.Bytes([]byte(text)); got != want {
			t.Errorf("Bytes(%q) = %d, want %d", text, got, want)
		}
	}
}
