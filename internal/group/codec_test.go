package group_test

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/group"
)

func held() *group.Assignment {
	return &group.Assignment{
		Leader: "m1", LeaderURL: "http://h:8083/", Offset: 7, Delay: time.Minute,
		Assigned: assign.Work{Connectors: []string{"c"}, Tasks: []connect.TaskID{{Connector: "c"}, {Connector: "e", Task: 3}}},
		Revoked:  assign.Work{Connectors: []string{"d"}, Tasks: []connect.TaskID{{Connector: "d", Task: 1}}},
	}
}

// TestClasses: what this library has more stands behind what Kafka Connect reads.
func TestClasses(t *testing.T) {
	for _, p := range group.Sessioned.Offered() {
		for _, classes := range [][]string{nil, {}, {"a.B", "C"}} {
			m := group.Metadata{URL: "u", Offset: 3, Held: held(), Classes: classes}
			b, err := m.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			got, err := group.DecodeMetadata(b, p)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Classes, classes) || (got.Classes == nil) != (classes == nil) {
				t.Errorf("%v: classes %v, want %v", p, got.Classes, classes)
			}
			m.Classes = nil
			plain, err := m.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(b), string(plain)) {
				t.Errorf("%v: %x does not begin with %x", p, b, plain)
			}
			for n := len(plain); n < len(b); n++ { // a cut extension is none
				if got, err := group.DecodeMetadata(b[:n], p); err != nil || got.Classes != nil {
					t.Errorf("%v: %x: classes %v, error %v", p, b[:n], got.Classes, err)
				}
			}
		}
	}
	// A member of the eager protocol has nothing where others say what they hold.
	if m, err := group.DecodeMetadata([]byte("\x00\x00\x00\x01u\x00\x00\x00\x00\x00\x00\x00\x05gokc\x00\x01\x00\x00\x00\x01\x00\x01X"), group.Eager); err != nil || !slices.Equal(m.Classes, []string{"X"}) {
		t.Errorf("got %+v, error %v", m, err)
	}
}

// A leader in Java reads the metadata of the eager protocol as if it said what the member holds.
func TestEagerMetadataHoldsNothing(t *testing.T) {
	b, err := (&group.Metadata{URL: "u", Offset: 5, Classes: []string{"X"}}).Encode(group.Eager)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := group.DecodeMetadata(b, group.Compatible); err != nil || m.Held != nil || m.Offset != 5 {
		t.Errorf("%x: %+v, %v; want nothing held", b, m, err)
	}
}

func TestHugeCountsCostNothing(t *testing.T) {
	blob := []byte("\x00\x01\x00\x00\x00\x01l\x00\x01u\x00\x00\x00\x00\x00\x00\x00\x01")
	rest := make([]byte, 1<<20)
	for _, count := range []string{"\x7f\xff\xff\xff", "\x00\x0f\xff\xff"} {
		b := slices.Concat(blob, []byte(count), rest)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = group.DecodeAssignment(b)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("count %x: %d bytes allocated", count, used)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range group.Sessioned.Offered() {
		m := group.Metadata{URL: "u", Offset: 3, Held: held(), Classes: []string{"a"}}
		for _, encode := range []func(group.Protocol) ([]byte, error){m.Encode, m.Held.Encode} {
			b, err := encode(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range group.Sessioned.Offered() {
			if m, err := group.DecodeMetadata(b, p); err == nil {
				again, err := m.Encode(p)
				if err != nil {
					continue // replacement characters make a text longer than it may be
				}
				if back, err := group.DecodeMetadata(again, p); err != nil || back.URL != m.URL || back.Offset != m.Offset || !slices.Equal(back.Classes, m.Classes) {
					t.Errorf("%x: %+v became %+v, error %v", b, m, back, err)
				}
			}
		}
		_, _ = group.DecodeEagerAssignment(b)
		a, err := group.DecodeAssignment(b)
		if err != nil || a == nil {
			return
		}
		once, err := a.Encode(group.Sessioned)
		if err != nil {
			return
		}
		back, err := group.DecodeAssignment(once)
		if err != nil {
			t.Fatalf("%x: %v", once, err)
		}
		twice, err := back.Encode(group.Sessioned)
		if err != nil || len(twice) != len(once) || back.Delay != a.Delay || back.Leader != a.Leader {
			t.Errorf("%x: %+v became %+v", b, a, back)
		}
	})
}

func metadata(t testing.TB, m group.Metadata) []byte {
	t.Helper()
	b, err := m.Encode(group.Sessioned)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestUnreadableMember: a member that the leader does not understand gets nothing, and the others their work.
func TestUnreadableMember(t *testing.T) {
	in := group.Leading{
		Protocol: group.Sessioned, Leader: "a", Generation: 1, LastCompleted: -1, Now: time.UnixMilli(1), State: assign.NewState(),
		Configurations: group.Configurations{Offset: 4, Connectors: map[string]assign.Connector{"c": {Tasks: 3, Class: "X"}, "d": {Tasks: 1}}},
		Members:        map[string][]byte{"a": metadata(t, group.Metadata{URL: "u", Offset: 3}), "b": []byte("what?")},
	}
	d, err := group.Lead(in)
	if err != nil {
		t.Fatal(err)
	}
	if d.Unreadable["b"] == nil || d.Members["b"] != nil || len(d.Assignments) != 2 {
		t.Errorf("got %+v", d)
	}
	a, err := group.DecodeAssignment(d.Assignments["a"])
	if err != nil || len(a.Assigned.Connectors) != 2 || len(a.Assigned.Tasks) != 4 || a.LeaderURL != "u" || a.Offset != 3 {
		t.Errorf("got %+v, error %v", a, err)
	}
	if b, err := group.DecodeAssignment(d.Assignments["b"]); err != nil || !b.Assigned.Empty() {
		t.Errorf("got %+v, error %v", b, err)
	}
	in.Leader = "b"
	if _, err := group.Lead(in); err == nil {
		t.Error("a leader that does not understand itself")
	}
	in.Leader = "c"
	if _, err := group.Lead(in); err == nil {
		t.Error("a leader that is no member")
	}
}

// TestLeaderKeepsItsState: a round that failed leaves no trace.
func TestLeaderKeepsItsState(t *testing.T) {
	state := assign.State{Generation: 7, Members: []string{"a"}}
	d, err := group.Lead(group.Leading{
		Protocol: group.Compatible, Leader: "a", Generation: 8, LastCompleted: 7, State: state,
		Members: map[string][]byte{"a": metadata(t, group.Metadata{URL: "u", Offset: 3}), "b": metadata(t, group.Metadata{URL: "v", Offset: 9})},
	})
	if err != nil || !d.Failed || d.Offset != 9 || !reflect.DeepEqual(d.State, state) {
		t.Errorf("got %+v, error %v", d, err)
	}
}

// TestLaggingMember: who had not read the last change of tasks runs the older ones, and has to join again before others begin with
// what takes their place; but not for ever.
func TestLaggingMember(t *testing.T) {
	for _, tt := range []struct {
		offsets [2]int64 // of the leader and of another
		insist  bool
		failed  bool
	}{
		{[2]int64{9, 9}, false, false},
		{[2]int64{9, 7}, false, false}, // what it had not read are no tasks
		{[2]int64{9, 6}, false, true},
		{[2]int64{6, 9}, false, true}, // the leader itself
		{[2]int64{9, 6}, true, false},
	} {
		read := group.Configurations{Offset: 9, TasksOffset: 7}
		known := read
		if tt.offsets[0] < read.Offset {
			known = group.Configurations{Offset: tt.offsets[0]}
		}
		d, err := group.Lead(group.Leading{
			Protocol: group.Sessioned, Leader: "a", Generation: 2, LastCompleted: 1, State: assign.NewState(),
			Configurations: known, Refresh: func() group.Configurations { return read }, Insist: tt.insist,
			Members: map[string][]byte{"a": metadata(t, group.Metadata{URL: "u", Offset: tt.offsets[0]}), "b": metadata(t, group.Metadata{URL: "v", Offset: tt.offsets[1]})},
		})
		if err != nil || d.Failed != tt.failed {
			t.Errorf("offsets %v, insist %t: failed %t, error %v", tt.offsets, tt.insist, d.Failed, err)
		}
	}
}

func BenchmarkLead(b *testing.B) {
	in := group.Leading{
		Protocol: group.Sessioned, Leader: "member-0", Generation: 1, LastCompleted: -1, Now: time.UnixMilli(1), State: assign.NewState(),
		Configurations: group.Configurations{Connectors: map[string]assign.Connector{}}, Members: map[string][]byte{},
	}
	for i := range 400 {
		in.Configurations.Connectors[fmt.Sprint("connector-", i)] = assign.Connector{Tasks: 50}
	}
	for i := range 1000 {
		in.Members[fmt.Sprint("member-", i)] = metadata(b, group.Metadata{URL: "http://host:8083/"})
	}
	d, err := group.Lead(in)
	if err != nil {
		b.Fatal(err)
	}
	in.State, in.Generation, in.LastCompleted = d.State, 2, 1
	for id, bytes := range d.Assignments {
		a, err := group.DecodeAssignment(bytes)
		if err != nil {
			b.Fatal(err)
		}
		in.Members[id] = metadata(b, group.Metadata{URL: "http://host:8083/", Held: a})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := group.Lead(in); err != nil {
			b.Fatal(err)
		}
	}
}

func TestUnknownProtocol(t *testing.T) {
	a, err := group.DecodeAssignment([]byte("\x00\x09\x00\x00\x00\x01l\x00\x01u\x00\x00\x00\x00\x00\x00\x00\x01"))
	if err != nil || a.Protocol.String() != "v9" || !a.Protocol.Cooperative() {
		t.Errorf("got %+v, error %v", a, err)
	}
}
