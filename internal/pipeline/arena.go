package pipeline

import (
	"context"

	"github.com/gokconnect/connect"
)

// arena is the memory that a task's records are converted into: many records share one chunk, which is freed when the
// last of them was acknowledged. A chunk is never reused.
type arena struct {
	chunk []byte // its free end: length 0
	last  int    // what the last record needed
}

const (
	chunkSize = 64 << 10
	// A record that needs more than this gets memory of its own, so that a small one does not keep a large one alive.
	ownSize = 16 << 10
)

// convert appends one converted value to the arena and returns it.
func (a *arena) convert(ctx context.Context, c connect.AppendConverter, topic string, h *connect.RawHeaders, s *connect.Schema, v any) ([]byte, error) {
	if cap(a.chunk) < a.last {
		a.chunk = make([]byte, 0, chunkSize)
	}
	out, null, err := c.AppendFromConnect(ctx, a.chunk, topic, h, s, v)
	switch {
	case err != nil || null:
		return nil, err
	case len(out) == 0:
		return []byte{}, nil
	}
	a.last = min(len(out), ownSize)
	if cap(out) == cap(a.chunk) && &out[:1][0] == &a.chunk[:1][0] {
		a.chunk = out[len(out):]
	}
	return out[:len(out):len(out)], nil
}
