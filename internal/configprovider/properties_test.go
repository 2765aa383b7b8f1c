package configprovider

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/gokconnect/connect"
)

// The expectations are what java.util.Properties (JDK 17) gives.
func TestParseProperties(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     connect.Config
	}{
		{"empty", "", connect.Config{}},
		{"separators", "a=1\nb:2\nc 3\nd\t=\t4\ne = = 5", connect.Config{"a": "1", "b": "2", "c": "3", "d": "4", "e": "= 5"}},
		{"comments", "# x=1\n  ! y=2\nz=#3", connect.Config{"z": "#3"}},
		{"no comment within a continued line", "a=\\\n#b", connect.Config{"a": "#b"}},
		{"comment after a lone backslash", "\\\n# a=b\nc=d", connect.Config{"c": "d"}},
		{"continuation", "a=1\\\n  2\\\r\n\t3\nb=\\\\\nc=4", connect.Config{"a": "123", "b": `\`, "c": "4"}},
		{"continuation at the end", "a=1\\", connect.Config{"a": "1"}},
		{"blank line within a continued line", "a=1\\\n\nb=2", connect.Config{"a": "1", "b": "2"}},
		{"lone backslash", `\`, connect.Config{"": ""}},
		{"line ends", "a=1\rb=2\r\n\r\nc=3", connect.Config{"a": "1", "b": "2", "c": "3"}},
		{"escapes", `k\=\:\ x=\t\n\f\r\q\u0041`, connect.Config{"k=: x": "\t\n\f\rqA"}},
		{"surrogate pair", `a=\uD83D\uDE00`, connect.Config{"a": "😀"}},
		{"trailing blanks stay", "a = 1  \n", connect.Config{"a": "1  "}},
		{"last duplicate", "a=1\na=2", connect.Config{"a": "2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseProperties(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for _, in := range []string{`a=\u12`, `a=\u12g4`, `\u=b`} {
		if _, err := ParseProperties(in); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
}

func TestLoadPropertiesLatin1(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker.properties")
	for content, want := range map[string]string{"a=\xe9": "é", "a=é": "é"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := LoadProperties(path)
		if err != nil {
			t.Fatal(err)
		}
		if got["a"] != want {
			t.Errorf("%q: got %q", content, got["a"])
		}
	}
}

func FuzzParseProperties(f *testing.F) {
	f.Add("a=\\\n b\nc:\\u0041")
	f.Fuzz(func(t *testing.T, text string) {
		config, err := ParseProperties(text)
		if err != nil {
			return
		}
		size := 0
		for key, value := range config {
			size += len(key) + len(value)
		}
		if size > 3*len(text) { // \xff may become U+FFFD nowhere; \uXXXX only shrinks
			t.Errorf("%d bytes made of %d", size, len(text))
		}
	})
}
