package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/assign"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/group"
)

// vecTask is [connector, number].
type vecTask struct {
	connector *string
	task      int
}

func (t *vecTask) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&t.connector, &t.task})
}

func (t vecTask) MarshalJSON() ([]byte, error) { return json.Marshal([]any{t.connector, t.task}) }

// vecAssignment is an assignment as the vectors write it. Java's may hold nulls, ours can't.
type vecAssignment struct {
	Version           *int16    `json:"version,omitempty"`
	Error             int16     `json:"error"`
	Leader            *string   `json:"leader"`
	LeaderURL         *string   `json:"leaderUrl"`
	Offset            string    `json:"offset"`
	Connectors        []*string `json:"connectors"`
	Tasks             []vecTask `json:"tasks"`
	RevokedConnectors []*string `json:"revokedConnectors"`
	RevokedTasks      []vecTask `json:"revokedTasks"`
	Delay             int32     `json:"delay"`
	Generation        *int32    `json:"generation,omitempty"`
	Empty             bool      `json:"empty,omitempty"`
	ProtocolVersion   int16     `json:"protocolVersion,omitempty"`
}

// value returns the assignment, and whether it is one that Go can hold.
func (v *vecAssignment) value(t *testing.T) (a *group.Assignment, ok bool) {
	ok = true
	text := func(s *string) string {
		if s == nil {
			ok = false
			return ""
		}
		return *s
	}
	work := func(connectors []*string, tasks []vecTask) (w assign.Work) {
		for _, c := range connectors {
			w.Connectors = append(w.Connectors, text(c))
		}
		for _, task := range tasks {
			w.Tasks = append(w.Tasks, connect.TaskID{Connector: text(task.connector), Task: task.task})
		}
		return w
	}
	a = &group.Assignment{
		Error: v.Error, Leader: text(v.Leader), LeaderURL: text(v.LeaderURL), Offset: number(t, v.Offset),
		Assigned: work(v.Connectors, v.Tasks), Revoked: work(v.RevokedConnectors, v.RevokedTasks), Delay: time.Duration(v.Delay) * time.Millisecond,
	}
	return a, ok
}

func names(connectors []string) []*string {
	list := []*string{}
	for _, c := range connectors {
		list = append(list, &c)
	}
	return list
}

func pairs(tasks []connect.TaskID) []vecTask {
	list := []vecTask{}
	for _, task := range tasks {
		list = append(list, vecTask{&task.Connector, task.Task})
	}
	return list
}

func vecOf(a *group.Assignment, version bool) *vecAssignment {
	v := &vecAssignment{
		Error: a.Error, Leader: &a.Leader, LeaderURL: &a.LeaderURL, Offset: strconv.FormatInt(a.Offset, 10),
		Connectors: names(a.Assigned.Connectors), Tasks: pairs(a.Assigned.Tasks),
		RevokedConnectors: names(a.Revoked.Connectors), RevokedTasks: pairs(a.Revoked.Tasks), Delay: int32(a.Delay.Milliseconds()),
	}
	if version {
		v.Version = (*int16)(&a.Protocol)
	}
	return v
}

// reading is what a reader made of bytes.
type reading struct {
	Out   json.RawMessage
	Error *conformance.Error
}

func (r *reading) check(t *testing.T, name string, got any, err error) {
	t.Helper()
	switch {
	case r == nil:
	case r.Error != nil && err == nil:
		t.Errorf("%s: got %+v, want error %s", name, got, r.Error.Message)
	case r.Error == nil && err != nil:
		t.Errorf("%s: error %v, want %s", name, err, r.Out)
	case r.Error != nil:
		// The text before Java's own exceptions is the same.
		want := strings.NewReplacer("java.nio.BufferUnderflowException", "", "': Error reading field '", ".").Replace(r.Error.Message)
		if want, _, _ := strings.Cut(want, "Missing value"); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %q, want %q", name, err, want)
		}
	default:
		sameTree(t, got, r.Out)
	}
}

// sameTree compares JSON by its values.
func sameTree(t *testing.T, got any, want json.RawMessage) {
	t.Helper()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	decodeCase(t, b, &g)
	decodeCase(t, want, &w)
	sameJSON(t, g, w)
}

func fromBase64(t *testing.T, text *string) []byte {
	t.Helper()
	if text == nil {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(*text)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{}, b...)
}

func TestGroupProtocol(t *testing.T) {
	kinds := map[string]func(*testing.T, conformance.Case){
		"assignment-encode": assignmentEncode, "assignment-decode": assignmentDecode, "metadata-encode": metadataEncode,
		"metadata-decode": metadataDecode, "member": memberSteps, "names": protocolNames,
	}
	conformance.Run(t, "control/protocol.jsonl", func(t *testing.T, c conformance.Case) {
		check := kinds[strings.Split(c.ID, ".")[2]]
		if check == nil {
			t.Fatalf("unknown kind of case")
		}
		check(t, c)
	})
}

func assignmentEncode(t *testing.T, c conformance.Case) {
	var in struct {
		vecAssignment
		NameLength int
	}
	decodeCase(t, c.In, &in)
	if in.NameLength > 0 {
		name, leader, url := strings.Repeat("n", in.NameLength), "l", "u"
		in.vecAssignment = vecAssignment{Leader: &leader, LeaderURL: &url, Offset: "1", Connectors: []*string{&name}, ProtocolVersion: in.ProtocolVersion}
	}
	a, ok := in.value(t)
	if !ok {
		if c.Error == nil {
			t.Fatal("Java accepts null")
		}
		return // a null that has no counterpart
	}
	got, err := a.Encode(group.Protocol(in.ProtocolVersion))
	if c.Error != nil {
		if err == nil {
			t.Fatalf("got no error, want %s", c.Error.Message)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Bytes  *string
		Length int
	}
	decodeCase(t, c.Out, &out)
	if out.Bytes == nil {
		if len(got) != out.Length {
			t.Errorf("got %d bytes, want %d", len(got), out.Length)
		}
		return
	}
	if want := fromBase64(t, out.Bytes); string(got) != string(want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

type readings struct {
	In struct{ Bytes *string }
	V0 *reading `json:"v0reader"`
	V1 *reading `json:"v1reader"`
}

func assignmentDecode(t *testing.T, c conformance.Case) {
	var v readings
	decodeCase(t, c.Raw, &v)
	b := fromBase64(t, v.In.Bytes)
	a, err := group.DecodeAssignment(b)
	var got any
	if a != nil {
		got = vecOf(a, true)
	}
	v.V1.check(t, "cooperative", got, err)
	if v.V0 == nil {
		return
	}
	got = nil
	if a, err = group.DecodeEagerAssignment(b); a != nil {
		v := vecOf(a, false)
		got = map[string]any{"error": v.Error, "leader": v.Leader, "leaderUrl": v.LeaderURL, "offset": v.Offset, "connectors": v.Connectors, "tasks": v.Tasks}
	}
	v.V0.check(t, "eager", got, err)
}

func metadataDecode(t *testing.T, c conformance.Case) {
	var v readings
	decodeCase(t, c.Raw, &v)
	b := fromBase64(t, v.In.Bytes)
	for _, p := range []group.Protocol{group.Eager, group.Compatible} {
		want := map[group.Protocol]*reading{group.Eager: v.V0, group.Compatible: v.V1}[p]
		m, err := group.DecodeMetadata(b, p)
		var got any
		if m != nil {
			fields := map[string]any{"url": m.URL, "offset": strconv.FormatInt(m.Offset, 10)}
			if p.Cooperative() {
				fields["isEmpty"] = m.Held == nil
				if m.Held != nil {
					fields["held"] = vecOf(m.Held, true)
				} else {
					one := int16(1) // Java's object for nothing
					fields["held"] = &vecAssignment{Version: &one, Offset: "-1", Connectors: names(nil), Tasks: pairs(nil), RevokedConnectors: names(nil), RevokedTasks: pairs(nil)}
				}
			}
			got = fields
		}
		want.check(t, p.String(), got, err)
	}
}

type vecOffers []struct{ Name, Metadata string }

func (v vecOffers) check(t *testing.T, got []group.Offer) {
	t.Helper()
	var texts, want []string
	for _, o := range got {
		texts = append(texts, o.Name+" "+base64.StdEncoding.EncodeToString(o.Metadata))
	}
	for _, o := range v {
		want = append(want, o.Name+" "+o.Metadata)
	}
	sameJSON(t, texts, want)
}

func metadataEncode(t *testing.T, c conformance.Case) {
	var v struct {
		In struct {
			URL    *string
			Offset string
			Held   *vecAssignment
		}
		Error *conformance.Error
	}
	decodeCase(t, c.Raw, &v)
	var modes map[string]json.RawMessage
	decodeCase(t, c.Raw, &modes)
	if v.In.URL == nil {
		if v.Error == nil {
			t.Fatal("Java accepts null")
		}
		return // a null that has no counterpart
	}
	m := group.Metadata{URL: *v.In.URL, Offset: number(t, v.In.Offset)}
	if h := v.In.Held; h != nil && !h.Empty {
		held, ok := h.value(t)
		if !ok {
			return // a null that has no counterpart
		}
		m.Held = held
	}
	for _, mode := range []group.Protocol{group.Eager, group.Compatible, group.Sessioned} {
		var want struct{ Out vecOffers }
		decodeCase(t, modes[strings.ToUpper(mode.String())], &want)
		var got []group.Offer
		for _, p := range mode.Offered() {
			b, err := m.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, group.Offer{Name: p.Name(), Metadata: b})
		}
		want.Out.check(t, got)
	}
}

type vecCall struct {
	Call       string
	Leader     string
	Connectors []string
	Tasks      []vecTask
	Assignment json.RawMessage
}

func memberSteps(t *testing.T, c conformance.Case) {
	var v struct {
		In    struct{ ConnectProtocol, URL, MemberID string }
		Steps []struct {
			ConfigOffset           int64
			JoinProtocols          vecOffers
			JoinPrepareCalls       []vecCall
			Generation             int32
			GroupProtocol          string
			Assignment             *string
			Calls                  []vecCall
			RejoinNeeded           bool
			Holds                  json.RawMessage
			ThenRevocationsCleared bool
		}
	}
	decodeCase(t, c.Raw, &v)
	mode, err := group.ParseProtocol(v.In.ConnectProtocol)
	if err != nil {
		t.Fatal(err)
	}
	h := group.NewHolder(mode)
	for i, s := range v.Steps {
		if prepared := h.Prepare(); !prepared.Empty() || len(s.JoinPrepareCalls) > 0 {
			checkRevoked(t, s.JoinPrepareCalls, h.Held().Leader, prepared)
		}
		offers, err := h.Protocols(group.Metadata{URL: v.In.URL, Offset: s.ConfigOffset})
		if err != nil {
			t.Fatal(err)
		}
		s.JoinProtocols.check(t, offers)
		revoked, err := h.Assigned(s.GroupProtocol, fromBase64(t, s.Assignment))
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		calls := s.Calls
		if !revoked.Empty() {
			checkRevoked(t, calls, h.Held().Leader, revoked)
			calls = calls[1:]
		}
		if len(calls) != 1 || calls[0].Call != "assigned" {
			t.Fatalf("step %d: calls %+v", i, s.Calls)
		}
		assigned := vecOf(h.Held(), true)
		assigned.Generation = &s.Generation
		sameTree(t, assigned, calls[0].Assignment)
		sameTree(t, vecOf(h.Held(), true), s.Holds)
		if h.RejoinNeeded() != s.RejoinNeeded {
			t.Errorf("step %d: rejoin needed: %v, want %v", i, h.RejoinNeeded(), s.RejoinNeeded)
		}
		if s.ThenRevocationsCleared {
			h.Released()
		}
		if t.Failed() {
			t.Fatalf("step %d", i)
		}
	}
}

func checkRevoked(t *testing.T, calls []vecCall, leader string, w assign.Work) {
	t.Helper()
	if len(calls) == 0 || calls[0].Call != "revoked" {
		t.Fatalf("revoked %+v, want no such call", w)
	}
	if calls[0].Leader != leader {
		t.Errorf("leader %s, want %s", leader, calls[0].Leader)
	}
	sameJSON(t, append([]string{}, w.Connectors...), calls[0].Connectors)
	sameJSON(t, pairs(w.Tasks), calls[0].Tasks)
}

func protocolNames(t *testing.T, c conformance.Case) {
	var v struct {
		In struct {
			Version *int16
			Text    *string
		}
		Out               json.RawMessage
		Error             *conformance.Error
		FromConfig        *reading
		FromGroupProtocol *reading
	}
	decodeCase(t, c.Raw, &v)
	check := func(want *reading, p group.Protocol, err error) {
		t.Helper()
		switch {
		case want == nil:
		case want.Error != nil:
			if err == nil || err.Error() != want.Error.Message {
				t.Errorf("error %v, want %s", err, want.Error.Message)
			}
		case err != nil:
			t.Error(err)
		default:
			sameTree(t, strings.ToUpper(p.String()), want.Out)
		}
	}
	if v.In.Version != nil {
		p, err := group.ProtocolOf(*v.In.Version)
		if v.Error != nil {
			check(&reading{Error: v.Error}, p, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		sameTree(t, map[string]any{"name": strings.ToUpper(p.String()), "protocol": p.Name(), "version": p, "toString": p.String()}, v.Out)
		return
	}
	p, err := group.ParseProtocol(*v.In.Text)
	check(v.FromConfig, p, err)
	p, err = group.ProtocolNamed(*v.In.Text)
	check(v.FromGroupProtocol, p, err)
}
