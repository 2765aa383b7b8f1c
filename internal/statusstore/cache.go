// Package statusstore keeps how connectors and tasks are, and which topics they use, as records of Kafka Connect's
// status topic, or, for an instance that is alone, in memory.
//
// [Cache] is the state machine that every instance feeds with the records; it also decides what may be written.
// [Kafka] and [Memory] put it to use.
package statusstore

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

// Cache is what the records of a status topic add up to. It is not safe for concurrent use.
type Cache struct {
	connectors map[string]*entry
	tasks      map[string]map[int32]*entry
	topics     map[string]map[string]Topic // by connector and topic of the key
	generation int32                       // of the last status that was put
}

// entry is a connector or task that a record was read of, or that something was put for.
type entry struct {
	status   *Status // nil as long as nothing was read
	sequence int     // of the last put
	deleted  bool
}

// NewCache returns the cache before the first record.
func NewCache() *Cache {
	return &Cache{connectors: map[string]*entry{}, tasks: map[string]map[int32]*entry{}, topics: map[string]map[string]Topic{}}
}

// Event is a status that came, or went: of a connector, if Topic is nil and Task is negative, of a task, or of a topic
// of the connector.
type Event struct {
	Connector string
	Task      int
	Status    *Status // nil if it was removed, or if the event is of a topic
	Topic     *Topic
	Removed   bool
	// Stale says that the status does not count: it is that of a task given up which somebody was told to run before. What was
	// known stays.
	Stale bool
}

// Apply takes the next record; a nil value is a tombstone. An error says that the record can't be used. The event is
// nil if nothing happened.
func (c *Cache) Apply(key string, value []byte) (*Event, error) {
	if name, ok := strings.CutPrefix(key, connectorKey); ok {
		return c.applyConnector(name, value)
	}
	if rest, ok := strings.CutPrefix(key, taskKey); ok {
		return c.applyTask(rest, value)
	}
	if rest, ok := strings.CutPrefix(key, topicKey); ok {
		return c.applyTopic(rest, value)
	}
	return nil, errors.New("no record has such a key")
}

func (c *Cache) applyConnector(name string, value []byte) (*Event, error) {
	if name == "" {
		return nil, errors.New("the key names no connector")
	}
	if value == nil {
		c.removeConnector(name)
		return &Event{Connector: name, Task: -1, Removed: true}, nil
	}
	s, err := decodeStatus(value)
	if err != nil {
		return nil, err
	}
	c.connector(name).status = &s
	return &Event{Connector: name, Task: -1, Status: &s}, nil
}

// removeConnector removes a connector with all of its tasks.
func (c *Cache) removeConnector(name string) {
	if e := c.connectors[name]; e != nil {
		e.deleted = true
	}
	for _, e := range c.tasks[name] {
		e.deleted = true
	}
	delete(c.connectors, name)
	delete(c.tasks, name)
}

func (c *Cache) applyTask(rest string, value []byte) (*Event, error) {
	name, task, ok := javatext.SplitTask(rest)
	if !ok {
		return nil, errors.New("the key names no task")
	}
	if value == nil {
		if e := c.tasks[name][task]; e != nil {
			e.deleted = true
			delete(c.tasks[name], task)
		}
		return &Event{Connector: name, Task: int(task), Removed: true}, nil
	}
	s, err := decodeStatus(value)
	if err != nil {
		return nil, err
	}
	e := c.task(name, task)
	if s.State == Unassigned && e.status != nil && e.status.State == Running && e.status.Generation >= s.Generation {
		// Whoever had the task before is late to say that it has it no more. In Kafka Connect that holds for the worker too that
		// has it.
		return &Event{Connector: name, Task: int(task), Status: &s, Stale: true}, nil
	}
	e.status = &s
	return &Event{Connector: name, Task: int(task), Status: &s}, nil
}

func (c *Cache) applyTopic(rest string, value []byte) (*Event, error) {
	topic, connector, ok := strings.Cut(rest, ":")
	if ok {
		connector, ok = skipUnits(connector, len(topicSeparator)-1)
	}
	if !ok || topic == "" || connector == "" {
		return nil, errors.New("the key names no topic and connector")
	}
	if value == nil {
		t, ok := c.topics[connector][topic]
		if !ok {
			return nil, nil
		}
		delete(c.topics[connector], topic)
		return &Event{Connector: connector, Topic: &t, Removed: true}, nil
	}
	t, err := decodeTopic(value)
	if err != nil {
		return nil, err
	}
	if c.topics[connector] == nil {
		c.topics[connector] = map[string]Topic{}
	}
	c.topics[connector][topic] = t
	return &Event{Connector: connector, Topic: &t}, nil
}

// skipUnits skips characters of Java, whatever they are.
func skipUnits(s string, n int) (string, bool) {
	for n > 0 {
		if s == "" {
			return "", false
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		if n--; r > 0xFFFF {
			n--
		}
	}
	return s, n == 0
}

func (c *Cache) connector(name string) *entry {
	e := c.connectors[name]
	if e == nil {
		e = &entry{}
		c.connectors[name] = e
	}
	return e
}

func (c *Cache) task(connector string, task int32) *entry {
	if c.tasks[connector] == nil {
		c.tasks[connector] = map[int32]*entry{}
	}
	e := c.tasks[connector][task]
	if e == nil {
		e = &entry{}
		c.tasks[connector][task] = e
	}
	return e
}

// Put is a status on its way to the topic.
type Put struct {
	Record   Record
	id       connect.TaskID // of a connector, the task is -1
	status   Status
	entry    *entry // nil for a topic
	sequence int
	safe     bool
}

// PutConnector returns what to write for a status of a connector. With safe, which is for a status that says how
// something ended, it returns nil if another instance has written one in a later generation.
func (c *Cache) PutConnector(name string, s Status, safe bool) *Put {
	return c.put(connectorKey+name, connect.TaskID{Connector: name, Task: -1}, c.connector(name), s, safe)
}

// PutTask is PutConnector for a task.
func (c *Cache) PutTask(id connect.TaskID, s Status, safe bool) *Put {
	return c.put(taskKey+id.String(), id, c.task(id.Connector, int32(id.Task)), s, safe)
}

func (c *Cache) put(key string, id connect.TaskID, e *entry, s Status, safe bool) *Put {
	c.generation = s.Generation
	if safe && !e.allows(s) {
		return nil
	}
	e.sequence++
	return &Put{Record: Record{key, s.encode()}, id: id, status: s, entry: e, sequence: e.sequence, safe: safe}
}

// allows reports whether a safe status may take the place of what is there.
func (e *entry) allows(s Status) bool {
	if e.status == nil || e.status.Generation <= s.Generation {
		return true
	}
	a, b := e.status.WorkerID, s.WorkerID
	return a != nil && b != nil && *a == *b
}

// Outdated reports whether a status that could not be written must not be any more.
func (c *Cache) Outdated(p *Put) bool {
	if p.entry == nil {
		return false
	}
	return p.entry.deleted || p.status.Generation != c.generation || p.safe && (!p.entry.allows(p.status) || p.entry.sequence != p.sequence)
}

// PutTopic returns what to write for a topic that a connector uses.
func PutTopic(t Topic) *Put { return &Put{Record: Record{t.key(), t.encode()}} }

// DeleteTopic returns what to write for a topic that a connector no longer uses.
func DeleteTopic(connector, topic string) *Put {
	return &Put{Record: Record{Key: Topic{Name: topic, Connector: connector}.key()}}
}

// Connectors returns the connectors that something is or may become known of, in order.
func (c *Cache) Connectors() []string { return slices.Sorted(maps.Keys(c.connectors)) }

// Connector returns the status of a connector, or nil. It is not changed any more.
func (c *Cache) Connector(name string) *Status {
	if e := c.connectors[name]; e != nil {
		return e.status
	}
	return nil
}

// Task returns the status of a task, or nil. It is not changed any more.
func (c *Cache) Task(id connect.TaskID) *Status {
	if e := c.tasks[id.Connector][int32(id.Task)]; e != nil {
		return e.status
	}
	return nil
}

// Tasks returns the statuses of the tasks of a connector by number.
func (c *Cache) Tasks(connector string) map[int]*Status {
	tasks := make(map[int]*Status, len(c.tasks[connector]))
	for task, e := range c.tasks[connector] {
		if e.status != nil {
			tasks[int(task)] = e.status
		}
	}
	return tasks
}

// Topics returns the topics of a connector by name.
func (c *Cache) Topics(connector string) map[string]Topic { return maps.Clone(c.topics[connector]) }
