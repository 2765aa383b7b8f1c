package cluster

import (
	"slices"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
)

// reasons is a Coordinator that keeps why another round was asked for.
type reasons struct {
	Coordinator
	all []string
}

func (r *reasons) Rejoin(reason string) { r.all = append(r.all, reason) }

// TestCreatedWithAChange: a connector is new to the loop when it hears of it, though the store had read it while the loop
// was still busy with the change of another one: else nobody would get it.
func TestCreatedWithAChange(t *testing.T) {
	rt, err := New(Config{Brokers: []string{"nowhere:1"}, GroupID: "g"})
	if err != nil {
		t.Fatal(err)
	}
	var asked reasons
	rt.coordinator = &asked
	store := configstore.NewMemory(rt.onConfigured)
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	rt.store = store
	written := make(chan error)
	go func() {
		for _, c := range []struct{ name, version string }{{"old", "0"}, {"old", "1"}, {"new", "0"}} {
			cfg := connect.Config{"connector.class": "FileStreamSource", "version": c.version}
			written <- store.PutConnector(t.Context(), c.name, configstore.TaskProperties(cfg, nil, nil), "")
		}
	}()
	next := func() func() {
		f := <-rt.events
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		return f
	}
	next()()
	changed := next()
	created := next()
	changed()
	created()
	if want := []string{"connector old was created", "connector new was created"}; !slices.Equal(asked.all, want) {
		t.Errorf("rounds were asked for because %q, want because %q", asked.all, want)
	}
}
