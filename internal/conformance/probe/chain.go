package probe

import (
	"context"
	"strings"

	"github.com/gokconnect/connect"
)

// link is what transformations, predicates and converters of the probe share.
type link struct {
	actor   *actor // nil if nothing is to be written down
	matches map[string]func(string) bool
	kind    string // of what fail throws
	message string // before the text that it failed on
	times   int    // how often each text fails; -1 is always
	failed  map[string]int
}

func newLink(p *Process, cfg connect.Config, message string) *link {
	l := &link{matches: make(map[string]func(string) bool), kind: orElse(cfg["fail.kind"], "data"), message: orElse(cfg["fail.message"], message),
		times: number(cfg["fail.times"], -1), failed: make(map[string]int)}
	for _, key := range []string{"fail", "drop", "match"} {
		if pattern, ok := cfg[key]; ok {
			if f, err := full(pattern); err == nil {
				l.matches[key] = f
			}
		}
	}
	if name, label, ok := strings.Cut(cfg["trace"], "/"); ok {
		l.actor = &actor{process: p, connector: name, task: -1}
		l.actor.number, l.actor.label = p.instance(name, label)
	}
	return l
}

func (l *link) is(key string, v any) bool {
	f := l.matches[key]
	return f != nil && v != nil && f(java(v))
}

// fail returns what the configuration says that this value throws.
func (l *link) fail(v any) error {
	if !l.is("fail", v) {
		return nil
	}
	text := java(v)
	if l.failed[text]++; l.times >= 0 && l.failed[text] > l.times {
		return nil
	}
	return exception(l.kind, l.message+" "+text)
}

// end writes a call down, if it is to be, and ends it.
func (l *link) end(e Event, err error) error {
	if l.actor == nil {
		if err != nil {
			return raise(err)
		}
		return nil
	}
	c := &call{actor: l.actor, lane: "main", event: e}
	return c.end(err)
}

func (l *link) Close() error { return l.end(Event{"m": "close"}, nil) }

type transform struct {
	*link
	cfg connect.Config
}

func newTransform(p *Process, cfg connect.Config) *transform {
	t := &transform{newLink(p, cfg, "transform failed on"), cfg}
	t.end(Event{"m": "configure"}, nil)
	return t
}

func (t *transform) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	e := Event{"m": "apply", "value": text(r.Value), "topic": r.Topic}
	if err := t.fail(r.Value); err != nil {
		return nil, t.end(e, err)
	}
	if t.is("drop", r.Value) {
		e["returns"] = "null"
		return nil, t.end(e, nil)
	}
	if topic := t.cfg["topic"]; topic != "" {
		r.Topic = topic
	}
	if n := number(t.cfg["partition"], -1); n >= 0 {
		r.Partition = connect.ToPartition(int32(n))
	}
	if v, ok := r.Value.(string); ok {
		r.Value = v + t.cfg["suffix"]
	}
	return r, t.end(e, nil)
}

type predicate struct{ *link }

func newPredicate(p *Process, cfg connect.Config) *predicate {
	t := &predicate{newLink(p, cfg, "predicate failed on")}
	t.end(Event{"m": "configure"}, nil)
	return t
}

func (p *predicate) Test(r *connect.Record) (bool, error) {
	e := Event{"m": "test", "value": text(r.Value)}
	if err := p.fail(r.Value); err != nil {
		return false, p.end(e, err)
	}
	ok := p.matches["match"] == nil || p.is("match", r.Value)
	e["returns"] = ok
	return ok, p.end(e, nil)
}

type converter struct {
	*link
	nullAs *string
}

func newConverter(p *Process, cfg connect.Config, role connect.Role) *converter {
	c := &converter{link: newLink(p, cfg, "converter failed on")}
	if as, ok := cfg["null.as"]; ok {
		c.nullAs = &as
	}
	e := Event{"m": "configure", "as": role.String(), "converter.type": nil}
	if role == connect.HeaderRole {
		e["converter.type"] = "header"
	}
	c.end(e, nil)
	return c
}

func (c *converter) from(method, topic string, v any) ([]byte, error) {
	e := Event{"m": method, "topic": topic, "arg": text(v)}
	if err := c.end(e, c.fail(v)); err != nil {
		return nil, err
	}
	if v == nil {
		return nil, nil
	}
	return []byte(java(v)), nil
}

func (c *converter) to(method, topic string, b []byte) (connect.SchemaAndValue, error) {
	var v any
	if b != nil {
		v = string(b)
	}
	e := Event{"m": method, "topic": topic, "arg": text(v)}
	if err := c.end(e, c.fail(v)); err != nil {
		return connect.SchemaAndValue{}, err
	}
	switch {
	case v != nil:
		return connect.SchemaAndValue{Schema: connect.OptionalStringSchema, Value: v}, nil
	case c.nullAs != nil:
		return connect.SchemaAndValue{Schema: connect.StringSchema, Value: *c.nullAs}, nil
	}
	return connect.SchemaAndValue{Schema: connect.OptionalStringSchema}, nil
}

func (c *converter) FromConnect(_ context.Context, topic string, _ *connect.RawHeaders, _ *connect.Schema, v any) ([]byte, error) {
	return c.from("fromConnectData", topic, v)
}

func (c *converter) ToConnect(_ context.Context, topic string, _ connect.RawHeaders, b []byte) (connect.SchemaAndValue, error) {
	return c.to("toConnectData", topic, b)
}

func (c *converter) FromConnectHeader(_ context.Context, topic, _ string, _ *connect.Schema, v any) ([]byte, error) {
	return c.from("fromConnectHeader", topic, v)
}

func (c *converter) ToConnectHeader(_ context.Context, topic, _ string, b []byte) (connect.SchemaAndValue, error) {
	return c.to("toConnectHeader", topic, b)
}
