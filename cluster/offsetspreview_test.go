package cluster_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
)

// request sends a request to the REST API in memory, and returns status and body.
func request(t *testing.T, rt *cluster.Runtime, method, path, body string) (int, string) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	rt.Handler().ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

func TestPreviewOffsets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("ticks", 1)
		out := new(collector)
		rt, _ := start(t, k, cluster.Config{Offsets: new(offsets.Memory)}, cluster.Source{Name: "c", Connector: ticks()},
			cluster.Sink{Name: "s", Connector: connect.SinkFunc(out.put), Topics: []string{"ticks"}})
		ctx := t.Context()
		await(t, rt, "c", cluster.Running, cluster.Running)
		await(t, rt, "s", cluster.Running, cluster.Running)
		time.Sleep(2 * time.Minute)
		if _, err := rt.PreviewOffsets(ctx, "c"); !errors.Is(err, connect.ErrIllegalState) {
			t.Errorf("preview for a connector that runs: %v, want what the change would say", err)
		}
		for _, name := range []string{"c", "s"} {
			if err := rt.Stop(ctx, name); err != nil {
				t.Fatal(err)
			}
			await(t, rt, name, cluster.Stopped)
		}
		time.Sleep(time.Second) // the tasks end, and commit
		stored, err := rt.Offsets(ctx, "c")
		if err != nil || len(stored) != 1 {
			t.Fatalf("stored offsets: %v, %v", stored, err)
		}
		committed, err := rt.SinkOffsets(ctx, "s")
		tp := connect.TopicPartition{Topic: "ticks"}
		if err != nil || committed[tp] == 0 {
			t.Fatalf("committed offsets: %v, %v", committed, err)
		}

		got, err := rt.PreviewOffsets(ctx, "c", connect.PartitionOffset{Partition: stored[0].Partition, Offset: connect.Fields{"n": 7}},
			connect.PartitionOffset{Partition: connect.Fields{"new": true}, Offset: connect.Fields{"n": 1}})
		want := []cluster.OffsetChange{{Partition: stored[0].Partition, From: stored[0].Offset, To: connect.Fields{"n": int64(7)}},
			{Partition: connect.Fields{"new": true}, To: connect.Fields{"n": int64(1)}}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("preview of a change: %v, %v; want %v", got, err, want)
		}
		got, err = rt.PreviewOffsets(ctx, "c")
		if want := (cluster.OffsetChange{Partition: stored[0].Partition, From: stored[0].Offset}); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("preview of a reset: %v, %v; want %v", got, err, want)
		}
		sink, err := rt.PreviewSinkOffsets(ctx, "s", connect.SinkOffsets{tp: 3})
		if want := (cluster.SinkOffsetChange{Partition: tp, From: committed[tp], To: 3}); err != nil || len(sink) != 1 || sink[0] != want {
			t.Errorf("preview for a sink: %v, %v; want %v", sink, err, want)
		}
		sink, err = rt.PreviewSinkOffsets(ctx, "s", nil)
		if want := (cluster.SinkOffsetChange{Partition: tp, From: committed[tp], To: -1}); err != nil || len(sink) != 1 || sink[0] != want {
			t.Errorf("preview of a reset of a sink: %v, %v; want %v", sink, err, want)
		}
		if _, err := rt.PreviewSinkOffsets(ctx, "s", connect.SinkOffsets{{Topic: "nowhere"}: 1}); err == nil || !strings.Contains(err.Error(), "nowhere-0") {
			t.Errorf("preview for a partition that does not exist: %v, want an error that names it", err)
		}

		if code, body := request(t, rt, http.MethodDelete, "/connectors/s/offsets?dryRun=maybe", ""); code != http.StatusBadRequest || !strings.Contains(body, "maybe") {
			t.Errorf("dryRun=maybe: %d %s", code, body)
		}
		code, body := request(t, rt, http.MethodPatch, "/connectors/s/offsets?dryRun=true",
			`{"offsets":[{"partition":{"kafka_topic":"ticks","kafka_partition":0},"offset":{"kafka_offset":3}}]}`)
		if want := `,"to":{"kafka_offset":3}}]}`; code != http.StatusOK || !strings.HasSuffix(body, want) {
			t.Errorf("PATCH as a dry run: %d %s; want it to end in %s", code, body, want)
		}
		code, body = request(t, rt, http.MethodDelete, "/connectors/c/offsets?dryRun=true", "")
		if code != http.StatusOK || !strings.Contains(body, `"to":null`) {
			t.Errorf("DELETE as a dry run: %d %s", code, body)
		}

		if again, err := rt.Offsets(ctx, "c"); err != nil || !reflect.DeepEqual(again, stored) {
			t.Errorf("after the previews: %v, %v; want %v", again, err, stored)
		}
		if again, err := rt.SinkOffsets(ctx, "s"); err != nil || !reflect.DeepEqual(again, committed) {
			t.Errorf("after the previews: %v, %v; want %v", again, err, committed)
		}
	})
}
