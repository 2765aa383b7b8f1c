package assign

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// world is a group in which every member does what it is told at once.
type world struct {
	assignor   Incremental
	state      State
	now        time.Time
	generation int32
	configured map[string]Connector
	members    map[string]Member
	last       Plan
}

func newWorld(maxDelay time.Duration) *world {
	return &world{assignor: Incremental{MaxDelay: maxDelay}, state: NewState(), now: time.UnixMilli(1e12), configured: map[string]Connector{}, members: map[string]Member{}}
}

// round runs one round and applies it.
func (w *world) round() Plan {
	w.generation++
	var p Plan
	p, w.state = w.assignor.Assign(w.state, Input{Now: w.now, Generation: w.generation, LastCompleted: w.generation - 1, Configured: w.configured, Members: w.members})
	for id, m := range w.members {
		m.Held = p.Holds[id]
		w.members[id] = m
	}
	w.last = p
	return p
}

// settle runs rounds until nothing is left to do, and returns how many times something was revoked.
func (w *world) settle(t testing.TB, check func(Plan)) (revocations int) {
	t.Helper()
	for range 40 {
		p := w.round()
		if check != nil {
			check(p)
		}
		revoked := 0
		for _, c := range p.Changes {
			revoked += len(c.Revoked.Connectors) + len(c.Revoked.Tasks)
		}
		if revoked == 0 && p.Delay == 0 {
			return revocations
		}
		if revoked > 0 {
			revocations++
		}
		w.now = w.now.Add(p.Delay)
	}
	t.Fatal("the group does not settle")
	return 0
}

func items(w Work) []string {
	list := slices.Clone(w.Connectors)
	for _, t := range w.Tasks {
		list = append(list, t.String())
	}
	return list
}

// owners fails if something is held twice, or by a member that can't do it.
func (w *world) owners(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	for id, m := range w.members {
		for _, item := range items(m.Held) {
			if other, ok := found[item]; ok {
				t.Fatalf("%s is held by %s and %s", item, id, other)
			}
			found[item] = id
		}
	}
	return found
}

// check fails unless all that somebody can do is held once, by somebody who can, and the rest is reported.
func (w *world) check(t testing.TB) {
	t.Helper()
	held := w.owners(t)
	var reported, missing []string
	for _, u := range w.last.Unassigned {
		if u.Reason == "" {
			t.Errorf("%+v", u)
		}
		if u.Task < 0 {
			reported = append(reported, u.Connector)
		} else {
			reported = append(reported, connect.TaskID{Connector: u.Connector, Task: u.Task}.String())
		}
	}
	count := 0
	for name, c := range w.configured {
		able := slices.ContainsFunc(slices.Collect(maps.Values(w.members)), func(m Member) bool { return m.can(c.Class) })
		work := Work{Connectors: []string{name}}
		for i := range c.Tasks {
			work.Tasks = append(work.Tasks, connect.TaskID{Connector: name, Task: i})
		}
		for _, item := range items(work) {
			id, ok := held[item]
			switch {
			case ok:
				count++
				if !w.members[id].can(c.Class) {
					t.Errorf("%s of class %s is held by %s, which can't", item, c.Class, id)
				}
			case able:
				t.Errorf("%s is held by nobody", item)
			default:
				missing = append(missing, item)
			}
		}
	}
	if count != len(held) {
		t.Errorf("%d items are held, of which %d are configured", len(held), count)
	}
	slices.Sort(reported)
	slices.Sort(missing)
	if !slices.Equal(reported, missing) {
		t.Errorf("reported as unassigned %v, but that is %v", reported, missing)
	}
}

// balanced fails if moving one item from a member to another that can do it would even the loads out.
func (w *world) balanced(t testing.TB) {
	t.Helper()
	load := func(m Member, kind int) int { return []int{len(m.Held.Connectors), len(m.Held.Tasks)}[kind] }
	for from, m := range w.members {
		for to, other := range w.members {
			for kind := range kinds {
				if load(m, kind)-load(other, kind) < 2 {
					continue
				}
				held := m.Held.Connectors
				if kind == tasks {
					held = nil
					for _, task := range m.Held.Tasks {
						held = append(held, task.Connector)
					}
				}
				for _, name := range held {
					if other.can(w.configured[name].Class) {
						t.Fatalf("%s has %d of kind %d, %s has %d and could take %s", from, load(m, kind), kind, to, load(other, kind), name)
					}
				}
			}
		}
	}
}

// change does something at random.
func (w *world) change(r *rand.Rand, classes bool) {
	ids := slices.Sorted(maps.Keys(w.members))
	names := slices.Sorted(maps.Keys(w.configured))
	switch n := r.IntN(6); {
	case n == 0 || len(ids) == 0:
		var m Member
		if classes && r.IntN(3) > 0 {
			m.Classes = map[string]bool{}
			for c := range 4 {
				if r.IntN(2) == 0 {
					m.Classes[fmt.Sprint("C", c)] = true
				}
			}
		}
		w.members[fmt.Sprint("m", r.IntN(1000))] = m
	case n == 1 && len(ids) > 1:
		delete(w.members, ids[r.IntN(len(ids))])
	case n == 2 && len(names) > 0:
		delete(w.configured, names[r.IntN(len(names))])
	case n == 3 && len(names) > 0:
		name := names[r.IntN(len(names))]
		w.configured[name] = Connector{Tasks: r.IntN(20), Class: w.configured[name].Class}
	default:
		w.configured[fmt.Sprint("c-", r.IntN(100))] = Connector{Tasks: r.IntN(20), Class: fmt.Sprint("C", r.IntN(4))}
	}
}

func TestRandomGroups(t *testing.T) {
	for _, classes := range []bool{false, true} {
		for seed := range uint64(60) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld([]time.Duration{0, time.Second, 5 * time.Minute}[seed%3])
			for range 40 {
				for range 1 + r.IntN(3) {
					w.change(r, classes)
				}
				w.settle(t, func(Plan) { w.owners(t) })
				w.check(t)
				w.balanced(t)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		}
	}
}

// minimum is how many items have to leave their members for an even distribution of count.
func minimum(loads []int, count int) int {
	share, rest, surplus, above := count/len(loads), count%len(loads), 0, 0
	for _, l := range loads {
		if l > share {
			surplus += l - share
			above++
		}
	}
	return surplus - min(rest, above)
}

func TestMovesTheMinimum(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(0)
		for i := range 1 + r.IntN(9) {
			w.configured[fmt.Sprint("c", i)] = Connector{Tasks: r.IntN(30)}
		}
		for i := range 1 + r.IntN(9) {
			w.members[fmt.Sprint("m", i)] = Member{}
		}
		w.settle(t, nil)
		for i := range 1 + r.IntN(5) {
			w.members[fmt.Sprint("new", i)] = Member{}
		}
		want := [kinds]int{}
		for kind := range kinds {
			var loads []int
			count := 0
			for _, m := range w.members {
				n := []int{len(m.Held.Connectors), len(m.Held.Tasks)}[kind]
				loads = append(loads, n)
				count += n
			}
			want[kind] = minimum(loads, count)
		}
		before := w.owners(t)
		w.settle(t, nil)
		w.balanced(t)
		moved := 0
		for item, id := range w.owners(t) {
			if before[item] != id {
				moved++
			}
		}
		if moved != want[connectors]+want[tasks] {
			t.Fatalf("seed %d: %d items moved, %v have to", seed, moved, want)
		}
	}
}

// TestOnlyLostWorkMoves: when members leave, what the others have stays where it is.
func TestOnlyLostWorkMoves(t *testing.T) {
	w := newWorld(time.Minute)
	for i := range 10 {
		w.configured[fmt.Sprint("c", i)] = Connector{Tasks: i * 3}
		w.members[fmt.Sprint("m", i)] = Member{}
	}
	w.settle(t, nil)
	before := w.owners(t)
	delete(w.members, "m3")
	delete(w.members, "m7")
	p := w.round()
	if p.Delay != time.Minute || len(p.Unassigned) == 0 || !strings.Contains(p.Unassigned[0].Reason, "has left") {
		t.Errorf("delay %v, unassigned %v", p.Delay, p.Unassigned)
	}
	w.now = w.now.Add(p.Delay)
	w.settle(t, nil)
	w.check(t)
	w.balanced(t)
	for item, id := range w.owners(t) {
		if was := before[item]; was != id && was != "m3" && was != "m7" {
			t.Errorf("%s moved from %s to %s", item, was, id)
		}
	}
}

// TestEvenPerConnector: in a group that begins, each connector's tasks are spread, too.
func TestEvenPerConnector(t *testing.T) {
	for members := 1; members < 12; members++ {
		w := newWorld(0)
		for i := range 20 {
			w.configured[fmt.Sprint("c", i)] = Connector{Tasks: i}
		}
		for i := range members {
			w.members[fmt.Sprint("m", i)] = Member{}
		}
		for _, p := range []Plan{w.round(), Eager(w.configured, w.members)} {
			for name := range w.configured {
				least, most := 1000, 0
				for _, held := range p.Holds {
					n := 0
					for _, task := range held.Tasks {
						if task.Connector == name {
							n++
						}
					}
					least, most = min(least, n), max(most, n)
				}
				if most-least > 1 {
					t.Errorf("%d members: tasks of %s: %d to %d on a member", members, name, least, most)
				}
			}
		}
	}
}

func TestDeterministic(t *testing.T) {
	var first Plan
	for i := range 5 {
		w := newWorld(0)
		for c := range 30 {
			w.configured[fmt.Sprint("c", c)] = Connector{Tasks: c % 7, Class: fmt.Sprint("C", c%3)}
		}
		for m := range 7 {
			w.members[fmt.Sprint("m", m)] = Member{Classes: map[string]bool{"C0": m > 1, "C1": m < 4, "C2": true}}
		}
		w.settle(t, nil)
		delete(w.members, "m3")
		w.settle(t, nil)
		if i == 0 {
			first = w.last
		} else if fmt.Sprint(w.last) != fmt.Sprint(first) {
			t.Fatalf("got  %v\nthen %v", first, w.last)
		}
	}
}

func TestClasses(t *testing.T) {
	w := newWorld(5 * time.Minute)
	w.configured["old"] = Connector{Tasks: 4, Class: "Old"}
	w.configured["new"] = Connector{Tasks: 4, Class: "New"}
	w.members["a"] = Member{Classes: map[string]bool{"Old": true}}
	w.members["b"] = Member{Classes: map[string]bool{"Old": true}}
	w.settle(t, nil)
	w.check(t)
	if len(w.last.Unassigned) != 5 || w.last.Unassigned[0] != (Unassigned{"new", -1, "no member of the group has its connector class New"}) {
		t.Errorf("unassigned %v", w.last.Unassigned)
	}
	w.members["c"] = Member{Classes: map[string]bool{"Old": true, "New": true}}
	w.settle(t, nil)
	w.check(t)
	w.balanced(t)
	if len(w.last.Unassigned) != 0 || len(w.members["c"].Held.Tasks) != 4 {
		t.Errorf("unassigned %v, c holds %v", w.last.Unassigned, w.members["c"].Held)
	}
	// A member of Kafka Connect does not tell, and is taken to have everything.
	w.members["java"] = Member{}
	w.settle(t, nil)
	w.balanced(t)
	if n := len(w.members["java"].Held.Tasks); n != 2 {
		t.Errorf("the member that does not tell has %d tasks", n)
	}
	if p := Eager(w.configured, map[string]Member{"a": w.members["a"]}); len(p.Unassigned) != 5 || len(p.Holds["a"].Tasks) != 4 {
		t.Errorf("eagerly %+v", p)
	}
}

// big is a group of 1,000 members and 20,000 tasks.
func big(tb testing.TB, classes bool) *world {
	w := newWorld(0)
	for i := range 400 {
		w.configured[fmt.Sprintf("connector-%03d", i)] = Connector{Tasks: 50, Class: fmt.Sprint("C", i%10)}
	}
	for i := range 1000 {
		m := Member{}
		if classes {
			m.Classes = map[string]bool{}
			for c := range 10 {
				m.Classes[fmt.Sprint("C", c)] = (i+c)%5 != 0
			}
		}
		w.members[fmt.Sprintf("connect-10.0.%d.%d:8083-%08x", i/256, i%256, i*2654435761)] = m
	}
	w.settle(tb, nil)
	return w
}

func BenchmarkAssign(b *testing.B) {
	for _, classes := range []bool{false, true} {
		name := map[bool]string{false: "alike", true: "classes"}[classes]
		w := big(b, classes)
		in := Input{Now: w.now, Generation: w.generation + 1, LastCompleted: w.generation, Configured: w.configured, Members: w.members}
		b.Run(name+"/steady", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.assignor.Assign(w.state, in)
			}
		})
		fresh := in
		fresh.Members = map[string]Member{}
		for id, m := range w.members {
			fresh.Members[id] = Member{Classes: m.Classes}
		}
		b.Run(name+"/first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.assignor.Assign(NewState(), fresh)
			}
		})
		joined := in
		joined.Members = maps.Clone(w.members)
		for i := range 100 {
			joined.Members[fmt.Sprint("new", i)] = Member{}
		}
		b.Run(name+"/100 join", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.assignor.Assign(w.state, joined)
			}
		})
	}
}
