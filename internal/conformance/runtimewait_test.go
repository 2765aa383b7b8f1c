package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/gokconnect/connect/internal/conformance/probe"
	"github.com/twmb/franz-go/pkg/kgo"
)

// until waits until ok, and fails the test if that takes too long.
func (w *playWorld) until(what string, timeout, every time.Duration, ok func() bool) bool {
	for end := time.Now().Add(timeout); ; <-time.After(every) {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			w.t.Errorf("%s: not within %v", what, timeout)
			return false
		}
	}
}

// wait plays a wait step.
func (w *playWorld) wait(i int, s *playStep) {
	timeout := 30 * time.Second
	if ms := max(s.Timeout, s.Wait.Timeout); ms > 0 {
		timeout = time.Duration(ms) * time.Millisecond
	}
	every := 20 * time.Millisecond
	var ok func() bool
	switch {
	case s.Wait.Trace != nil:
		every, ok = 5*time.Millisecond, func() bool { return w.traced(s.Wait) }
	case s.Wait.Status != nil:
		ok = func() bool { return w.hasStatus(s.Wait) }
	case s.Wait.Gone != nil:
		ok = func() bool {
			return w.send(w.worker(""), http.MethodGet, "/connectors/"+*s.Wait.Gone+"/status", nil).status == http.StatusNotFound
		}
	case s.Wait.Topic != nil:
		every, ok = 100*time.Millisecond, func() bool {
			return len(w.read(s.Wait.Topic.Name, s.Wait.Topic.Committed)) >= s.Wait.Topic.Count
		}
	case s.Wait.Committed != nil:
		every, ok = 50*time.Millisecond, func() bool {
			return reflect.DeepEqual(w.committed(s.Wait.Committed.Group), canonical(s.Wait.Committed.Offsets))
		}
	case s.Wait.Config != nil:
		every, ok = 50*time.Millisecond, func() bool {
			return w.keyed("configs", s.Wait.Config.Key, s.Wait.Config.Has) >= max(1, s.Wait.Config.Count)
		}
	case s.Wait.StatusTopic != nil:
		every, ok = 50*time.Millisecond, func() bool {
			return w.keyed("status", s.Wait.StatusTopic.Key, s.Wait.StatusTopic.Has) >= max(1, s.Wait.StatusTopic.Count)
		}
	case s.Wait.Offset != nil:
		every, ok = 50*time.Millisecond, func() bool { return w.hasOffset(s.Wait) }
	case s.Wait.Group != nil:
		every, ok = 50*time.Millisecond, func() bool { return w.hasMembers(s.Wait) }
	default:
		w.t.Errorf("step %d waits for nothing that the runner knows", i)
		return
	}
	timeout *= w.patience
	if every > 20*time.Millisecond {
		every = max(every, w.pace)
	}
	what, err := json.Marshal(s.Wait)
	if err != nil {
		w.t.Error(err)
	}
	ended := w.until(fmt.Sprintf("step %d, wait %s", i, strings.ReplaceAll(string(what), `null,`, "")), timeout, every, ok)
	if ended && s.Wait.Gone != nil {
		<-time.After(300 * time.Millisecond) // Kafka Connect answers so when the tasks have stopped
	}
}

// label is what an instance is called in the expectations.
func (w *playWorld) label(e probe.Traced) string {
	label := e.Instance
	if len(w.s.Connectors) > 1 {
		label = e.Connector + "/" + label
	}
	if e.Process != "" {
		label = e.Process + "/" + label
	}
	return label
}

func (w *playWorld) traced(s *playWait) bool {
	n := 0
	w.trace.Each(func(e probe.Traced) {
		c := s.Trace
		if e.Event["m"] != c.M || c.Connector != "" && c.Connector != e.Connector || c.Has != "" && !strings.Contains(e.Event.JSON(), c.Has) {
			return
		}
		if c.Inst != "" && c.Inst != e.Instance && c.Inst != w.label(e) {
			return
		}
		n++
	})
	return n >= max(1, s.Trace.Count)
}

func (w *playWorld) hasStatus(s *playWait) bool {
	r := w.send(w.worker(s.Status.Worker), http.MethodGet, "/connectors/"+s.Status.Name+"/status", nil)
	if r.status != http.StatusOK {
		return false
	}
	var got struct {
		Connector struct{ State string }
		Tasks     []struct{ State string }
	}
	if err := json.Unmarshal([]byte(r.raw), &got); err != nil {
		return false
	}
	if s.Status.Connector != "" && s.Status.Connector != got.Connector.State {
		return false
	}
	if s.Status.Tasks == nil {
		return true
	}
	if len(got.Tasks) != len(*s.Status.Tasks) {
		return false
	}
	for i, want := range *s.Status.Tasks {
		if want != got.Tasks[i].State {
			return false
		}
	}
	return true
}

// keyed returns how many records of an internal topic have the key, and the text in their value.
func (w *playWorld) keyed(topic, key, has string) (n int) {
	for _, r := range w.read(w.internal(topic), false) {
		if string(r.Key) == key && strings.Contains(string(r.Value), has) {
			n++
		}
	}
	return n
}

// internal returns the name of a topic of the workers: configs, offsets or status.
func (w *playWorld) internal(name string) string {
	return w.group + "-" + name
}

func (w *playWorld) hasOffset(s *playWait) bool {
	topic := s.Offset.Topic
	if topic == "" {
		topic = w.internal("offsets")
	}
	found, last := false, (*string)(nil)
	for _, r := range w.read(topic, w.s.EOS) {
		if equalJSON(string(r.Key), s.Offset.Key) {
			found, last = true, textOf(r.Value)
		}
	}
	switch {
	case !found:
		return false
	case last == nil || s.Offset.Value == nil:
		return last == nil && s.Offset.Value == nil
	}
	return equalJSON(*last, *s.Offset.Value)
}

func textOf(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

func (w *playWorld) hasMembers(s *playWait) bool {
	name := s.Group.Name
	if name == "" {
		name = s.Group.Group
	}
	groups, err := w.admin.DescribeGroups(context.Background(), name)
	if err != nil {
		return false
	}
	g := groups[name]
	return len(g.Members) == s.Group.Members && (s.Group.State == "" && g.State == "Stable" || s.Group.State == g.State)
}

// committed returns the committed offsets of a group, as the expectations have them.
func (w *playWorld) committed(group string) any {
	out := make(map[string]any)
	got, err := w.admin.FetchOffsets(context.Background(), group)
	if err != nil {
		return out
	}
	for topic, partitions := range got {
		for n, o := range partitions {
			if o.Err == nil && o.At >= 0 {
				out[fmt.Sprintf("%s-%d", topic, n)] = o.At
			}
		}
	}
	return canonical(out)
}

// read returns the records of a topic, by partition and offset.
func (w *playWorld) read(topic string, committed bool) []*kgo.Record {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	starts, err := w.admin.ListStartOffsets(ctx, topic)
	if err != nil || starts[topic] == nil {
		return nil
	}
	list := w.admin.ListEndOffsets
	level := kgo.ReadUncommitted()
	if committed {
		list, level = w.admin.ListCommittedOffsets, kgo.ReadCommitted()
	}
	ends, err := list(ctx, topic)
	if err != nil {
		return nil
	}
	left := make(map[int32]int64)
	at := make(map[int32]kgo.Offset)
	for n, end := range ends[topic] {
		if end.Err == nil && end.Offset > starts[topic][n].Offset {
			left[n] = end.Offset
			at[n] = kgo.NewOffset().At(starts[topic][n].Offset)
		}
	}
	if len(left) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(append(w.link().opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}),
		kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(), kgo.FetchMaxWait(50*time.Millisecond))...)
	if err != nil {
		return nil
	}
	defer cl.Close()
	byPartition := make(map[int32][]*kgo.Record)
	for len(left) > 0 && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				byPartition[r.Partition] = append(byPartition[r.Partition], r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	var all []*kgo.Record
	for n := int32(0); n < int32(len(ends[topic])); n++ {
		all = append(all, byPartition[n]...)
	}
	return all
}
