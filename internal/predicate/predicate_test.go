package predicate

import (
	"fmt"
	"testing"

	"github.com/gokconnect/connect"
)

func newPredicate(t testing.TB, name string, cfg connect.Config) connect.Predicate {
	t.Helper()
	d, ok := new(connect.Registry).MustAdd(Plugins()...).Predicate(name)
	if !ok {
		t.Fatalf("no predicate %s", name)
	}
	p, err := d.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPredicates(t *testing.T) {
	headers := connect.Headers{{Key: "a"}, {Key: "b", Value: "x"}}
	for _, c := range []struct {
		name string
		cfg  connect.Config
		r    connect.Record
		want bool
	}{
		{"HasHeaderKey", connect.Config{"name": "b"}, connect.Record{Headers: headers}, true},
		{"HasHeaderKey", connect.Config{"name": "A"}, connect.Record{Headers: headers}, false},
		{"HasHeaderKey", connect.Config{"name": "b"}, connect.Record{}, false},
		{"RecordIsTombstone", nil, connect.Record{Key: "k", ValueSchema: connect.StringSchema}, true},
		{"RecordIsTombstone", nil, connect.Record{Value: []byte(nil)}, true},
		{"RecordIsTombstone", nil, connect.Record{Value: []byte{}}, false},
		{"TopicNameMatches", connect.Config{"pattern": "or.*"}, connect.Record{Topic: "orders"}, true},
		{"TopicNameMatches", connect.Config{"pattern": "or"}, connect.Record{Topic: "orders"}, false},
		{"TopicNameMatches", connect.Config{"pattern": "(?=x)?"}, connect.Record{Topic: ""}, true},
	} {
		p := newPredicate(t, c.name, c.cfg)
		for range 2 { // the second time it may know the topic
			if got, err := p.Test(&c.r); got != c.want || err != nil {
				t.Errorf("%s %v of %+v: %v %v, expected %v", c.name, c.cfg, c.r, got, err, c.want)
			}
		}
	}
}

// A topicNameMatches meets more topics than it remembers.
func TestManyTopics(t *testing.T) {
	p := newPredicate(t, "TopicNameMatches", connect.Config{"pattern": ".*7"})
	for range 2 {
		for i := range 2 * maxTopics {
			topic := fmt.Sprint("t", i)
			if got, err := p.Test(&connect.Record{Topic: topic}); got != (i%10 == 7) || err != nil {
				t.Fatalf("%s: %v %v", topic, got, err)
			}
		}
	}
	if n := len(p.(*topicNameMatches).topics); n > maxTopics {
		t.Errorf("%d topics are kept", n)
	}
}

func BenchmarkPredicates(b *testing.B) {
	r := &connect.Record{Topic: "orders", Value: "x", Headers: connect.Headers{{Key: "a"}, {Key: "b"}}}
	for name, cfg := range map[string]connect.Config{
		"HasHeaderKey": {"name": "b"}, "RecordIsTombstone": nil, "TopicNameMatches": {"pattern": "ord(er|re)s?"},
	} {
		b.Run(name, func(b *testing.B) {
			p := newPredicate(b, name, cfg)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Test(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
