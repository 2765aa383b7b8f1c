package cluster

import (
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/group"
)

// TestLeaderDistributesWhatItSaid: what is configured after the members said how much they have read waits for the next
// round: a member of Kafka Connect that gets a connector which it has not read fails it for good.
func TestLeaderDistributesWhatItSaid(t *testing.T) {
	rt, err := New(Config{Brokers: []string{"nowhere:1"}, GroupID: "g"})
	if err != nil {
		t.Fatal(err)
	}
	store := configstore.NewMemory(nil)
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	rt.store = store
	for round := range int32(2) {
		protocols, err := rt.member.Protocols(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		offset := store.Snapshot().Offset
		if round == 0 {
			cfg := connect.Config{"connector.class": "FileStreamSink", "topics": "t"}
			if err := store.PutConnector(t.Context(), "late", configstore.TaskProperties(cfg, nil), ""); err != nil {
				t.Fatal(err)
			}
		}
		other, err := (&group.Metadata{Offset: offset}).Encode(group.Sessioned)
		if err != nil {
			t.Fatal(err)
		}
		all, err := rt.member.Assign(t.Context(), Round{
			Generation: round + 1, Leader: "a", Protocol: protocols[0].Name, Members: map[string][]byte{"a": protocols[0].Metadata, "b": other},
		})
		if err != nil {
			t.Fatal(err)
		}
		given := 0
		for _, b := range all {
			a, err := group.DecodeAssignment(b)
			if err != nil {
				t.Fatal(err)
			}
			given += len(a.Assigned.Connectors)
			if a.Offset != offset {
				t.Errorf("round %d: the assignment is of offset %d, want %d", round, a.Offset, offset)
			}
		}
		if given != int(round) {
			t.Errorf("round %d: %d connectors were given, want %d", round, given, round)
		}
	}
}
