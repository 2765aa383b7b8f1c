package cluster_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sampleText says what a sample shows.
func sampleText(s cluster.Sample) string {
	text := func(p *string) string {
		if p == nil {
			return "null"
		}
		return *p
	}
	line := fmt.Sprintf("%d %s", s.Number, s.Stage)
	switch {
	case s.Error != "":
		return line + " failed: " + s.Error
	case s.Dropped:
		return line + " dropped"
	}
	return line + fmt.Sprintf(" %s %s=%s %v", s.Topic, text(s.Key), text(s.Value), s.Headers)
}

// TestTap: a sink's records before and behind each stage, with what fails and what is dropped, and no secrets.
func TestTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		check := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
			switch r.Value {
			case "bad":
				return nil, connect.DataErrorf("refused by db://user:s3cret-pw@host")
			case "noise":
				return nil, nil
			}
			r.Value = strings.ToUpper(r.Value.(string))
			return r, nil
		})
		var out collector
		rt, stop := start(t, k, cluster.Config{Providers: map[string]connect.ConfigProvider{"vault": vault{}}}, cluster.Sink{
			Name: "out", Connector: connect.SinkFunc(out.put), Topics: []string{"lines"}, Transforms: []connect.Transformation{check},
			Config: connect.Config{
				"errors.tolerance": "all", "password": "${vault:db:pw}",
				"transforms": "route", "transforms.route.type": "RegexRouter", "transforms.route.regex": "lines", "transforms.route.replacement": "rows",
			},
		})
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var got []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			for s, err := range rt.Tap(ctx, "out", cluster.TapOptions{}) {
				if err != nil {
					t.Error(err)
				}
				got = append(got, sampleText(s))
			}
		}()
		synctest.Wait()
		for _, text := range []string{"good", "noise", "bad"} {
			k.Produce(&kgo.Record{Topic: "lines", Key: []byte("k"), Value: []byte(text), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("s3cret-pw")}}})
		}
		<-done
		want := []string{
			"1 consume lines k=good [{h ${vault:db:pw}}]", "1 converters lines k=good [{h ${vault:db:pw}}]", "1 transforms.route rows k=good [{h ${vault:db:pw}}]", "1 Transforms[0] rows k=GOOD [{h ${vault:db:pw}}]",
			"2 consume lines k=noise [{h ${vault:db:pw}}]", "2 converters lines k=noise [{h ${vault:db:pw}}]", "2 transforms.route rows k=noise [{h ${vault:db:pw}}]", "2 Transforms[0] dropped",
			"3 consume lines k=bad [{h ${vault:db:pw}}]", "3 converters lines k=bad [{h ${vault:db:pw}}]", "3 transforms.route rows k=bad [{h ${vault:db:pw}}]", "3 TRANSFORMATION failed: refused by db://user:${vault:db:pw}@host",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("samples:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, err := range rt.Tap(t.Context(), "none", cluster.TapOptions{}) {
			if !errors.Is(err, connect.ErrNotFound) {
				t.Errorf("unknown connector: %v", err)
			}
		}
		// A reader that is slow loses samples, and is told how many; the tasks go on.
		slow, end := context.WithTimeout(t.Context(), time.Minute)
		defer end()
		produced := make(chan struct{})
		go func() {
			defer close(produced)
			time.Sleep(time.Second)
			for range 50 {
				k.Produce(&kgo.Record{Topic: "lines", Value: []byte("more")})
			}
		}()
		lost := int64(0)
		for s := range rt.Tap(slow, "out", cluster.TapOptions{Buffer: 2, PerSecond: 1000}) {
			if lost = s.Lost; lost > 0 {
				break
			}
			time.Sleep(10 * time.Second)
		}
		<-produced
		time.Sleep(time.Minute)
		if lost == 0 || len(out.got()) != 51 {
			t.Errorf("%d samples are lost, %d records were put", lost, len(out.got()))
		}
		stop()
	})
}

// TestTapOfSource: bounds of what is sampled, and the form in which records go to Kafka.
func TestTapOfSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("s", 1)
		rt, stop := start(t, k, cluster.Config{}, cluster.Source{Name: "in", Connector: ticking{}, Topic: "s"})
		ctx, cancel := context.WithTimeout(t.Context(), 9900*time.Millisecond)
		defer cancel()
		var got []string
		for s, err := range rt.Tap(ctx, "in", cluster.TapOptions{Every: 3, PerSecond: 2, MaxText: 8}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, sampleText(s))
		}
		// A batch of ten records each second: four of them are of three each, two are seen.
		if len(got) < 6*6 || len(got) > 6*11 || len(got)%3 != 0 {
			t.Fatalf("%d samples: %q", len(got), got)
		}
		stages := []string{"poll", "Topic", "converters"}
		for i, s := range got {
			if !strings.Contains(s, " "+stages[i%3]+" ") || !strings.Contains(s, "null=tick num… (13 bytes)") {
				t.Errorf("sample %d: %s", i, s)
			}
		}
		stop()
	})
}

// TestTapOverREST: a stream of lines of JSON, which Kafka Connect does not know.
func TestTapOverREST(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("s", 1)
		rt, stop := start(t, k, cluster.Config{}, cluster.Source{Name: "in", Connector: ticking{}, Topic: "s"})
		time.Sleep(time.Minute)
		ask := func(path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			rt.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			return w
		}
		w := ask("/connectors/in/tap?seconds=5&perSecond=1&max=4")
		lines := bufio.NewScanner(w.Body)
		var got []map[string]any
		for lines.Scan() {
			var line map[string]any
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatalf("%s: %v", lines.Bytes(), err)
			}
			got = append(got, line)
		}
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/x-ndjson" || len(got) != 5 {
			t.Fatalf("%d %v %v", w.Code, w.Header(), got)
		}
		if fmt.Sprint(got[0]["watched"]) != "[0]" || got[0]["tasks"].(map[string]any)["0"] == nil {
			t.Errorf("first line %v", got[0])
		}
		if got[3]["stage"] != "converters" || got[3]["topic"] != "s" || got[3]["value"] != "tick number 0" || got[3]["key"] != nil {
			t.Errorf("sample %v", got[3])
		}
		if w := ask("/connectors/none/tap"); w.Code != 404 {
			t.Errorf("unknown connector: %d %s", w.Code, w.Body)
		}
		if w := ask("/connectors/in/tap?seconds=3600"); w.Code != 400 {
			t.Errorf("an hour: %d %s", w.Code, w.Body)
		}
		stop()
	})
	rt, err := cluster.New(cluster.KafkaConnectDefaults(cluster.Config{Brokers: []string{"none:1"}, GroupID: "g"}))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	rt.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/connectors/in/tap", nil))
	if w.Code != 404 {
		t.Errorf("as Kafka Connect: %d %s", w.Code, w.Body)
	}
}

// ticking is a source of ten records each second.
type ticking struct{}

func (ticking) Start(context.Context, connect.ConnectorContext, connect.Config) error { return nil }
func (ticking) Stop(context.Context) error                                            { return nil }
func (ticking) NewTask() connect.SourceTask                                           { return tickTask{} }
func (ticking) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{{}}, nil
}

type tickTask struct{}

func (tickTask) Start(context.Context, connect.SourceTaskContext, connect.Config) error { return nil }
func (tickTask) Stop(context.Context) error                                             { return nil }
func (tickTask) Poll(ctx context.Context) (all []connect.SourceRecord, _ error) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, nil
	}
	for i := range 10 {
		all = append(all, connect.SourceRecord{Record: connect.Record{Value: fmt.Sprint("tick number ", i)}, SourcePartition: connect.Fields{"p": "p"}, SourceOffset: connect.Fields{"n": int64(i)}})
	}
	return all, nil
}
