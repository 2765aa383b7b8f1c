package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/herder"
	"github.com/gokconnect/connect/internal/logging"
	"github.com/gokconnect/connect/internal/rest"
)

// TestHerder runs what the leader and the workers decide by.
func TestHerder(t *testing.T) {
	checks := map[string]func(*testing.T, conformance.Case){
		"restart-plan": restartPlan, "restart-order": restartOrder, "task-configs-changed": taskConfigsChanged, "patch-config": patchConfig,
		"task-id": taskID, "signature": signRequest, "verify": verifyRequest, "log-context": logContext,
	}
	ran := 0
	conformance.Run(t, "control/herder.jsonl", func(t *testing.T, c conformance.Case) {
		if check := checks[strings.Split(strings.TrimPrefix(c.ID, "control.herder."), ".")[0]]; check != nil {
			ran++
			check(t, c)
		}
	})
	t.Logf("%d cases run", ran)
}

func restartPlan(t *testing.T, c conformance.Case) {
	var in struct {
		ConnectorStatus          *string
		TaskStatuses             []string
		OnlyFailed, IncludeTasks bool
	}
	unmarshal(t, c.In, &in)
	if in.ConnectorStatus == nil {
		if !isNull(c.Out) {
			t.Error("a plan without a status of the connector")
		}
		return
	}
	var out struct {
		RestartConnector, RestartTasks   bool
		Tasks                            []string
		RestartTaskCount, TotalTaskCount int
		Text                             string
		StateInfo                        struct {
			Connector struct{ State string }
			Tasks     []struct {
				ID    int
				State string
			}
		}
	}
	unmarshal(t, c.Out, &out)
	states := map[int]string{}
	for i, s := range in.TaskStatuses {
		states[i] = s
	}
	p := herder.PlanRestart(herder.RestartRequest{Connector: "c", OnlyFailed: in.OnlyFailed, IncludeTasks: in.IncludeTasks}, *in.ConnectorStatus, states)
	tasks := []string{}
	for _, id := range p.Tasks {
		tasks = append(tasks, id.String())
		states[id.Task] = "RESTARTING"
	}
	slices.Sort(out.Tasks)
	if p.Connector != out.RestartConnector || (len(tasks) > 0) != out.RestartTasks || !slices.Equal(tasks, out.Tasks) || len(tasks) != out.RestartTaskCount ||
		p.Total != out.TotalTaskCount || p.String() != out.Text {
		t.Errorf("%+v\n%s\nwant %+v", p, p, out)
	}
	state := *in.ConnectorStatus
	if p.Connector {
		state = "RESTARTING"
	}
	wantStates := map[int]string{}
	for _, task := range out.StateInfo.Tasks {
		wantStates[task.ID] = task.State
	}
	if state != out.StateInfo.Connector.State || !maps.Equal(states, wantStates) {
		t.Errorf("states %s %v, want %+v", state, states, out.StateInfo)
	}
}

func restartOrder(t *testing.T, c conformance.Case) {
	var in []herder.RestartRequest
	var out struct {
		Sign                      int
		Text                      string
		ForceRestartConnectorOnly bool
	}
	unmarshal(t, c.In, &in)
	unmarshal(t, c.Out, &out)
	if sign := in[0].Compare(in[1]); sign != out.Sign || in[0].String() != out.Text || in[0].ConnectorOnly() != out.ForceRestartConnectorOnly {
		t.Errorf("%d %s %t", sign, in[0], in[0].ConnectorOnly())
	}
}

// taskConfigsChanged compares with what a config topic holds.
func taskConfigsChanged(t *testing.T, c conformance.Case) {
	var in struct {
		ConnectorConfig, AppliedConnectorConfig json.RawMessage
		TaskCount                               int // none is 0: a connector with configurations applied has a count here
		TaskConfigs                             []json.RawMessage
		NewTaskConfigs                          []connect.Config
	}
	unmarshal(t, c.In, &in)
	state := configstore.NewState()
	offset := int64(0)
	apply := func(key, field string, value json.RawMessage) {
		if _, err := state.Apply(offset, key, []byte(`{"`+field+`":`+string(value)+`}`)); err != nil {
			t.Fatal(err)
		}
		offset++
	}
	apply("connector-c", "properties", in.AppliedConnectorConfig)
	for i, config := range in.TaskConfigs {
		apply("task-"+taskName("c", int32(i)), "properties", config)
	}
	apply("commit-c", "tasks", json.RawMessage(strconv.Itoa(in.TaskCount)))
	apply("connector-c", "properties", in.ConnectorConfig)
	if got := herder.TasksChanged(state.Snapshot().Connectors["c"], in.NewTaskConfigs); strconv.FormatBool(got) != string(c.Out) {
		t.Errorf("changed: %t, want %s", got, c.Out)
	}
}

func patchConfig(t *testing.T, c conformance.Case) {
	var in struct{ Config, Patch map[string]*string }
	unmarshal(t, c.In, &in)
	before := maps.Clone(in.Config)
	sameMembers(t, herder.Patch(in.Config, in.Patch), c.Out)
	if !herder.SameConfig(before, in.Config) {
		t.Error("the configuration itself was changed")
	}
}

func taskID(t *testing.T, c conformance.Case) {
	if !strings.HasSuffix(c.ID, ".sort") {
		var id connect.TaskID
		unmarshal(t, c.In, &id)
		sameMembers(t, id.String(), c.Out)
		return
	}
	var names []string
	unmarshal(t, c.In, &names)
	var ids []connect.TaskID
	for _, name := range names {
		ids = append(ids, taskOf(t, name))
	}
	slices.SortFunc(ids, herder.CompareTasks)
	names = names[:0]
	for _, id := range ids {
		names = append(names, id.String())
	}
	sameMembers(t, names, c.Out)
}

func decodeBase64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signRequest(t *testing.T, c conformance.Case) {
	var in struct{ Key, Algorithm, BodyText string }
	unmarshal(t, c.In, &in)
	s, err := rest.Sign(decodeBase64(t, in.Key), in.Algorithm, []byte(in.BodyText))
	vec.CheckError(t, c.Error, err)
	if err != nil {
		return
	}
	h := http.Header{}
	s.Set(h)
	got := map[string]string{}
	for name := range h {
		got[name] = h.Get(name)
	}
	sameMembers(t, got, c.Out)
}

func verifyRequest(t *testing.T, c conformance.Case) {
	var in map[string]*string
	unmarshal(t, c.In, &in)
	h := http.Header{}
	for _, name := range []string{rest.HeaderAlgorithm, rest.HeaderSignature} {
		if v := in[name]; v != nil {
			h.Set(name, *v)
		}
	}
	s, err := rest.ReadSignature(h)
	vec.CheckError(t, c.Error, err)
	if err != nil {
		return
	}
	if s == nil {
		if !isNull(c.Out) {
			t.Errorf("no signature, want %s", c.Out)
		}
		return
	}
	sameMembers(t, map[string]any{"keyAlgorithm": s.Algorithm, "valid": s.Valid(decodeBase64(t, *in["key"]), []byte(*in["bodyText"]))}, c.Out)
}

func logContext(t *testing.T, c conformance.Case) {
	var in struct {
		Connector string
		Task      *int
		Offsets   bool
	}
	unmarshal(t, c.In, &in)
	got := logging.ConnectorContext(in.Connector)
	if in.Task != nil {
		got = logging.TaskContext(connect.TaskID{Connector: in.Connector, Task: *in.Task}, in.Offsets)
	}
	sameMembers(t, got, c.Out)
}
