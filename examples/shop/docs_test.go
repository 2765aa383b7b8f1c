package shop

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The Go code in the README and the guides stands in the files of examples too, where it is compiled and tested.
func TestDocumentedCodeIsTested(t *testing.T) {
	var code strings.Builder
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.WriteString(squeezed(string(text)))
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```")
	for _, name := range []string{"README.md", "docs/getting-started.md", "docs/writing-connectors.md", "docs/rest.md"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		found := blocks.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("%s has no Go code", name)
		}
		for _, block := range found {
			// A line of three dots stands for code that is left out.
			for part := range strings.SplitSeq(block[1], "// …\n") {
				if !strings.Contains(code.String(), squeezed(part)) {
					t.Errorf("%s has code that is in no file of examples:\n%s", name, part)
				}
			}
		}
	}
}

// squeezed takes out what does not matter: indentation and empty lines.
func squeezed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
