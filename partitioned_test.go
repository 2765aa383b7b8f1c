package connect_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
)

type tenant struct {
	Name  string `json:"name"`
	Shard int    `json:"shard"`
}

type at struct {
	ID int `json:"id"`
}

// source is a database with rows by tenant.
type source struct {
	mu   sync.Mutex
	rows map[tenant]int
	err  error
}

func (s *source) set(t tenant, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = make(map[tenant]int)
	}
	s.rows[t] = rows
}

func (s *source) tenants(context.Context) ([]tenant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.rows)), s.err
}

func (s *source) read(_ context.Context, t tenant, from *at) iter.Seq2[connect.Emit[at], error] {
	return func(yield func(connect.Emit[at], error) bool) {
		s.mu.Lock()
		n := s.rows[t]
		s.mu.Unlock()
		i := 0
		if from != nil {
			i = from.ID
		}
		for i++; i <= n; i++ {
			if !yield(connect.Emit[at]{Record: connect.Record{Value: fmt.Sprint(t.Name, i)}, Offset: at{i}}, nil) {
				return
			}
		}
	}
}

func sorted(records []connect.SourceRecord) string {
	var out []string
	for _, r := range records {
		out = append(out, r.Topic+":"+r.Value.(string))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestPartitioned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(source)
		db.set(tenant{"a", 1}, 2)
		db.set(tenant{"b", 1}, 1)
		db.set(tenant{"c", 2}, 1)
		c := &connect.Partitioned[tenant, at]{Partitions: db.tenants, Read: db.read}
		run := connecttest.RunSource(t, c, connect.Config{"topic": "t", "tasks.max": "2"})
		if got := sorted(run.Take(4)); got != "t:a1 t:a2 t:b1 t:c1" {
			t.Errorf("got %s", got)
		}
		want := []connect.Config{
			{"topic": "t", "partitions": `[{"name":"a","shard":1},{"name":"c","shard":2}]`},
			{"topic": "t", "partitions": `[{"name":"b","shard":1}]`},
		}
		if got := run.AwaitTasks(2); !reflect.DeepEqual(got, want) {
			t.Errorf("got tasks %v, want %v", got, want)
		}
		// A new partition is found by the next look, an old one is read again.
		db.set(tenant{"d", 0}, 1)
		db.set(tenant{"a", 1}, 3)
		time.Sleep(2 * time.Minute)
		if got := sorted(run.Take(2)); got != "t:a3 t:d1" {
			t.Errorf("got %s", got)
		}
		run.Stop()
		db.set(tenant{"b", 1}, 2)
		run.Start()
		if got := sorted(run.Take(1)); got != "t:b2" {
			t.Errorf("got %s after a restart", got)
		}
		for _, o := range run.Offsets.All() {
			if o.Partition["name"] == "a" && o.Offset["id"] != int64(3) {
				t.Errorf("got offset %v", o)
			}
		}
	})
}

func TestPartitionedListingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := new(source)
		db.set(tenant{"a", 1}, 1)
		c := &connect.Partitioned[tenant, at]{Partitions: db.tenants, Read: db.read, Topic: "t", Refresh: time.Second}
		run := connecttest.RunSource(t, c, nil)
		run.Take(1)
		db.mu.Lock()
		db.err = errors.New("down")
		db.mu.Unlock()
		db.set(tenant{"b", 1}, 1)
		time.Sleep(3 * time.Second)
		if err := c.Health(t.Context()); err == nil {
			t.Error("healthy")
		}
		if n := len(run.Pending()); n != 0 {
			t.Errorf("%d records", n)
		}
		db.mu.Lock()
		db.err = nil
		db.mu.Unlock()
		if got := sorted(run.Take(1)); got != "t:b1" {
			t.Errorf("got %s", got)
		}
		if err := c.Health(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestPartitionedFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		fail func() error
		want string
	}{
		{"error", func() error { return errors.New("denied") }, `task 0: poll: partition {"name":"a","shard":1}: denied`},
		{"panic", func() error { panic("oops") }, `partition {"name":"a","shard":1}: panic in reading: oops`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &connect.Partitioned[tenant, at]{
					Partitions: func(context.Context) ([]tenant, error) { return []tenant{{"a", 1}}, nil },
					Read: func(context.Context, tenant, *at) iter.Seq2[connect.Emit[at], error] {
						return func(yield func(connect.Emit[at], error) bool) {
							if yield(connect.Emit[at]{Record: connect.Record{Topic: "t", Value: "x"}}, nil) {
								yield(connect.Emit[at]{}, tt.fail())
							}
						}
					},
				}
				run := connecttest.RunSource(t, c, nil)
				if err := run.AwaitError(); !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				run.Take(1) // what was read before the failure is delivered
			})
		})
	}
}

// A task reads ahead so far and no further, and stops while its readers wait for room.
func TestPartitionedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := 0
		c := &connect.Partitioned[string, int]{
			ReadAhead: 10,
			Read: func(context.Context, string, *int) iter.Seq2[connect.Emit[int], error] {
				return func(yield func(connect.Emit[int], error) bool) {
					for {
						read++
						if !yield(connect.Emit[int]{Record: connect.Record{Topic: "t"}, Offset: read}, nil) {
							return
						}
					}
				}
			},
		}
		task := c.NewTask()
		cfg := connect.Config{"partitions": `[{"value":""}]`}
		if err := task.Start(t.Context(), connecttest.NewSourceContext(t, connect.TaskID{}, cfg, nil), cfg); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			synctest.Wait()
			if want := 10*(i+1) + 1; read != want {
				t.Fatalf("%d records were read, want %d", read, want)
			}
			batch, err := task.Poll(t.Context())
			if len(batch) != 10 || err != nil {
				t.Fatalf("got %d records, %v", len(batch), err)
			}
			if got := batch[9].SourceOffset.Fields()["value"]; got != int64(10*(i+1)) {
				t.Errorf("got offset %v", got)
			}
		}
		if err := task.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

type nested struct {
	Table string
	Pos   struct{ File, Offset int64 }
}

func offsetsOf[C any](t *testing.T, value C) (connect.Fields, *C) {
	t.Helper()
	var seen *C
	c := &connect.Partitioned[struct{}, C]{
		Topic: "t",
		Read: func(_ context.Context, _ struct{}, from *C) iter.Seq2[connect.Emit[C], error] {
			seen = from
			return func(yield func(connect.Emit[C], error) bool) { yield(connect.Emit[C]{Offset: value}, nil) }
		},
	}
	run := connecttest.RunSource(t, c, nil)
	run.Take(1)
	run.Restart()
	run.Take(1)
	run.Stop()
	return run.Offsets.All()[0].Offset, seen
}

func checkOffset[C any](t *testing.T, value C, want connect.Fields) {
	t.Helper()
	fields, back := offsetsOf(t, value)
	if !reflect.DeepEqual(fields, want) {
		t.Errorf("%#v is stored as %#v, want %#v", value, fields, want)
	}
	if back == nil || !reflect.DeepEqual(*back, value) {
		t.Errorf("%#v is read back as %#v", value, back)
	}
}

func TestPartitionedOffsets(t *testing.T) {
	checkOffset(t, int64(5), connect.Fields{"value": int64(5)})
	checkOffset(t, "x", connect.Fields{"value": "x"})
	checkOffset(t, uint64(1<<63), connect.Fields{"value": "9223372036854775808"})
	checkOffset(t, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), connect.Fields{"value": "2026-01-02T03:04:05.000000006Z"})
	checkOffset(t, struct {
		A int8    `json:"a,omitempty"`
		B []byte  `json:"b"`
		C float32 `json:"c"`
		D bool
		E string `json:"-"`
	}{1, []byte{1, 2}, 0.5, true, ""}, connect.Fields{"a": int64(1), "b": "AQI=", "c": 0.5, "D": true})
	checkOffset(t, nested{"x", struct{ File, Offset int64 }{1, 1 << 60}}, connect.Fields{"json": `{"Table":"x","Pos":{"File":1,"Offset":1152921504606846976}}`})
	checkOffset(t, map[string]int{"a": 1}, connect.Fields{"json": `{"a":1}`})
}

// What an older version of a service stored can be read by a newer one.
func TestPartitionedOffsetsEvolve(t *testing.T) {
	type wide struct {
		ID    int64  `json:"id"`
		Added string `json:"added"`
	}
	type deep struct {
		ID   int `json:"id"`
		More []int
	}
	alter := func(c connect.OffsetAlterer, offset connect.Fields) error {
		return c.AlterOffsets(t.Context(), nil, []connect.PartitionOffset{{Partition: connect.Fields{}, Offset: offset}})
	}
	type unit = struct{}
	for _, tt := range []struct {
		c      connect.OffsetAlterer
		offset connect.Fields
		want   string
	}{
		{&connect.Partitioned[unit, wide]{}, connect.Fields{"id": int64(1 << 40), "removed": "x"}, ""},
		{&connect.Partitioned[unit, deep]{}, connect.Fields{"id": int64(1)}, ""},
		{&connect.Partitioned[unit, wide]{}, connect.Fields{"json": `{"id":1}`}, ""},
		{&connect.Partitioned[unit, at]{}, nil, ""},
		{&connect.Partitioned[unit, struct{ ID int8 }]{}, connect.Fields{"ID": int64(300)}, "field ID: 300 does not fit into int8"},
		{&connect.Partitioned[unit, at]{}, connect.Fields{"id": "1"}, "field id: string does not fit into int"},
		{&connect.Partitioned[unit, int]{}, connect.Fields{"id": int64(1)}, "there is no field value"},
		{&connect.Partitioned[unit, uint]{}, connect.Fields{"value": int64(-1)}, "field value: int64 does not fit into uint"},
	} {
		err := alter(tt.c, tt.offset)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%T %v: got %v, want %q", tt.c, tt.offset, err, tt.want)
		}
	}
}

func BenchmarkPartitioned(b *testing.B) {
	c := &connect.Partitioned[string, at]{
		Topic: "t",
		Read: func(context.Context, string, *at) iter.Seq2[connect.Emit[at], error] {
			return func(yield func(connect.Emit[at], error) bool) {
				for i := 0; yield(connect.Emit[at]{Record: connect.Record{ValueSchema: connect.StringSchema}, Offset: at{i}}, nil); i++ {
				}
			}
		},
	}
	task := c.NewTask()
	cfg := connect.Config{"partitions": `[{"value":"a"}]`}
	if err := task.Start(b.Context(), connecttest.NewSourceContext(b, connect.TaskID{}, cfg, nil), cfg); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		records, err := task.Poll(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		n += len(records)
	}
	task.Stop(context.Background())
}
