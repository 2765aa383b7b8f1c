package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/herder"
)

// lockWrites waits for the turn to look at what is configured and write: one at a time on an instance.
func (rt *Runtime) lockWrites(ctx context.Context) (unlock func(), err error) {
	select {
	case rt.writes <- struct{}{}:
		return func() { <-rt.writes }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// write calls f, which writes, with what is configured for a connector; [connect.ErrNotFound] if it is not.
func (rt *Runtime) write(ctx context.Context, name string, f func(*herder.Connector) error) error {
	if err := rt.do(ctx, func() error { return nil }); err != nil {
		return err // it has not started, or has stopped
	}
	unlock, err := rt.lockWrites(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	k := rt.store.Snapshot().Connectors[name]
	if k == nil {
		return notFound(name)
	}
	return f(k)
}

// refreshed returns when the loop has taken note of all that is stored, within worker.sync.timeout.ms.
func (rt *Runtime) refreshed(ctx context.Context) error {
	if err := rt.do(ctx, func() error { return nil }); err != nil {
		return err // it has not started, or has stopped
	}
	ctx, cancel := context.WithTimeout(ctx, rt.settings.SyncTimeout)
	defer cancel()
	if err := rt.store.Refresh(ctx); err != nil { // every event was handed to the loop before it returned
		return fmt.Errorf("what is configured could not be read to its end: %w", err)
	}
	return nil
}

// checkDeclared checks the configurations of declared connectors.
func (rt *Runtime) checkDeclared(ctx context.Context, all []*declared) error {
	for _, d := range all {
		if err := rt.check(ctx, d.config); err != nil {
			return fmt.Errorf("declared connector %q: %w", d.name, err)
		}
	}
	return nil
}

// putDeclared makes declared connectors part of what is configured: once, and only where they differ, so that instances
// with other declarations don't undo each other's for ever.
func (rt *Runtime) putDeclared(ctx context.Context, all []*declared) error {
	all = slices.Clone(all)
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	for _, d := range all {
		if _, err := rt.putConfig(ctx, d.name, configstore.HashOrder(pointers(d.config)), "", false); err != nil {
			return fmt.Errorf("declared connector %q: %w", d.name, err)
		}
	}
	return nil
}

// putConfig writes a configuration, unless it is what is configured already: then nothing restarts. A connector that is
// there keeps its target, and a new one without a target is started.
func (rt *Runtime) putConfig(ctx context.Context, name string, cfg configstore.Properties, target herder.Target, create bool) (created bool, err error) {
	unlock, err := rt.lockWrites(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	k := rt.store.Snapshot().Connectors[name]
	if k != nil && create {
		return false, alreadyExists(name)
	}
	if k != nil && herder.SameConfig(k.Config, byName(cfg)) && !rt.cfg.javaDefaults {
		return false, nil
	}
	return k == nil, rt.store.PutConnector(ctx, name, cfg, target)
}

func byName(cfg configstore.Properties) map[string]*string {
	all := make(map[string]*string, len(cfg))
	for _, p := range cfg {
		all[p.Name] = p.Value
	}
	return all
}

func pointers(cfg connect.Config) map[string]*string {
	out := make(map[string]*string, len(cfg))
	for k, v := range cfg {
		out[k] = &v
	}
	return out
}

// PutConnector creates a connector, or gives it another configuration. cfg names a plugin by connector.class. A
// configuration that is not valid is refused with an error that names every key that is wrong, and changes nothing. One
// that is the same as before restarts nothing.
func (rt *Runtime) PutConnector(ctx context.Context, name string, cfg connect.Config) error {
	return rt.putNamed(ctx, name, cfg, false)
}

// CreateConnector is [Runtime.PutConnector] for a connector that must not be there yet: else it fails with
// [connect.ErrAlreadyExists].
func (rt *Runtime) CreateConnector(ctx context.Context, name string, cfg connect.Config) error {
	return rt.putNamed(ctx, name, cfg, true)
}

func (rt *Runtime) putNamed(ctx context.Context, name string, cfg connect.Config, create bool) error {
	cfg = maps.Clone(cfg)
	if cfg == nil {
		cfg = connect.Config{}
	}
	if given, ok := cfg["name"]; ok && given != name {
		return connect.ConfigErrorf("name", "Connector name configuration (%s) doesn't match connector name in the URL (%s)", given, name)
	}
	cfg["name"] = name
	if err := rt.check(ctx, cfg); err != nil {
		return fmt.Errorf("connector %q: %w", name, err)
	}
	if err := rt.do(ctx, func() error { return nil }); err != nil {
		return err // it has not started, or has stopped
	}
	_, err := rt.putConfig(ctx, name, configstore.HashOrder(pointers(cfg)), "", create)
	return err
}

// PatchConnector changes single keys of a connector's configuration; a nil value removes the key.
func (rt *Runtime) PatchConnector(ctx context.Context, name string, changes map[string]*string) error {
	cfg, err := rt.Connector(ctx, name)
	if err != nil {
		return err
	}
	for k, v := range changes {
		if v == nil {
			delete(cfg, k)
		} else {
			cfg[k] = *v
		}
	}
	return rt.PutConnector(ctx, name, cfg)
}

// DeleteConnector stops a connector and forgets it. Its offsets stay.
func (rt *Runtime) DeleteConnector(ctx context.Context, name string) error {
	return rt.write(ctx, name, func(*herder.Connector) error { return rt.store.DeleteConnector(ctx, name) })
}

// Remove is [Runtime.DeleteConnector] for a connector that was declared with [Runtime.Add].
func (rt *Runtime) Remove(ctx context.Context, name string) error {
	err := rt.DeleteConnector(ctx, name)
	if err == nil {
		rt.mu.Lock()
		delete(rt.declared, name)
		rt.mu.Unlock()
	}
	return err
}

// Pause pauses a connector and its tasks where they are. It returns at once.
func (rt *Runtime) Pause(ctx context.Context, name string) error {
	return rt.write(ctx, name, func(*herder.Connector) error { return rt.store.PutTarget(ctx, name, herder.Paused) })
}

// Resume starts a connector that is paused or stopped. It returns at once.
func (rt *Runtime) Resume(ctx context.Context, name string) error {
	return rt.write(ctx, name, func(*herder.Connector) error { return rt.store.PutTarget(ctx, name, herder.Started) })
}

// Stop stops a connector and gives up its tasks; its configuration and offsets stay. It returns at once.
func (rt *Runtime) Stop(ctx context.Context, name string) error {
	return rt.write(ctx, name, func(*herder.Connector) error {
		// In this order, so that no instance starts tasks of a connector that is stopped.
		if err := rt.store.PutTasks(ctx, name, nil); err != nil {
			return err
		}
		return rt.store.PutTarget(ctx, name, herder.Stopped)
	})
}
