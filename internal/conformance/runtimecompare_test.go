package conformance_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// compare compares everything that was seen with what is expected.
func (w *playWorld) compare() {
	e := w.s.Expect
	for _, want := range e.Responses {
		w.compareResponse(want.Step, want.Status, want.Body)
	}
	w.compareTrace()
	for topic, want := range e.Topics {
		w.compareTopic("topics", topic, want, false)
	}
	for topic, want := range e.ReadCommitted {
		w.compareTopic("readCommitted", topic, want, true)
	}
	for group, want := range e.Committed {
		w.same("committed/"+group, canonical(want), w.committed(group))
	}
	for topic, want := range e.Describe {
		w.same("describe/"+topic, canonical(want), w.describe(topic))
	}
	if w.s.Worker != "" || len(w.order) > 0 {
		w.compareConfig()
		w.compareStatus()
		w.compareOffsets()
	}
	w.compareLogs()
}

// differs fails the test.
func (w *playWorld) differs(at string, want, got any) {
	w.t.Errorf("%s:\n got  %s\n want %s", at, playJSON(got), playJSON(want))
}

func playJSON(v any) string {
	if s, ok := v.(string); ok {
		return shortenTo(s, 3000)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return shortenTo(strings.TrimSpace(b.String()), 3000)
}

func shortenTo(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// canonical returns v as it is after a way through JSON.
func canonical(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		return err.Error()
	}
	return out
}

// equalJSON reports whether two texts are the same JSON: the order of members is the connector's, and Go's maps have none.
func equalJSON(a, b string) bool {
	parse := func(s string) (v any, ok bool) {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		return v, d.Decode(&v) == nil
	}
	x, ok := parse(a)
	y, ok2 := parse(b)
	return a == b || ok && ok2 && reflect.DeepEqual(x, y)
}

var playToken = regexp.MustCompile(`<(?:w\d+|generation|timestamp|now|version or null|task|bootstrap|\d+ times x)>`)

// fits reports whether a text is the expected one, with its placeholders.
func (w *playWorld) fits(want, got string) bool {
	if want == got {
		return true
	}
	pattern, from := "^", 0
	for _, at := range playToken.FindAllStringIndex(want, -1) {
		pattern += regexp.QuoteMeta(want[from:at[0]])
		switch token := want[at[0]+1 : at[1]-1]; {
		case token == "generation":
			pattern += `-?\d+`
		case token == "timestamp", token == "now", token == "task":
			pattern += `\d+`
		case token == "version or null":
			pattern += `(?:"1\.0"|null)`
		case token == "bootstrap":
			pattern += regexp.QuoteMeta(strings.Join(w.brokers, ","))
		case strings.HasSuffix(token, " times x"):
			n, _ := strconv.Atoi(strings.TrimSuffix(token, " times x"))
			return want == "<"+token+">" && got == strings.Repeat("x", n)
		default:
			pattern += regexp.QuoteMeta(token + ":8083")
		}
		from = at[1]
	}
	re, err := regexp.Compile(pattern + regexp.QuoteMeta(want[from:]) + "$")
	return err == nil && re.MatchString(got)
}

// matches reports whether a value is the expected one.
func (w *playWorld) matches(want, got any) bool {
	switch want := want.(type) {
	case string:
		g, ok := got.(string)
		return ok && w.fits(want, g)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(want) {
			return false
		}
		for k, v := range want {
			o, ok := g[k]
			if !ok || !w.matches(v, o) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(want, g, w.matches)
	}
	return reflect.DeepEqual(want, got)
}

func (w *playWorld) same(at string, want, got any) {
	if !w.matches(want, got) {
		w.differs(at, want, got)
	}
}

var (
	frames      = regexp.MustCompile(`(?:^|\n)\t+(?:at [^\n]*|\.\.\. \d+ more)`)
	traceMember = regexp.MustCompile(`"trace":"((?:[^"\\]|\\.)*)"`)
)

// withoutFrames takes the stack frames out of a trace.
func withoutFrames(s string) string { return frames.ReplaceAllString(s, "") }

// withoutFramesIn takes the stack frames out of the traces in a JSON text.
func withoutFramesIn(s string) string {
	return traceMember.ReplaceAllStringFunc(s, func(m string) string {
		var text string
		if err := json.Unmarshal([]byte(m[len(`"trace":`):]), &text); err != nil {
			return m
		}
		return `"trace":` + playJSON2(withoutFrames(text))
	})
}

func playJSON2(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// strip takes stack frames out of all texts of a value.
func strip(v any) any {
	switch v := v.(type) {
	case string:
		return withoutFrames(v)
	case map[string]any:
		for k := range v {
			v[k] = strip(v[k])
		}
	case []any:
		for i := range v {
			v[i] = strip(v[i])
		}
	}
	return v
}

func (w *playWorld) compareResponse(step, status int, body any) {
	got := w.responses[step]
	if got == nil {
		w.t.Errorf("step %d: there is no answer", step)
		return
	}
	if w.s.Steps[step].unsayable() {
		return
	}
	path := w.s.Steps[step].REST.Path
	g := strip(got.body)
	if m, ok := g.(map[string]any); ok {
		if strings.Contains(path, "/restart") {
			sortBy(m["tasks"], "id")
		}
		if strings.HasSuffix(path, "/topics") {
			for _, v := range m {
				if inner, ok := v.(map[string]any); ok {
					sortTexts(inner["topics"])
				}
			}
		}
		if w.s.ErrorsOnly && strings.HasSuffix(path, "/validate") {
			g, body = validationErrors(g), validationErrors(body)
		}
	}
	w.later(step, body, g)
	if got.status != status || !w.matches(body, g) {
		w.t.Errorf("answer to step %d (%s %s):\n got  %d %s\n want %d %s", step, w.s.Steps[step].REST.Method, path, got.status, playJSON(g), status, playJSON(body))
	}
}

// validationErrors returns the errors of a validation by key.
func validationErrors(v any) any {
	m, ok := v.(map[string]any)
	configs, isList := m["configs"].([]any)
	if !ok || !isList {
		return v
	}
	out := make(map[string]any)
	for _, c := range configs {
		info, _ := c.(map[string]any)
		value, _ := info["value"].(map[string]any)
		if errs, ok := value["errors"].([]any); ok && len(errs) > 0 {
			out[fmt.Sprint(value["name"])] = errs
		}
	}
	return out
}

func sortBy(v any, key string) {
	list, _ := v.([]any)
	slices.SortFunc(list, func(a, b any) int {
		x, _ := a.(map[string]any)
		y, _ := b.(map[string]any)
		return strings.Compare(fmt.Sprint(x[key]), fmt.Sprint(y[key]))
	})
}

func sortTexts(v any) {
	list, _ := v.([]any)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// compareTopic compares the records of a topic.
func (w *playWorld) compareTopic(what, topic string, want map[string][]map[string]any, committed bool) {
	got := make(map[string][]map[string]any)
	for _, r := range w.read(topic, committed) {
		n := strconv.Itoa(int(r.Partition))
		got[n] = append(got[n], w.shown(r))
	}
	if w.scattered[topic] {
		want, got = gather(want), gather(got)
	}
	for n := range want {
		if _, ok := got[n]; !ok {
			got[n] = nil
		}
	}
	for _, n := range slices.Sorted(maps.Keys(got)) {
		x, y := want[n], got[n]
		if w.s.SortRecords {
			sortEvents(x)
			sortEvents(y)
		}
		if !slices.EqualFunc(x, y, func(a, b map[string]any) bool { return w.matches(canonical(a), canonical(b)) }) {
			w.differs(fmt.Sprintf("%s/%s/%s", what, topic, n), x, y)
		}
	}
}

// shown returns a record as the expectations have it.
func (w *playWorld) shown(r *kgo.Record) map[string]any {
	m := map[string]any{"timestamp": strconv.FormatInt(r.Timestamp.UnixMilli(), 10)}
	if !w.s.NoOffsets {
		m["offset"] = r.Offset
	}
	put := func(m map[string]any, name string, b []byte) {
		switch {
		case b == nil:
			m[name] = nil
		case utf8.Valid(b):
			m[name+"Text"] = withoutFrames(string(b))
		default:
			m[name] = base64.StdEncoding.EncodeToString(b)
		}
	}
	put(m, "key", r.Key)
	put(m, "value", r.Value)
	var headers []any
	for _, h := range r.Headers {
		one := map[string]any{"name": h.Key}
		put(one, "value", h.Value)
		headers = append(headers, one)
	}
	if headers != nil {
		m["headers"] = headers
	}
	return m
}

// describe returns a topic as the expectations have it: nil if there is none.
func (w *playWorld) describe(topic string) any {
	ctx := context.Background()
	topics, err := w.admin.ListTopics(ctx, topic)
	if err != nil || topics[topic].Err != nil {
		return nil
	}
	config := make(map[string]any)
	configs, err := w.admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return err.Error()
	}
	for _, c := range configs {
		for _, entry := range c.Configs {
			if entry.Source.String() == "DYNAMIC_TOPIC_CONFIG" && entry.Value != nil {
				config[entry.Key] = *entry.Value
			}
		}
	}
	replicas := 0
	for _, p := range topics[topic].Partitions {
		replicas = len(p.Replicas)
	}
	return canonical(map[string]any{"partitions": len(topics[topic].Partitions), "replicationFactor": replicas, "config": config})
}

// about returns the connector that a key of the config or status topic is about.
func (w *playWorld) about(key string, patterns ...string) bool {
	for _, c := range w.s.Connectors {
		for _, p := range patterns {
			if regexp.MustCompile("^" + strings.ReplaceAll(p, "NAME", regexp.QuoteMeta(c)) + "$").MatchString(key) {
				return true
			}
		}
	}
	return false
}

func (w *playWorld) compareConfig() {
	var got []playRecord
	for _, r := range w.read(w.internal("configs"), false) {
		if w.about(string(r.Key), "connector-NAME", `task-NAME-\d+`, "commit-NAME", "target-state-NAME", "restart-connector-NAME", "tasks-fencing-NAME", `tasks-count-NAME`, ".*NAME") {
			got = append(got, playRecord{string(r.Key), textOf(r.Value)})
		}
	}
	want := w.s.Expect.Config
	if !slices.EqualFunc(want, got, func(a, b playRecord) bool { return a.Key == b.Key }) {
		w.differs("config, keys", keysOf(want), keysOf(got))
		return
	}
	for i := range want {
		if !w.sameText(want[i].Value, got[i].Value) {
			w.differs("config/"+want[i].Key, want[i].Value, got[i].Value)
		}
	}
}

func (w *playWorld) sameText(want, got *string) bool {
	if want == nil || got == nil {
		return want == got
	}
	return w.fits(*want, *got)
}

func (w *playWorld) compareStatus() {
	got := make(map[string][]*string)
	for _, r := range w.read(w.internal("status"), false) {
		key := string(r.Key)
		isTopic := strings.HasPrefix(key, "status-topic-")
		if !w.about(key, "status-connector-NAME", `status-task-NAME-\d+`, "status-topic-.*:connector-NAME") {
			continue
		}
		if isTopic && slices.Contains(w.s.Ignore, "commitRecord") {
			continue
		}
		var text *string
		if r.Value != nil {
			s := withoutFramesIn(string(r.Value))
			text = &s
		}
		values := got[key]
		if len(values) > 0 {
			last := values[len(values)-1]
			if text == nil && last == nil || isTopic && text != nil && last != nil {
				continue
			}
		}
		got[key] = append(values, text)
	}
	if len(w.order) > 1 {
		for key, values := range got { // each worker removes what it may have been the last to write
			n := len(values)
			for n > 0 && (values[n-1] == nil || strings.HasPrefix(*values[n-1], `{"state":"UNASSIGNED"`)) {
				n--
			}
			tail := slices.Clone(values[n:])
			slices.SortStableFunc(tail, func(a, b *string) int { return len(deref(b)) - len(deref(a)) })
			got[key] = append(values[:n:n], slices.CompactFunc(tail, func(a, b *string) bool { return a == nil && b == nil })...)
		}
	}
	want := w.s.Expect.Status
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			w.differs("status/"+key, nil, got[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !slices.EqualFunc(want[key], got[key], w.sameText) {
			w.differs("status/"+key, want[key], got[key])
		}
	}
}

func (w *playWorld) compareOffsets() {
	const workers = "<worker offsets topic>"
	topics := map[string]string{workers: w.internal("offsets")}
	for _, topic := range w.s.Capture.OffsetsTopics {
		topics[topic] = topic
	}
	for name, topic := range topics {
		got := make(map[string][]*string)
		for _, r := range w.read(topic, w.s.EOS) {
			var key []any
			if json.Unmarshal(r.Key, &key) != nil || len(key) == 0 || !slices.Contains(w.s.Connectors, fmt.Sprint(key[0])) {
				continue
			}
			k := playJSON(canonical(json.RawMessage(r.Key)))
			if !w.s.Capture.OffsetHistory {
				got[k] = nil
			}
			got[k] = append(got[k], textOf(r.Value))
		}
		want := make(map[string][]*string)
		for key, values := range w.s.Expect.Offsets[name] {
			want[playJSON(canonical(json.RawMessage(key)))] = values
		}
		equal := maps.EqualFunc(want, got, func(a, b []*string) bool {
			return slices.EqualFunc(a, b, func(x, y *string) bool {
				return w.sameText(x, y) || x != nil && y != nil && equalJSON(*x, *y)
			})
		})
		if !equal {
			w.differs("offsets/"+name, want, got)
		}
	}
}

func keysOf(records []playRecord) (keys []string) {
	for _, r := range records {
		keys = append(keys, r.Key)
	}
	return keys
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
