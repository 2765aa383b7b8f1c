package probe

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// rule is one on.… or connector.on.… key.
type rule struct {
	key      string
	method   string
	call     int // 0 is any
	onwards  bool
	instance int // 0 is any
	task     int // -1 is any
	actions  []string
}

var rulePattern = regexp.MustCompile(`^on\.(\w+?)(?:#(\d+)(\+)?)?(?:!(\d+))?(?:@(\d+))?$`)

// rules returns those of a configuration whose keys have the prefix, in the order of their keys.
func rules(cfg map[string]string, prefix string) []rule {
	var all []rule
	for key, value := range cfg {
		rest, ok := strings.CutPrefix(key, prefix)
		m := rulePattern.FindStringSubmatch(rest)
		if !ok || m == nil {
			continue
		}
		r := rule{key: key, method: m[1], call: number(m[2], 0), onwards: m[3] != "", instance: number(m[4], 0), task: number(m[5], -1)}
		for action := range strings.SplitSeq(value, ";") {
			if action = strings.TrimSpace(action); action != "" {
				r.actions = append(r.actions, action)
			}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b rule) int { return strings.Compare(a.key, b.key) })
	return all
}

func number(s string, none int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return none
	}
	return n
}

// actor does what rules say, for one instance.
type actor struct {
	process   *Process
	connector string
	label     string
	number    int // of the instance
	task      int // -1 for a connector
	rules     []rule
	calls     map[string]int
	// do does an action that only this kind of instance knows. It returns what the action threw.
	do func(c *call, name, arg string) error
}

// call is one call into an instance.
type call struct {
	actor  *actor
	method string
	lane   string
	event  Event
	batch  []connect.SinkRecord // of a put
}

func (a *actor) begin(method, lane string) *call {
	return &call{actor: a, method: method, lane: lane, event: Event{"m": method}}
}

// count notes another call of a method and returns its number.
func (a *actor) count(method string) int {
	if a.calls == nil {
		a.calls = make(map[string]int)
	}
	a.calls[method]++
	return a.calls[method]
}

// run does what the rules say of the n-th call of the method. The first exception ends it.
func (c *call) run(n int) error {
	a := c.actor
	for _, r := range a.rules {
		if r.method != c.method || r.instance != 0 && r.instance != a.number || r.task >= 0 && r.task != a.task ||
			r.call != 0 && r.call != n && (!r.onwards || n < r.call) {
			continue
		}
		for _, action := range r.actions {
			if err := c.act(action); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) act(action string) error {
	name, arg, _ := strings.Cut(action, " ")
	arg = strings.TrimSpace(arg)
	switch name {
	case "throw":
		kind, message, _ := strings.Cut(arg, " ")
		return exception(kind, message)
	case "sleep":
		<-time.After(time.Duration(number(arg, 0)) * time.Millisecond)
		return nil
	case "gate":
		c.write(Event{"m": "gate", "name": arg, "in": c.method})
		c.actor.await(arg)
		return nil
	}
	if c.actor.do == nil {
		return fmt.Errorf("the probe knows no action %q", action)
	}
	return c.actor.do(c, name, arg)
}

// await waits for a gate of the connector.
func (a *actor) await(gate string) {
	select {
	case <-a.process.trace.gate(a.connector + "." + gate):
	case <-a.process.trace.over:
	}
}

func (a *actor) isOpen(gate string) bool {
	select {
	case <-a.process.trace.gate(a.connector + "." + gate):
		return true
	case <-a.process.trace.over:
		return true
	default:
		return false
	}
}

// context makes a call of the probe's own, and writes it down with what it threw.
func (c *call) context(method, key string, arg any, f func() error) error {
	e := Event{"m": "context." + method}
	if key != "" {
		e[key] = arg
	}
	err := f()
	if err != nil {
		e["throw"] = thrown(err)
	}
	c.write(e)
	return err
}

func (c *call) write(e Event) {
	c.actor.process.write(c.actor.connector, c.actor.label, c.lane, e)
}

// end writes the call down and returns how it ends.
func (c *call) end(err error) error {
	if err != nil {
		c.event["throw"] = thrown(err)
	}
	c.write(c.event)
	return raise(err)
}
