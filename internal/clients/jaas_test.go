package clients

import (
	"maps"
	"strings"
	"testing"
)

func TestParseJAAS(t *testing.T) {
	for in, want := range map[string]map[string]string{
		`a.B required;`: {},
		` a.B  REQUIRED username="u" password="p w" ; `:           {"username": "u", "password": "p w"},
		`a.B required user=u x='y;z' e="";`:                       {"user": "u", "x": "y;z", "e": ""},
		"a.B required // comment\n user=\"a\\\"b\\\\\" /* ; */ ;": {"user": `a"b\`},
		`a.B required x="\101\7\\n\n\é\400";`:                     {"x": "A\a\\n\né 0"},
		`a.B optional extension_x = "1" url="https://h/p?a=b";`:   {"extension_x": "1", "url": "https://h/p?a=b"},
	} {
		got, err := parseJAAS(in)
		if err != nil || got.class != "a.B" || !maps.Equal(got.options, want) {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	const secret = "hunter2"
	for _, in := range []string{
		"", "a.B", "a.B " + secret + ";", "a.B required", "a.B required user=" + secret, `a.B required user="` + secret, "a.B required user;",
		"a.B required user=;", "a.B required =" + secret + ";", `a.B required user="` + secret + `"; c.D required;`,
	} {
		_, err := parseJAAS(in)
		if err == nil {
			t.Errorf("%s: no error", in)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}

func FuzzParseJAAS(f *testing.F) {
	f.Add(`a.B required user="x\"y" /* c */ z=1;`)
	f.Fuzz(func(t *testing.T, text string) {
		module, err := parseJAAS(text)
		if err == nil && module.class == "" {
			t.Errorf("%q has no login module", text)
		}
	})
}
