package cluster

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/group"
	"github.com/gokconnect/connect/internal/herder"
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
	go serveEvents(t, rt)
	for round := range int32(2) {
		protocols, err := rt.member.Protocols(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		offset := store.Snapshot().Offset
		if round == 0 {
			cfg := connect.Config{"connector.class": "FileStreamSink", "topics": "t"}
			if err := store.PutConnector(t.Context(), "late", configstore.TaskProperties(cfg, nil, nil), ""); err != nil {
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

// serveEvents is the loop, as far as members need it.
func serveEvents(t *testing.T, rt *Runtime) {
	for {
		select {
		case f := <-rt.events:
			f()
		case <-t.Context().Done():
			return
		}
	}
}

// TestRoundWaitsForTasksOfAnOldConfiguration: what they read may belong to another task from the round on.
func TestRoundWaitsForTasksOfAnOldConfiguration(t *testing.T) {
	begin := func(t *testing.T) (rt *Runtime, id connect.TaskID, joins chan time.Duration) {
		rt, err := New(Config{Brokers: []string{"nowhere:1"}, GroupID: "g"})
		if err != nil {
			t.Fatal(err)
		}
		store := configstore.NewMemory(func(e configstore.Event) { now := rt.store.Snapshot(); rt.post(func() { rt.look(now) }) })
		if err := store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		rt.store = store
		go serveEvents(t, rt)
		cfg := connect.Config{"connector.class": "FileStreamSource", "topic": "t"}
		put := func(task string) {
			if err := store.PutTasks(t.Context(), "c", []configstore.Properties{configstore.TaskProperties(connect.Config{"task": task}, nil, nil)}); err != nil {
				t.Error(err)
			}
		}
		if err := store.PutConnector(t.Context(), "c", configstore.TaskProperties(cfg, nil, nil), ""); err != nil {
			t.Fatal(err)
		}
		put("old")
		id = connect.TaskID{Connector: "c"}
		all := herder.Assignment{Tasks: []connect.TaskID{id}}
		rt.post(func() { rt.core.Assign(all); rt.core.Reconcile(rt.snapshot) }) // it runs
		put("new")
		rt.post(func() { rt.core.Reconcile(rt.snapshot) }) // and is to stop
		joins = make(chan time.Duration, 1)
		began := time.Now()
		go func() {
			if _, err := rt.member.Protocols(t.Context()); err != nil {
				t.Error(err)
			}
			joins <- time.Since(began)
		}()
		return rt, id, joins
	}
	synctest.Test(t, func(t *testing.T) {
		rt, id, joins := begin(t)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(joins) > 0 {
			t.Fatalf("the instance joined after %v, while the task was stopping", <-joins)
		}
		rt.post(func() {
			rt.core.TaskStopped(id)
			rt.core.Reconcile(rt.snapshot) // it is made anew
			rt.member.released()
		})
		if after := <-joins; after != 3*time.Second {
			t.Errorf("the instance joined after %v, the task stopped after 3s", after)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, _, joins := begin(t)
		if after := <-joins; after != 30*time.Second { // half of rebalance.timeout.ms
			t.Errorf("the instance joined after %v though the task does not stop, want 30s", after)
		}
	})
}
