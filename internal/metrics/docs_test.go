package metrics_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gokconnect/connect/internal/metrics"
)

var update = flag.Bool("update", false, "write the tables of docs/metrics.md")

const (
	page  = "../../docs/metrics.md"
	begin = "<!-- The tables below are written by go test ./internal/metrics -update. -->\n"
)

// tables returns the tables of all metrics.
func tables() string {
	var b strings.Builder
	var group metrics.Group
	attributes := "?"
	for i := range metrics.Definitions {
		d := &metrics.Definitions[i]
		if d.Group != group || d.Attributes != attributes {
			group, attributes = d.Group, d.Attributes
			fmt.Fprintf(&b, "\n### kafka.connect.%s\n", group.OTel())
			if attributes != "" {
				fmt.Fprintf(&b, "Attributes: `%s`. ", strings.ReplaceAll(attributes, ", ", "`, `"))
			}
			fmt.Fprintf(&b, "MBean: `%s`\n\n| metric | kind | unit | what it is |\n|---|---|---|---|\n", d.MBean())
		}
		name := "`" + d.Name + "`"
		if d.Ours {
			name += " *"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, d.Kind, d.Unit, d.Description)
	}
	return b.String()
}

func TestDocumentation(t *testing.T) {
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text, old, ok := strings.Cut(string(content), begin)
	if !ok {
		t.Fatalf("%s has no line %q", page, begin)
	}
	now := tables()
	if *update {
		if err := os.WriteFile(page, []byte(text+begin+now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != now {
		t.Error("the tables of docs/metrics.md are not those of the code: go test ./internal/metrics -update writes them")
	}
}
