// Package offsetstest tests whether an implementation of [offsets.Store] keeps to the contract. A test runs it in one
// line; each of its cases is one sentence of the contract.
package offsetstest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/offsets"
)

// Backend is what a [Suite] needs for one case: a place to keep offsets in that is empty at first.
type Backend struct {
	// Open returns another store on the same place, not started. The suite starts and closes it. It may return the same
	// store again if Durable and Shared are false.
	Open func() offsets.Store
	// Durable says that offsets outlive the store.
	Durable bool
	// Shared says that several stores may use the place at once.
	Shared bool
}

// Suite runs the cases.
type Suite struct {
	// New returns the backend of one case. What it needs to clean up it leaves to t.Cleanup.
	New func(t *testing.T) Backend
	// Around runs a case, for example in a synctest bubble. Nil runs it as it is.
	Around func(t *testing.T, run func(t *testing.T))
}

// Run tests the stores that newBackend makes, a new one for each case.
func Run(t *testing.T, newBackend func(t *testing.T) Backend) {
	t.Helper()
	Suite{New: newBackend}.Run(t)
}

// Run runs the cases as subtests.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			run := func(t *testing.T) {
				e := &env{T: t, Backend: s.New(t), rule: c.rule}
				if c.durable && !e.Durable || c.shared && !e.Shared {
					return // the place does not promise that
				}
				c.run(e, e.open())
			}
			if s.Around != nil {
				s.Around(t, run)
			} else {
				run(t)
			}
		})
	}
}

type testCase struct {
	name, rule      string
	durable, shared bool // what the place must promise for the case to apply
	run             func(e *env, s offsets.Store)
}

// env is one case under way.
type env struct {
	*testing.T
	Backend
	rule string
}

func (e *env) fail(format string, args ...any) {
	e.Helper()
	e.Errorf("%s\nthe contract says: %s", fmt.Sprintf(format, args...), e.rule)
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatalf("%v\nthe contract says: %s", err, e.rule)
	}
}

func (e *env) open() offsets.Store {
	e.Helper()
	s := e.Open()
	e.must(offsets.Start(e.Context(), s))
	e.Cleanup(func() {
		if err := offsets.Close(s); err != nil {
			e.Errorf("closing: %v", err)
		}
	})
	return s
}

func (e *env) set(s offsets.Store, connector string, entries ...connect.PartitionOffset) {
	e.Helper()
	e.must(s.Set(e.Context(), connector, entries))
}

func (e *env) get(s offsets.Store, connector string, partition connect.Fields) connect.Fields {
	e.Helper()
	found, err := s.Get(e.Context(), connector, []connect.Fields{partition})
	e.must(err)
	if len(found) != 1 {
		e.Fatalf("Get of one partition returned %d offsets", len(found))
	}
	return found[0]
}

func (e *env) want(s offsets.Store, connector string, partition, offset connect.Fields) {
	e.Helper()
	if got := e.get(s, connector, partition); !reflect.DeepEqual(got, offset) {
		e.fail("the offset of %v of connector %s is %#v, want %#v", partition, connector, got, offset)
	}
}

// wantList checks what List returns, in any order.
func (e *env) wantList(s offsets.Store, connector string, want ...connect.PartitionOffset) {
	e.Helper()
	got, err := s.List(e.Context(), connector)
	e.must(err)
	a, b := texts(got), texts(want)
	if !slices.Equal(a, b) {
		e.fail("List of connector %s returns %s, want %s", connector, a, b)
	}
}

func texts(list []connect.PartitionOffset) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, fmt.Sprintf("%#v at %#v", e.Partition, e.Offset))
	}
	slices.Sort(out)
	return out
}

type (
	fields = connect.Fields
	entry  = connect.PartitionOffset
)

func pair(partition, offset fields) entry { return entry{Partition: partition, Offset: offset} }

func at(n int64) fields { return fields{"at": n} }

func part(name string) fields { return fields{"name": name} }

var cases = []testCase{
	{name: "set-then-get", rule: "an offset that Set stored is what Get and List return once Set has returned nil", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(part("a"), at(1)), pair(part("b"), at(2)))
		e.want(s, "c", part("a"), at(1))
		e.set(s, "c", pair(part("a"), at(3)))
		e.want(s, "c", part("a"), at(3))
		e.wantList(s, "c", pair(part("a"), at(3)), pair(part("b"), at(2)))
	}},
	{name: "other-instances", rule: "on every instance of the service that uses the same store", shared: true, run: func(e *env, s offsets.Store) {
		other := e.open()
		e.set(s, "c", pair(part("a"), at(1)))
		e.want(other, "c", part("a"), at(1))
		e.set(other, "c", pair(part("a"), nil), pair(part("b"), at(2)))
		e.wantList(s, "c", pair(part("b"), at(2)))
	}},
	{name: "durable", rule: "an offset that Set stored is there after a restart", durable: true, run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(part("a"), at(1)), pair(part("b"), at(2)), pair(nil, at(3)), pair(fields{}, fields{}))
		e.set(s, "c", pair(part("b"), nil))
		e.set(s, "d", pair(part("a"), at(4)))
		e.must(offsets.Close(s))
		s = e.open()
		e.want(s, "c", part("a"), at(1))
		e.want(s, "c", part("b"), nil)
		e.want(s, "c", nil, at(3))
		e.want(s, "c", fields{}, fields{})
		e.want(s, "d", part("a"), at(4))
	}},
	{name: "get-in-order", rule: "Get returns element i for partitions[i], and nil for a partition that has no offset", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(part("a"), at(1)), pair(part("b"), at(2)))
		got, err := s.Get(e.Context(), "c", []fields{part("b"), part("none"), part("a"), part("b")})
		e.must(err)
		if want := []fields{at(2), nil, at(1), at(2)}; !reflect.DeepEqual(got, want) {
			e.fail("Get returned %v, want %v", got, want)
		}
		got, err = s.Get(e.Context(), "c", nil)
		e.must(err)
		if len(got) != 0 {
			e.fail("Get of no partitions returned %v", got)
		}
	}},
	{name: "empty-offset", rule: "an offset without fields is an offset: it comes back as one that is not nil", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(part("a"), fields{}))
		e.want(s, "c", part("a"), fields{})
		e.wantList(s, "c", pair(part("a"), fields{}))
	}},
	{name: "types", rule: "what comes back has an int64 for every integer and a float64 for every float, and base64 text for []byte; a float that is not a number comes back as text",
		run: func(e *env, s offsets.Store) {
			e.set(s, "c", pair(part("a"), fields{
				"null": nil, "bool": true, "int": 1, "int8": int8(2), "int16": int16(-3), "int32": int32(4), "int64": int64(math.MinInt64), "uint32": uint32(5),
				"float32": float32(0.1), "float64": 1e300, "whole": 2.0, "nan": math.NaN(), "inf": math.Inf(-1), "text": "é😀\"\\\n\x00", "empty": "", "bytes": []byte{1, 2, 255},
			}))
			e.want(s, "c", part("a"), fields{
				"null": nil, "bool": true, "int": int64(1), "int8": int64(2), "int16": int64(-3), "int32": int64(4), "int64": int64(math.MinInt64), "uint32": int64(5),
				"float32": 0.1, "float64": 1e300, "whole": 2.0, "nan": "NaN", "inf": "-Infinity", "text": "é😀\"\\\n\x00", "empty": "", "bytes": "AQL/",
			})
		}},
	{name: "same-partition", rule: "two partitions are the same if their fields are, whatever the width of their integers", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(fields{"topic": "t", "partition": int32(3), "cluster": "A"}, at(1)))
		e.want(s, "c", fields{"cluster": "A", "partition": int64(3), "topic": "t"}, at(1))
		e.want(s, "c", fields{"cluster": "A", "partition": 3, "topic": "t"}, at(1))
		e.want(s, "c", fields{"cluster": "A", "partition": "3", "topic": "t"}, nil)
		e.want(s, "c", fields{"cluster": "A", "partition": 3.0, "topic": "t"}, nil)
		e.set(s, "c", pair(fields{"topic": "t", "partition": int64(3), "cluster": "A"}, at(2)))
		e.wantList(s, "c", pair(fields{"topic": "t", "partition": int64(3), "cluster": "A"}, at(2)))
	}},
	{name: "nil-partition", rule: "a nil partition is one like any other, and not the same as one without fields; List returns every other", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(nil, at(1)))
		e.want(s, "c", nil, at(1))
		e.want(s, "c", fields{}, nil)
		e.set(s, "c", pair(fields{}, at(2)))
		e.want(s, "c", nil, at(1))
		e.want(s, "c", fields{}, at(2))
		e.wantList(s, "c", pair(fields{}, at(2)))
	}},
	{name: "remove", rule: "Set of a nil offset removes the offset, and is no error when there is none", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(part("a"), at(1)), pair(part("b"), at(2)))
		e.set(s, "c", pair(part("a"), nil), pair(part("none"), nil))
		e.want(s, "c", part("a"), nil)
		e.wantList(s, "c", pair(part("b"), at(2)))
		e.set(s, "c", pair(part("a"), at(3)))
		e.want(s, "c", part("a"), at(3))
	}},
	{name: "last-wins", rule: "of several entries for one partition in one Set the last wins", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(part("a"), at(1)), pair(part("a"), at(2)), pair(part("b"), at(3)), pair(part("b"), nil), pair(part("d"), nil), pair(part("d"), at(4)))
		e.wantList(s, "c", pair(part("a"), at(2)), pair(part("d"), at(4)))
	}},
	{name: "nothing", rule: "an empty Set stores nothing", run: func(e *env, s offsets.Store) {
		e.set(s, "c")
		e.wantList(s, "c")
	}},
	{name: "invalid", rule: "an entry that can't be stored is a *connect.DataError and fails the Set before anything is stored", run: func(e *env, s offsets.Store) {
		for _, bad := range []entry{
			pair(part("b"), fields{"list": []any{1}}), pair(part("b"), fields{"map": map[string]any{}}), pair(fields{"struct": struct{}{}}, at(1)),
			pair(part("b"), fields{"big": uint64(math.MaxUint64)}), pair(part("b"), fields{"text": "\xff"}), pair(fields{"\xff": 1}, at(1)),
		} {
			err := s.Set(e.Context(), "c", []entry{pair(part("a"), at(1)), bad})
			var data *connect.DataError
			if !errors.As(err, &data) {
				e.fail("Set of %v returned %v", bad, err)
			}
		}
		e.wantList(s, "c")
		_, err := s.Get(e.Context(), "c", []fields{{"list": []any{1}}})
		var data *connect.DataError
		if !errors.As(err, &data) {
			e.fail("Get of a partition that can't be stored returned %v", err)
		}
	}},
	{name: "connectors", rule: "the offsets of one connector have no influence on those of another", run: func(e *env, s offsets.Store) {
		names := []string{"c", "C", "c-1", "", "ü \"q\"\\", "c\n", strings.Repeat("long", 100)}
		for i, name := range names {
			e.set(s, name, pair(part("a"), at(int64(i))))
		}
		for i, name := range names {
			e.wantList(s, name, pair(part("a"), at(int64(i))))
		}
		e.set(s, "c", pair(part("a"), nil))
		e.wantList(s, "c")
		e.want(s, "C", part("a"), at(1))
		e.wantList(s, "never heard of")
	}},
	{name: "context", rule: "a call that ctx ends returns an error soon", run: func(e *env, s offsets.Store) {
		e.set(s, "c", pair(part("a"), at(1)))
		ctx, cancel := context.WithCancel(e.Context())
		cancel()
		if err := s.Set(ctx, "c", []entry{pair(part("a"), at(2))}); err == nil {
			e.fail("Set returned no error")
		}
		if _, err := s.Get(ctx, "c", []fields{part("a")}); err == nil {
			e.fail("Get returned no error")
		}
		if _, err := s.List(ctx, "c"); err == nil {
			e.fail("List returned no error")
		}
	}},
	{name: "no-references", rule: "what is given to Set, and what Get and List return, is the caller's: the store keeps no reference to it", run: func(e *env, s offsets.Store) {
		partition, offset := fields{"name": []byte("a")}, fields{"at": []byte("1")}
		e.set(s, "c", pair(partition, offset))
		partition["name"].([]byte)[0] = 'x'
		offset["at"] = "changed"
		stored, want := fields{"name": []byte("a")}, fields{"at": "MQ=="}
		e.want(s, "c", stored, want)
		e.get(s, "c", stored)["at"] = "changed"
		listed, err := s.List(e.Context(), "c")
		e.must(err)
		for _, l := range listed {
			l.Partition["name"], l.Offset["at"] = "changed", "changed"
		}
		e.want(s, "c", stored, want)
		e.wantList(s, "c", pair(fields{"name": "YQ=="}, want))
	}},
	{name: "many", rule: "an offset that Set stored is what Get and List return, of many too", run: func(e *env, s offsets.Store) {
		var entries []entry
		for i := range 500 {
			entries = append(entries, pair(fields{"n": int64(i)}, at(int64(i))))
		}
		e.set(s, "c", entries...)
		e.wantList(s, "c", entries...)
	}},
	{name: "concurrent", rule: "it is safe for concurrent use", run: func(e *env, s offsets.Store) {
		var running sync.WaitGroup
		for worker := range 4 {
			running.Go(func() {
				name := fmt.Sprint("c", worker)
				for i := range 10 {
					if err := s.Set(e.Context(), name, []entry{pair(part("a"), at(int64(i)))}); err != nil {
						e.Errorf("Set: %v", err)
					}
					got, err := s.Get(e.Context(), name, []fields{part("a")})
					if err != nil || !reflect.DeepEqual(got[0], at(int64(i))) {
						e.fail("Get returned %v, error %v, after Set of %d", got, err, i)
					}
					if _, err := s.List(e.Context(), name); err != nil {
						e.Errorf("List: %v", err)
					}
				}
			})
		}
		running.Wait()
	}},
}
