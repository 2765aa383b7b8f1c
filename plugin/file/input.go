package file

import (
	"context"
	"io"
	"sync"
)

// input reads from something that can block for ever, such as standard input. A read that its task gave up goes on,
// and its bytes are for whoever reads next, so that none are lost when a task is restarted.
type input struct {
	r io.Reader

	mu      sync.Mutex
	pending chan chunk // the read under way, or nil
	rest    []byte     // read, not yet taken
}

// stdin makes one input, when it is first wanted. It is safe for concurrent use.
type stdin struct {
	once sync.Once
	in   *input
}

func (s *stdin) input(r io.Reader) *input {
	s.once.Do(func() { s.in = &input{r: r} })
	return s.in
}

type chunk struct {
	data []byte
	err  error
}

// read is io.Reader's Read, but ends with ctx: it then returns 0 and ctx's error.
func (in *input) read(ctx context.Context, p []byte) (int, error) {
	in.mu.Lock()
	if len(in.rest) > 0 {
		n := copy(p, in.rest)
		in.rest = in.rest[n:]
		in.mu.Unlock()
		return n, nil
	}
	if in.pending == nil {
		pending := make(chan chunk, 1) // so that the read ends without a taker
		in.pending = pending
		go func() {
			b := make([]byte, readSize)
			n, err := in.r.Read(b)
			pending <- chunk{b[:n], err}
		}()
	}
	pending := in.pending
	in.mu.Unlock()

	select {
	case c := <-pending:
		in.mu.Lock()
		defer in.mu.Unlock()
		n := copy(p, c.data)
		in.rest, in.pending = c.data[n:], nil
		return n, c.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
