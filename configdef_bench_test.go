package connect_test

import (
	"testing"

	"github.com/gokconnect/connect"
)

func BenchmarkConfigParse(b *testing.B) {
	def := testDef()
	cfg := connect.Config{"i": "5", "l": "1500", "list": "a, b, c", "d": "0.5", "p": "s3cret"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := def.Parse(cfg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBind(b *testing.B) {
	cfg := connect.Config{"name": "n", "batch.size": "5", "tags": "a, b", "retry.max": "9"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := connect.Bind[settings](cfg); err != nil {
			b.Fatal(err)
		}
	}
}
