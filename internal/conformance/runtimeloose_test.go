package conformance_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// What follows can't be the same in two runs, or can't be said in Go.

// unsayable reports whether a request makes a probe answer what a Go connector can't: a null where there is yes and no.
func (s *playStep) unsayable() bool {
	return s.REST != nil && strings.Contains(strings.ReplaceAll(string(s.REST.Body), " ", ""), `"eos.boundaries":"null"`)
}

// scattered returns the topics that get records which no key and no partition places: the client places them anywhere.
func (s *playScenario) scattered() map[string]bool {
	topics := make(map[string]bool)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if topic, ok := v["topic"].(string); ok && v["key"] == nil && v["partition"] == nil {
				topics[topic] = true
			}
		}
	}
	for _, step := range s.Steps {
		if step.REST == nil {
			continue
		}
		var body map[string]any
		if json.Unmarshal(step.REST.Body, &body) != nil {
			continue
		}
		if inner, ok := body["config"].(map[string]any); ok {
			body = inner
		}
		for key, value := range body {
			var plan any
			if text, ok := value.(string); ok && strings.HasPrefix(key, "source.plan") && json.Unmarshal([]byte(text), &plan) == nil {
				walk(plan)
			}
		}
	}
	for _, step := range s.Steps { // one partition leaves no choice
		if step.CreateTopic != nil && step.CreateTopic.Partitions <= 1 {
			delete(topics, step.CreateTopic.Name)
		}
	}
	return topics
}

// retriesInTime reports whether the scenario has attempts until a second or so is over. In real time their number depends on how busy
// the machine is.
func (s *playScenario) retriesInTime() bool {
	return slices.ContainsFunc(s.Steps, func(step playStep) bool {
		return step.REST != nil && boundedRetries.Match(step.REST.Body)
	})
}

var boundedRetries = regexp.MustCompile(`"errors\.retry\.timeout": ?"?[1-9]`)

// once makes one of the same failures in a row.
func once(events []map[string]any) []map[string]any {
	return slices.CompactFunc(events, func(a, b map[string]any) bool { return a["throw"] != nil && reflect.DeepEqual(a, b) })
}

// withoutEarlyPuts leaves out the puts of nothing between a start and the first open: how long a group takes to give a task its partitions
// depends, in real time, on how busy the machine is.
func withoutEarlyPuts(events []map[string]any) []map[string]any {
	started := slices.IndexFunc(events, func(e map[string]any) bool { return e["m"] == "start" })
	opened := slices.IndexFunc(events, func(e map[string]any) bool { return e["m"] == "open" })
	if started < 0 || opened < started {
		return events
	}
	early := slices.DeleteFunc(slices.Clone(events[started:opened]), func(e map[string]any) bool { return e["m"] == "putEmpty" })
	return slices.Concat(events[:started], early, events[opened:])
}

// gather takes the records without a key out of their partitions, into one list, and leaves out what depends on where they are.
func gather(byPartition map[string][]map[string]any) map[string][]map[string]any {
	out := make(map[string][]map[string]any)
	for n, records := range byPartition {
		for _, r := range records {
			delete(r, "offset")
			to := n
			if _, keyed := r["keyText"]; !keyed && r["key"] == nil {
				to = "any"
			}
			out[to] = append(out[to], r)
		}
	}
	return out
}

// later replaces the states of an answer by the expected ones where they are those that came next, and the scenario only slept
// before it asked: how long a change takes is a matter of timing.
func (w *playWorld) later(step int, want, got any) {
	if step == 0 || !strings.HasSuffix(w.s.Steps[step].REST.Path, "/status") {
		return
	}
	before := step - 1
	for before > 0 && w.s.Steps[before].Mark != nil {
		before--
	}
	if w.s.Steps[before].Sleep == nil {
		return
	}
	x, _ := want.(map[string]any)
	y, _ := got.(map[string]any)
	expected, _ := x["tasks"].([]any)
	answered, _ := y["tasks"].([]any)
	for i := range min(len(expected), len(answered)) {
		a, _ := expected[i].(map[string]any)
		b, _ := answered[i].(map[string]any)
		history := w.s.Expect.Status[fmt.Sprintf("status-task-%v-%v", x["name"], a["id"])]
		at := func(state any) int {
			return slices.IndexFunc(history, func(v *string) bool { return strings.Contains(deref(v), fmt.Sprintf(`"state":"%v"`, state)) })
		}
		if was, is := at(a["state"]), at(b["state"]); was >= 0 && is > was {
			answered[i] = map[string]any{"id": b["id"], "state": a["state"], "version": b["version"], "worker_id": b["worker_id"]}
		}
	}
}
