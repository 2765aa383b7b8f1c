package cluster

import (
	"slices"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javahash"
	"github.com/gokconnect/connect/internal/statusstore"
)

// activeTopics are the topics that each connector has sent to or consumed from, on whatever instance. It is safe for
// concurrent use.
type activeTopics struct {
	mu         sync.RWMutex
	connectors map[string]*topicSet
}

type topicSet struct{ names map[string]struct{} } // guarded by activeTopics.mu

// set returns the topics of a connector. The caller holds mu.
func (a *activeTopics) set(connector string) *topicSet {
	s := a.connectors[connector]
	if s == nil {
		s = &topicSet{make(map[string]struct{})}
		if a.connectors == nil {
			a.connectors = make(map[string]*topicSet)
		}
		a.connectors[connector] = s
	}
	return s
}

// track returns the function that remembers a topic of a connector, until forget is called. Added is told of topics that
// are new.
func (a *activeTopics) track(connector string, added func(topic string)) func(topic string) {
	a.mu.Lock()
	own := a.set(connector)
	a.mu.Unlock()
	return func(topic string) {
		a.mu.RLock()
		_, known := own.names[topic]
		a.mu.RUnlock()
		if known {
			return
		}
		a.mu.Lock()
		own.names[topic] = struct{}{}
		current := a.connectors[connector] == own
		a.mu.Unlock()
		if current {
			added(topic)
		}
	}
}

// add and remove follow what other instances say.
func (a *activeTopics) add(connector, topic string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set(connector).names[topic] = struct{}{}
}

func (a *activeTopics) remove(connector, topic string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.connectors[connector]; s != nil {
		delete(s.names, topic)
	}
}

// of returns the topics of a connector, in Java's order.
func (a *activeTopics) of(connector string) []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if s := a.connectors[connector]; s != nil {
		return javahash.Order(sortedKeys(s.names), javahash.Buckets)
	}
	return nil
}

// reset forgets the topics of a connector, whose tasks go on to add some.
func (a *activeTopics) reset(connector string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.connectors[connector]; s != nil {
		clear(s.names)
	}
}

// forget forgets a connector.
func (a *activeTopics) forget(connector string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.connectors, connector)
}

// trackTopics returns what is told of the topics of a task, or nil.
func (rt *Runtime) trackTopics(id connect.TaskID) func(string) {
	if !rt.settings.TopicTracking {
		return nil
	}
	return rt.topics.track(id.Connector, func(topic string) {
		if shared := rt.status.shared; shared != nil {
			shared.store.PutTopic(statusstore.Topic{Name: topic, Connector: id.Connector, Task: int32(id.Task), Discovered: time.Now().UnixMilli()})
		}
	})
}

// resetTopics forgets the topics of a connector, here and elsewhere.
func (rt *Runtime) resetTopics(connector string) {
	if shared := rt.status.shared; shared != nil {
		topics := rt.topics.of(connector) // the store may not have heard of them yet
		for topic := range shared.store.Topics(connector) {
			if !slices.Contains(topics, topic) {
				topics = append(topics, topic)
			}
		}
		for _, topic := range topics {
			shared.store.DeleteTopic(connector, topic)
		}
	}
	rt.topics.reset(connector)
}
