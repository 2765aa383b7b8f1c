package group

import (
	"time"

	"github.com/gokconnect/connect/internal/assign"
)

// Codes of an Assignment.
const (
	NoError        int16 = 0
	ConfigMismatch int16 = 1 // the leader has not read as much of the configurations as others; all have to join again
)

// Assignment is what the leader tells a member to do.
type Assignment struct {
	Protocol  Protocol // may be beyond those that are known
	Error     int16
	Leader    string // its id
	LeaderURL string
	Offset    int64 // of the configurations that the leader looked at
	Assigned  assign.Work
	Revoked   assign.Work
	Delay     time.Duration // until the member has to join again; 0 is not at all
}

// Failed reports whether the leader could assign nothing.
func (a *Assignment) Failed() bool { return a.Error != NoError }

// Encode returns the bytes of the assignment in the version of the protocol. It fails if a name is too long.
func (a *Assignment) Encode(p Protocol) ([]byte, error) {
	w := writer{b: make([]byte, 0, 64+len(a.Leader)+len(a.LeaderURL)+16*(len(a.Assigned.Connectors)+len(a.Revoked.Connectors))+8*(len(a.Assigned.Tasks)+len(a.Revoked.Tasks)))}
	w.int16(int16(p))
	w.int16(a.Error)
	w.text("leader", a.Leader)
	w.text("leader-url", a.LeaderURL)
	w.int64(a.Offset)
	w.work("assignment", javaOrder(a.Assigned.Connectors), a.Assigned)
	if p.Cooperative() {
		w.work("revoked", a.Revoked.Connectors, a.Revoked)
		w.int32(int32(a.Delay.Milliseconds()))
	}
	return w.b, w.err
}

// DecodeAssignment reads an assignment of any version. Nil gives nil. Fields may be missing at the end, from the
// assigned work on; what follows the fields is ignored.
func DecodeAssignment(b []byte) (*Assignment, error) {
	if b == nil {
		return nil, nil
	}
	r := reader{b: b}
	a := &Assignment{Protocol: Protocol(r.version())}
	r.head(a)
	if r.next("assignment") {
		a.Assigned = r.work(true)
	}
	if r.next("revoked") {
		a.Revoked = r.work(true)
	}
	if r.next("delay") {
		a.Delay = time.Duration(r.int32()) * time.Millisecond
	}
	if r.err != nil {
		return nil, r.err
	}
	return a, nil
}

// DecodeEagerAssignment reads what a member of the eager protocol was assigned: what later versions have more is
// ignored, and no field may be missing.
func DecodeEagerAssignment(b []byte) (*Assignment, error) {
	r := reader{b: b}
	r.version()
	a := &Assignment{Protocol: Eager}
	r.head(a)
	r.field = "assignment"
	a.Assigned = r.work(false)
	if r.err != nil {
		return nil, r.err
	}
	return a, nil
}

func (r *reader) head(a *Assignment) {
	r.field = "error"
	a.Error = r.int16()
	r.field = "leader"
	a.Leader = r.text()
	r.field = "leader-url"
	a.LeaderURL = r.text()
	r.field = "config-offset"
	a.Offset = r.int64()
}

// next begins a field that may be missing, and reports whether it is there.
func (r *reader) next(field string) bool {
	r.field = field
	return r.err == nil && len(r.b) > 0
}
