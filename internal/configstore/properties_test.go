package configstore_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
)

// taskOrders are configurations of connectors and what Java's classes made of them: the keys as they are in the record of the
// connector, and, behind a tab, those of a task whose connector copies its configuration and puts task.no into it.
//
//go:embed testdata/taskorders.tsv
var taskOrders string

func TestTaskProperties(t *testing.T) {
	for line := range strings.Lines(taskOrders) {
		stored, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		order := strings.Split(stored, " ")
		task := connect.Config{"task.no": "0", "task.class": "c"}
		for _, key := range order {
			task[key] = "v"
		}
		var got []string
		for _, p := range configstore.TaskProperties(task, configstore.Originals(order), []string{"task.class"}) {
			got = append(got, p.Name)
		}
		if !slices.Equal(got, strings.Split(want, " ")) {
			t.Errorf("stored %s:\n got  %s\n want %s", stored, strings.Join(got, " "), want)
		}
	}
}

func TestTaskPropertiesOfOwnKeys(t *testing.T) {
	got := configstore.TaskProperties(connect.Config{"b": "1", "a": "2", "topics": "t", "c": "3"}, []string{"x", "c"}, []string{"topics"})
	var keys []string
	for _, p := range got {
		keys = append(keys, p.Name+"="+*p.Value)
	}
	if want := []string{"a=2", "b=1", "c=3", "topics=t"}; !slices.Equal(keys, want) {
		t.Errorf("got %q, want %q", keys, want)
	}
}
