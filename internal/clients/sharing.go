package clients

import "sync"

// Sharing is what the users of one producer agree on, so that none makes the client forget a topic while another sends to
// it. A client that forgets a topic fails what it has of it, but its users hear of that a moment later: what they send in
// that moment would arrive before what they have to send once more. It is safe for concurrent use.
type Sharing struct {
	mu         sync.Mutex // not held while anyone sends or forgets
	changed    *sync.Cond
	sending    int // users
	forgetting bool
	times      uint64
}

// NewSharing returns the Sharing of a new client.
func NewSharing() *Sharing {
	s := new(Sharing)
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Begin begins a run of records to send: the client forgets nothing until [Sharing.End]. It returns how often the client
// has forgotten topics. If that is more than when a user sent the records that it has in flight, it must not send others
// until it knows what became of those.
func (s *Sharing) Begin() (times uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.forgetting {
		s.changed.Wait()
	}
	s.sending++
	return s.times
}

// End ends what Begin began.
func (s *Sharing) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sending--; s.sending == 0 {
		s.changed.Broadcast()
	}
}

// Forget makes the client forget topics, by the function given, while no one sends.
func (s *Sharing) Forget(purge func(topics ...string), topics ...string) {
	s.mu.Lock()
	for s.forgetting {
		s.changed.Wait()
	}
	s.forgetting = true // before the last has ended, so that it comes to an end
	for s.sending > 0 {
		s.changed.Wait()
	}
	s.times++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forgetting = false
		s.changed.Broadcast()
	}()
	purge(topics...)
}
