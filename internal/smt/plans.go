package smt

import "github.com/gokconnect/connect"

// maxPlans is the number of schemas that a transformation remembers.
const maxPlans = 16

// plans keeps what a transformation compiled for the schemas that it saw last. As in Java, a schema that equals one
// seen before gets the same plan, and so the same output schema, which spares the stages behind it a compilation.
type plans[P any] struct {
	compile func(*connect.Schema) P

	last   *connect.Schema
	plan   P
	recent []planned[P] // latest first
}

type planned[P any] struct {
	schema *connect.Schema
	plan   P
}

func (c *plans[P]) of(s *connect.Schema) P {
	if s == c.last {
		return c.plan
	}
	return c.find(s)
}

func (c *plans[P]) find(s *connect.Schema) P {
	i := c.index(s)
	if i < 0 {
		if len(c.recent) < maxPlans {
			c.recent = append(c.recent, planned[P]{})
		}
		i = len(c.recent) - 1
		c.recent[i] = planned[P]{s, c.compile(s)}
	}
	found := c.recent[i]
	copy(c.recent[1:i+1], c.recent[:i])
	c.recent[0] = found
	c.last, c.plan = s, found.plan
	return found.plan
}

func (c *plans[P]) index(s *connect.Schema) int {
	for i := range c.recent {
		if c.recent[i].schema == s {
			return i
		}
	}
	for i := range c.recent {
		if c.recent[i].schema.Equal(s) {
			return i
		}
	}
	return -1
}
