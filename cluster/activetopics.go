package cluster

import (
	"sync"

	"github.com/gokconnect/connect/internal/javahash"
)

// activeTopics are the topics that each connector has sent to or consumed from. It is safe for concurrent use.
type activeTopics struct {
	mu     sync.RWMutex
	topics map[string]map[string]struct{} // by connector
}

// track returns the function that remembers a topic of a connector, until forget is called.
func (a *activeTopics) track(connector string) func(topic string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.topics[connector] == nil {
		if a.topics == nil {
			a.topics = make(map[string]map[string]struct{})
		}
		a.topics[connector] = make(map[string]struct{})
	}
	own := a.topics[connector] // after forget nobody sees it
	return func(topic string) {
		a.mu.RLock()
		_, ok := own[topic]
		a.mu.RUnlock()
		if !ok {
			a.mu.Lock()
			own[topic] = struct{}{}
			a.mu.Unlock()
		}
	}
}

// of returns the topics of a connector, in Java's order.
func (a *activeTopics) of(connector string) []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return javahash.Order(sortedKeys(a.topics[connector]), javahash.Buckets)
}

// reset forgets the topics of a connector, whose tasks go on to add some.
func (a *activeTopics) reset(connector string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.topics[connector])
}

// forget forgets a connector.
func (a *activeTopics) forget(connector string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.topics, connector)
}
