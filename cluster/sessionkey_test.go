package cluster_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/rest"
)

// key is a session key as the config topic has it.
type key struct {
	Key       []byte `json:"key"`
	Algorithm string `json:"algorithm"`
	Created   int64  `json:"creation-timestamp"`
}

// sessionKeys returns the keys that were written, in order.
func sessionKeys(t *testing.T, k *kafkatest.Cluster) (keys []key) {
	t.Helper()
	for _, r := range k.Records("test-configs") {
		if string(r.Key) != "session-key" {
			continue
		}
		var one key
		d := json.NewDecoder(bytes.NewReader(r.Value))
		d.DisallowUnknownFields()
		if err := d.Decode(&one); err != nil {
			t.Fatalf("session key %s: %v", r.Value, err)
		}
		keys = append(keys, one)
	}
	return keys
}

// sign returns the headers of a signed request.
func (k key) sign(t *testing.T, body string) []string {
	t.Helper()
	s, err := rest.Sign(k.Key, "HmacSHA256", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return []string{rest.HeaderSignature, base64.StdEncoding.EncodeToString(s.MAC), rest.HeaderAlgorithm, s.Algorithm}
}

// TestSessionKeys: the leader alone writes keys, of the length and algorithm that its configuration asks for, one after
// the other as they expire.
func TestSessionKeys(t *testing.T) {
	for _, tt := range []struct {
		worker    connect.Config
		algorithm string
		length    int
		keys      int // after two instances and 70 s
	}{
		{nil, "HmacSHA256", 32, 1},
		{connect.Config{"inter.worker.key.ttl.ms": "25000"}, "HmacSHA256", 32, 3},
		{connect.Config{"inter.worker.key.ttl.ms": "0"}, "HmacSHA256", 32, 1},
		{connect.Config{"inter.worker.key.generation.algorithm": "hmacsha512"}, "HmacSHA512", 64, 1},
		{connect.Config{"inter.worker.key.generation.algorithm": "HmacMD5"}, "HmacMD5", 64, 1},
		{connect.Config{"inter.worker.key.size": "129"}, "HmacSHA256", 17, 1},
		{connect.Config{"connect.protocol": "compatible"}, "", 0, 0},
		{connect.Config{"connect.protocol": "eager"}, "", 0, 0},
	} {
		t.Run(fmt.Sprint(tt.worker), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				startInstance(t, k, "a", tt.worker)
				startInstance(t, k, "b", tt.worker)
				time.Sleep(70 * time.Second)
				keys := sessionKeys(t, k)
				if len(keys) != tt.keys {
					t.Fatalf("%d keys, want %d", len(keys), tt.keys)
				}
				for i, key := range keys {
					if key.Algorithm != tt.algorithm || len(key.Key) != tt.length {
						t.Errorf("key for %s of %d bytes, want %s of %d", key.Algorithm, len(key.Key), tt.algorithm, tt.length)
					}
					if i > 0 && bytes.Equal(key.Key, keys[i-1].Key) {
						t.Error("the same key twice")
					}
				}
			})
		})
	}
}

// TestSessionKeySurvives: a leader that comes later uses the key that is there, unless it does not suit its configuration;
// one that lives for ever is replaced once.
func TestSessionKeySurvives(t *testing.T) {
	for _, tt := range []struct {
		then connect.Config
		keys int
	}{
		{nil, 1},
		{connect.Config{"inter.worker.key.size": "512"}, 2},
		{connect.Config{"inter.worker.key.generation.algorithm": "HmacSHA384"}, 2},
		{connect.Config{"inter.worker.key.ttl.ms": "0"}, 2},
		{connect.Config{"inter.worker.key.ttl.ms": "5000"}, 3}, // expired, and once more in 9 s
	} {
		t.Run(fmt.Sprint(tt.then), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				first := startInstance(t, k, "a", nil)
				time.Sleep(10 * time.Second)
				if err := first.stop(); err != nil {
					t.Fatal(err)
				}
				startInstance(t, k, "b", tt.then)
				time.Sleep(9 * time.Second)
				if keys := sessionKeys(t, k); len(keys) != tt.keys {
					t.Errorf("%d keys, want %d", len(keys), tt.keys)
				}
			})
		})
	}
}

// TestInternalRequestsAreSigned: a follower gives the task configurations of its connectors to the leader, signed, and the
// leader takes nothing that is not.
func TestInternalRequestsAreSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		p := newPeers()
		read := func(context.Context, connect.Fields) iter.Seq2[connect.SourceRecord, error] {
			return func(func(connect.SourceRecord, error) bool) {}
		}
		declare := func() (all []cluster.Declaration) {
			for i := range 4 {
				all = append(all, cluster.Source{Name: fmt.Sprintf("s %d", i), Connector: connect.SourceFunc(read)})
			}
			return all
		}
		a := p.member(t, k, "a", cluster.Config{}, declare()...) // leads
		time.Sleep(5 * time.Second)
		b := p.member(t, k, "b", cluster.Config{}, declare()...)
		time.Sleep(30 * time.Second)
		for i := range 4 {
			await(t, a.Runtime, fmt.Sprintf("s %d", i), cluster.Running, cluster.Running)
		}
		// The connectors of b get another number of tasks: b has to ask a.
		for i := range 4 {
			name := fmt.Sprintf("s %d", i)
			if err := b.PatchConnector(t.Context(), name, map[string]*string{"some": new("thing")}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(30 * time.Second)
		asked := p.requests("/tasks")
		if len(asked) < 2 || slices.ContainsFunc(asked, func(r string) bool {
			return !strings.HasPrefix(r, "a:8083 POST /connectors/s%20") || !strings.HasSuffix(r, "/tasks 204")
		}) {
			t.Errorf("requests for tasks: %q, want some from b to a", asked)
		}
		if len(p.signed) != 2 {
			t.Errorf("for %d connectors they are signed, want 2", len(p.signed))
		}

		body := "[]"
		right, wrong := sessionKeys(t, k)[0], key{Key: bytes.Repeat([]byte{7}, 32)}
		const path = "/connectors/s%200/tasks"
		for _, tt := range []struct {
			name    string
			headers []string
			body    string
			code    int
			message string
		}{
			{"unsigned", nil, body, 400, "Internal request missing required signature"},
			{"no algorithm", right.sign(t, body)[:2], body, 400, "Internal request missing required signature"},
			{"unknown algorithm", []string{rest.HeaderSignature, "AAAA", rest.HeaderAlgorithm, "none"}, body, 400, "Algorithm none not available"},
			{"algorithm not allowed", []string{rest.HeaderSignature, "AAAA", rest.HeaderAlgorithm, "HmacMD5"}, body, 400,
				"This worker does not support the 'HmacMD5' key signing algorithm used by other workers. This worker is currently configured to use: [HmacSHA256]."},
			{"another key", wrong.sign(t, body), body, 403, "Internal request contained invalid signature."},
			{"another body", right.sign(t, "[{}]"), body, 403, "Internal request contained invalid signature."},
			{"no base64", []string{rest.HeaderSignature, "!", rest.HeaderAlgorithm, "HmacSHA256"}, body, 400, "Illegal base64"},
			{"no connector", right.sign(t, body), body, 404, "Connector none not found"},
			{"right", right.sign(t, body), body, 204, ""},
		} {
			at := path
			if tt.name == "no connector" {
				at = "/connectors/none/tasks"
			}
			if code, answer := a.ask("POST", at, tt.body, tt.headers...); code != tt.code || !strings.Contains(answer, tt.message) {
				t.Errorf("%s: %d %s, want %d %s", tt.name, code, answer, tt.code, tt.message)
			}
		}
		if code, answer := a.ask("PUT", "/connectors/s%200/fence", "", wrong.sign(t, "")...); code != 403 {
			t.Errorf("fence with another key: %d %s", code, answer)
		}
		if err := a.Stop(t.Context(), "s 1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		body = `[{"a":"b"}]`
		if code, answer := a.ask("POST", "/connectors/s%201/tasks", body, right.sign(t, body)...); code != 400 || !strings.Contains(answer, "Cannot submit non-empty set of task configs for stopped connector s 1") {
			t.Errorf("tasks of a connector that is stopped: %d %s", code, answer)
		}
	})
}

// TestInternalRequestBeforeTheKey: a worker that has not read a key yet says so, and does not take the request.
func TestInternalRequestBeforeTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		link := k.NewLink()
		link.Cut()
		i := startConfigured(t, k, "a", cluster.Config{Client: link.ClientOpts()})
		some := key{Key: []byte("some key")}
		if code, answer := i.ask("POST", "/connectors/c/tasks", "[]", some.sign(t, "[]")...); code != 503 || !strings.Contains(answer, "This worker is still starting up and has not been able to read a session key from the config topic yet") {
			t.Errorf("%d %s", code, answer)
		}
	})
}
