package jsonconv

import "sync"

// cache keeps values by their key: the last used, roughly. It has two generations. When the young one is full it
// becomes the old one, and what is not asked for until that happens again is forgotten. A cache is safe for concurrent
// use.
type cache[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
	size       int // of a generation, at most
	cost       int // of the young generation
	maxCost    int
}

func newCache[K comparable, V any](size, maxCost int) *cache[K, V] {
	return &cache[K, V]{size: (size + 1) / 2, maxCost: maxCost, young: make(map[K]V)}
}

func (c *cache[K, V]) get(k K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok = c.young[k]; !ok {
		v, ok = c.old[k]
	}
	return v, ok
}

// put adds a value; cost says how much memory its key takes.
func (c *cache[K, V]) put(k K, v V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size <= 0 || cost > c.maxCost {
		return
	}
	if len(c.young) >= c.size || c.cost+cost > c.maxCost {
		c.old, c.young, c.cost = c.young, make(map[K]V), 0
	}
	c.young[k] = v
	c.cost += cost
}
