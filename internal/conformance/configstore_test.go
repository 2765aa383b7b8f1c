package conformance_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/herder"
)

// TestConfigStore replays records of the config topic, and compares what is written to it, and in which order.
func TestConfigStore(t *testing.T) {
	vec.Run(t, "control/config-store.jsonl", func(t *testing.T, c conformance.Case) {
		if strings.Contains(c.ID, ".put") {
			configStorePut(t, c)
			return
		}
		configStoreRead(t, c)
	})
}

func configStoreRead(t *testing.T, c conformance.Case) {
	var in struct{ StartedAtBegin bool }
	var raw struct {
		Steps []struct {
			Event  string
			Record *struct {
				Offset    int64
				Key       string
				Value     *string
				ValueText *string
			}
			Calls    json.RawMessage
			Snapshot json.RawMessage
			Thrown   *conformance.Error
		}
	}
	unmarshal(t, c.In, &in)
	unmarshal(t, c.Raw, &raw)
	state := configstore.NewState()
	started := in.StartedAtBegin
	for i, step := range raw.Steps {
		if step.Event == "started" {
			started = true
			continue
		}
		r := step.Record
		var value []byte
		switch {
		case r.ValueText != nil:
			value = []byte(*r.ValueText)
		case r.Value != nil:
			var err error
			if value, err = base64.StdEncoding.DecodeString(*r.Value); err != nil {
				t.Fatal(err)
			}
		}
		event, err := state.Apply(r.Offset, r.Key, value)
		var calls []any
		if event != nil && started {
			calls = append(calls, configStoreCall(event))
		}
		sameMembers(t, calls, step.Calls)
		var bad *configstore.BadRecord
		if errors.As(err, &bad) != (err != nil) {
			t.Errorf("error %T %v", err, err)
		}
		if bad == nil || bad.Effect == configstore.Skipped {
			err = nil // which Kafka Connect only logs
		}
		vec.CheckError(t, step.Thrown, err)
		sameMembers(t, configStoreSnapshot(state), step.Snapshot)
		if t.Failed() {
			t.Fatalf("at step %d, key %q value %q", i, r.Key, value)
		}
	}
}

// sameMembers compares two values by their JSON trees, without regard to the order of members.
func sameMembers(t *testing.T, got any, want json.RawMessage) {
	t.Helper()
	if got == nil || isEmptyList(got) {
		got = []any{}
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	canonical := func(raw []byte) string {
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.UseNumber()
		var tree any
		if err := d.Decode(&tree); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		sorted, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		return string(sorted)
	}
	if g, w := canonical(text), canonical(want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

func isEmptyList(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) == 0
}

func taskName(connector string, task int32) string {
	return connector + "-" + strconv.Itoa(int(task))
}

func configStoreCall(e configstore.Event) map[string]any {
	switch e := e.(type) {
	case configstore.ConnectorChanged:
		return map[string]any{"call": "connectorConfigUpdate", "connector": e.Connector}
	case configstore.ConnectorRemoved:
		return map[string]any{"call": "connectorConfigRemove", "connector": e.Connector}
	case configstore.TasksChanged:
		tasks := []string{}
		for _, id := range e.Tasks {
			tasks = append(tasks, taskName(id.Connector, int32(id.Task)))
		}
		return map[string]any{"call": "taskConfigUpdate", "tasks": tasks}
	case configstore.TargetChanged:
		return map[string]any{"call": "targetStateChange", "connector": e.Connector}
	case configstore.SessionKeyChanged:
		return map[string]any{"call": "sessionKeyUpdate", "sessionKey": configStoreKey(&e.Key)}
	case configstore.RestartRequested:
		return map[string]any{"call": "restartRequest", "connector": e.Connector, "onlyFailed": e.OnlyFailed, "includeTasks": e.IncludeTasks}
	case configstore.LoggerLevelChanged:
		return map[string]any{"call": "loggingLevelUpdate", "namespace": e.Namespace, "level": e.Level}
	}
	return map[string]any{"call": "unknown"}
}

func configStoreKey(k *configstore.SessionKey) any {
	if k == nil {
		return nil
	}
	return map[string]any{"key": base64.StdEncoding.EncodeToString(k.Key), "algorithm": k.Algorithm, "creationTimestamp": strconv.FormatInt(k.Created, 10)}
}

func configTree(c configstore.Config) map[string]any {
	tree := map[string]any{}
	for key, v := range c.Values {
		tree[key] = v
		if other, ok := c.Other[key]; ok {
			tree[key] = other
		}
	}
	return tree
}

func configStoreSnapshot(state *configstore.State) map[string]any {
	s := state.Snapshot()
	configs, tasks, taskConfigs, applied, deferred := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for name, k := range s.Connectors {
		config, _ := state.Config(name)
		configs[name] = configTree(config)
		if config, ok := state.Applied(name); ok {
			applied[name] = configTree(config)
		}
		list := []string{}
		for i := range k.Tasks {
			list = append(list, taskName(name, int32(i)))
		}
		tasks[name] = list
		if n := s.TaskCounts[name]; n < 0 && !s.Inconsistent[name] { // Java has no list of so many, we have none
			tasks[name] = map[string]any{"error": map[string]any{"class": "java.lang.IllegalArgumentException", "message": "Illegal Capacity: " + strconv.Itoa(int(n))}}
			if len(k.Tasks) != 0 {
				tasks[name] = k.Tasks
			}
		}
		for task, config := range state.TaskConfigs(name) {
			taskConfigs[taskName(name, task)] = configTree(config)
		}
	}
	for name, ids := range state.Deferred() {
		list := []string{}
		for _, task := range ids {
			list = append(list, taskName(name, task))
		}
		deferred[name] = list
	}
	set := func(m map[string]bool) []string {
		return append([]string{}, slices.Sorted(maps.Keys(m))...)
	}
	return map[string]any{
		"offset": s.Offset, "sessionKey": configStoreKey(s.SessionKey), "connectorConfigs": configs, "targetStates": s.Targets, "taskCounts": s.TaskCounts,
		"tasks": tasks, "taskConfigs": taskConfigs, "appliedConfigs": applied, "generations": s.Generations, "taskCountRecords": s.FencingCounts,
		"pendingFencing": set(s.PendingFencing), "inconsistent": set(s.Inconsistent), "deferred": deferred,
	}
}

// recordedTopic is a config topic that notes what is done to it, and applies each record at once.
type recordedTopic struct {
	state   *configstore.State
	calls   []any
	ops     []any
	offset  int64
	sends   int
	failing int // the number of the send that fails, -1 for none
}

var errNoBroker = errors.New("no broker")

func (f *recordedTopic) send(op map[string]any, r configstore.Record) error {
	op["keyText"], op["valueText"] = r.Key, nil
	if r.Value != nil {
		op["valueText"] = string(r.Value)
	}
	f.ops = append(f.ops, op)
	if f.sends++; f.sends-1 == f.failing {
		op["fails"] = map[string]any{"class": "org.apache.kafka.common.errors.TimeoutException", "message": errNoBroker.Error()}
		return errNoBroker
	}
	event, err := f.state.Apply(f.offset, r.Key, r.Value)
	f.offset++
	if event != nil {
		f.calls = append(f.calls, configStoreCall(event))
	}
	return err
}

func (f *recordedTopic) Send(_ context.Context, records ...configstore.Record) error {
	var errs error
	for _, r := range records {
		errs = errors.Join(errs, f.send(map[string]any{"op": "send"}, r))
	}
	return errs
}

func (f *recordedTopic) ReadToEnd(context.Context) error {
	f.ops = append(f.ops, map[string]any{"op": "readToEnd"})
	return nil
}

func (f *recordedTopic) Transact(_ context.Context, records ...configstore.Record) error {
	f.ops = append(f.ops, map[string]any{"op": "begin"})
	for _, r := range records {
		if err := f.send(map[string]any{"op": "txSend", "topic": "cfg"}, r); err != nil {
			return err
		}
	}
	f.ops = append(f.ops, map[string]any{"op": "commit"})
	return nil
}

func (f *recordedTopic) Close() {
	f.ops = append(f.ops, map[string]any{"op": "close", "timeoutMs": 0})
}

func configStorePut(t *testing.T, c conformance.Case) {
	var in struct {
		ExactlyOnce string
		FailingSend *int
		Note        string
		Operations  []json.RawMessage
	}
	var raw struct{ Ops, Calls, Snapshot json.RawMessage }
	unmarshal(t, c.In, &in)
	unmarshal(t, c.Raw, &raw)
	topic := &recordedTopic{state: configstore.NewState(), failing: -1}
	if in.FailingSend != nil {
		topic.failing = *in.FailingSend
	}
	var claim func(context.Context) (configstore.Transactor, error)
	if in.ExactlyOnce != "disabled" {
		claim = func(context.Context) (configstore.Transactor, error) { return topic, nil }
	}
	w := configstore.NewWriter(topic, claim)
	if !strings.Contains(in.Note, "never claimed") {
		if err := w.Claim(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	for _, op := range in.Operations {
		if err = configStoreOperation(t, w, op); err != nil {
			break
		}
	}
	vec.CheckError(t, c.Error, err)
	sameMembers(t, topic.ops, raw.Ops)
	if raw.Calls != nil {
		sameMembers(t, topic.calls, raw.Calls)
	}
	if raw.Snapshot != nil {
		sameMembers(t, configStoreSnapshot(topic.state), raw.Snapshot)
	}
}

// orderedProperties reads an object in the order of its members; nil for null.
func orderedProperties(t *testing.T, raw json.RawMessage) configstore.Properties {
	t.Helper()
	if len(raw) == 0 || isNull(raw) {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	token := func() json.Token {
		tok, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	p := configstore.Properties{}
	for token(); d.More(); {
		property := configstore.Property{Name: token().(string)}
		if text, ok := token().(string); ok {
			property.Value = &text
		}
		p = append(p, property)
	}
	return p
}

func configStoreOperation(t *testing.T, w *configstore.Writer, raw json.RawMessage) error {
	var op struct {
		PutConnectorConfig, RemoveConnectorConfig, PutTaskConfigs, PutTargetState, PutTaskCountRecord, PutSessionKey, PutRestartRequest, PutLoggerLevel *string

		Config, ConfigHashMap    json.RawMessage
		State                    *string
		Configs                  []json.RawMessage
		Count                    int
		Algorithm                string
		CreationTimestamp        string
		OnlyFailed, IncludeTasks bool
		Level                    *string
	}
	unmarshal(t, raw, &op)
	ctx := t.Context()
	var target herder.Target
	if op.State != nil {
		target = herder.Target(*op.State)
	}
	switch {
	case op.PutConnectorConfig != nil:
		config := orderedProperties(t, op.Config)
		if op.ConfigHashMap != nil {
			m := map[string]*string{} // whose order has to come out again
			for _, p := range orderedProperties(t, op.ConfigHashMap) {
				m[p.Name] = p.Value
			}
			config = configstore.HashOrder(m)
		}
		return w.PutConnector(ctx, *op.PutConnectorConfig, config, target)
	case op.RemoveConnectorConfig != nil:
		return w.DeleteConnector(ctx, *op.RemoveConnectorConfig)
	case op.PutTaskConfigs != nil:
		configs := make([]configstore.Properties, len(op.Configs))
		for i, raw := range op.Configs {
			configs[i] = orderedProperties(t, raw)
		}
		return w.PutTasks(ctx, *op.PutTaskConfigs, configs)
	case op.PutTargetState != nil:
		return w.PutTarget(ctx, *op.PutTargetState, target)
	case op.PutTaskCountRecord != nil:
		return w.PutFencingCount(ctx, *op.PutTaskCountRecord, op.Count)
	case op.PutSessionKey != nil:
		key, err := base64.StdEncoding.DecodeString(*op.PutSessionKey)
		if err != nil {
			t.Fatal(err)
		}
		created, err := strconv.ParseInt(op.CreationTimestamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return w.PutSessionKey(ctx, configstore.SessionKey{Key: key, Algorithm: op.Algorithm, Created: created})
	case op.PutRestartRequest != nil:
		return w.PutRestart(ctx, configstore.RestartRequested{Connector: *op.PutRestartRequest, OnlyFailed: op.OnlyFailed, IncludeTasks: op.IncludeTasks})
	case op.PutLoggerLevel != nil:
		return w.PutLoggerLevel(ctx, *op.PutLoggerLevel, op.Level)
	case strings.Contains(string(raw), "removeTaskConfigs"):
		return connect.ErrIllegalState // we have no such operation, nor has Java any that works
	}
	t.Fatalf("unknown operation %s", raw)
	return nil
}
