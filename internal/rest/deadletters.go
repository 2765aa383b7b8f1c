package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DeadLetters is what the API asks of dead letters. Kafka Connect has nothing like it: without one the paths are not there.
type DeadLetters interface {
	// Replay puts dead letters of a sink connector once more.
	Replay(ctx context.Context, name string, o ReplayOptions) (*Replayed, error)
}

// ReplayOptions say which dead letters are taken. Zero is no bound.
type ReplayOptions struct {
	Max      int
	Within   time.Duration
	From, To time.Time
	Classes  []string
	DryRun   bool
}

// Replayed is what became of dead letters.
type Replayed struct {
	Replayed, FailedAgain, PassedOver, Foreign, Unplaced int
	Classes                                              map[string]int
	More                                                 bool
}

// replayTime is how long a request takes letters: less than a request may take.
const replayTime = 60 * time.Second

func deadLetterRoutes() []route {
	return []route{{path("/connectors/{}/dead-letters/replay"), map[string]endpoint{http.MethodPost: {serve: (*Server).replay, anyBody: true}}}}
}

func (s *Server) replay(r *request) (*answer, error) {
	o := ReplayOptions{Within: replayTime, Classes: r.query["class"]}
	var err error
	if o.DryRun, err = dryRun(r); err != nil {
		return nil, err
	}
	if v := r.query["max"]; len(v) > 0 {
		if o.Max, err = strconv.Atoi(v[0]); err != nil || o.Max <= 0 {
			return nil, Errorf(http.StatusBadRequest, "Invalid value %q for parameter max: it is a number above 0", v[0])
		}
	}
	for name, into := range map[string]*time.Time{"from": &o.From, "to": &o.To} {
		if v := r.query[name]; len(v) > 0 {
			if *into, err = time.Parse(time.RFC3339, v[0]); err != nil {
				return nil, Errorf(http.StatusBadRequest, "Invalid value %q for parameter %s: it is a time such as 2026-01-31T12:00:00Z", v[0], name)
			}
		}
	}
	out, err := s.DeadLetters.Replay(r.ctx, r.params[0], o)
	if err != nil {
		return nil, err
	}
	classes := make(ordered, 0, len(out.Classes))
	for class, n := range out.Classes {
		classes = append(classes, member{class, n})
	}
	slices.SortFunc(classes, func(a, b member) int { return strings.Compare(a.key, b.key) })
	return ok(ordered{{"replayed", out.Replayed}, {"failed_again", out.FailedAgain}, {"passed_over", out.PassedOver}, {"foreign", out.Foreign},
		{"unplaced", out.Unplaced}, {"classes", classes}, {"more", out.More}})
}
