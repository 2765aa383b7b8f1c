//go:build real

package real

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
)

// tapped wants to see records of a sink's task on the worker that has it, up to one that a transformation fails for, and
// none on another.
func tapped(t *testing.T, owner, other *kafka.Connect, name string) {
	t.Helper()
	type sample struct {
		Tasks   map[string]string `json:"tasks"` // of the first line, as Watched
		Watched []int             `json:"watched"`
		Record  int64             `json:"record"`
		Stage   string            `json:"stage"`
		Class   string            `json:"class"`
		Topic   string            `json:"topic"`
		Value   string            `json:"value"`
		Error   string            `json:"error"`
		Dropped bool              `json:"dropped"`
	}
	for _, w := range []*kafka.Connect{owner, other} {
		req, err := http.NewRequestWithContext(testContext(t), http.MethodGet, w.URL+"/connectors/"+name+"/tap?seconds=2&perSecond=1000", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("tap of %s: %s %v", id(w), resp.Status, resp.Header)
		}
		dec := json.NewDecoder(resp.Body)
		var first sample
		if err := dec.Decode(&first); err != nil {
			t.Fatal(err)
		}
		if want := map[string]string{"0": id(owner)}; !maps.Equal(first.Tasks, want) || len(first.Watched) != map[bool]int{true: 1}[w == owner] {
			t.Errorf("tap of %s: tasks %v, watched %v, want %v", id(w), first.Tasks, first.Watched, want)
		}
		consumed, stages := make(map[int64]string), make(map[string]int) // the line of each record
		for dec.More() {
			var s sample
			if err := dec.Decode(&s); err != nil {
				t.Fatal(err)
			}
			stage := s.Stage
			if s.Dropped {
				stage += " fails"
			}
			stages[stage]++
			if s.Stage == "consume" {
				consumed[s.Record] = s.Value
			}
			n, err := number(consumed[s.Record])
			if err != nil {
				t.Errorf("%+v: %v", s, err)
			} else if s.Dropped != (s.Error != "") || s.Dropped && fate(n) == passes || !s.Dropped && s.Value != line(n) {
				t.Errorf("line %d: %+v", n, s)
			}
		}
		seen := slices.Sorted(maps.Keys(stages))
		t.Logf("samples of %s: %v", id(w), stages)
		want := []string{"KEY_CONVERTER fails", "TRANSFORMATION fails", "consume", "converters", "transforms.cast"}
		if w == owner && !slices.Equal(seen, want) || w != owner && len(seen) != 0 {
			t.Errorf("samples of %s: %v, want %v where the task is", id(w), seen, want)
		}
	}
}
