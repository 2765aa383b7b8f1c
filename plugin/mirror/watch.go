package mirror

import (
	"log/slog"
	"time"
)

const (
	// reachEvery is the time between two attempts to reach a cluster that gives nothing, and between two reports of the
	// same trouble.
	reachEvery = 30 * time.Second
	// reachTimeout is how long one takes at most.
	reachTimeout = 10 * time.Second
)

// watch reports trouble with a cluster when it begins, now and then while it lasts, and when it has ended. It is used by
// one goroutine.
type watch struct {
	every time.Duration
	log   *slog.Logger
	what  string

	next   time.Time // of the next check
	report time.Time // of the next report
	text   string    // of the trouble; "" is none
}

// due reports whether it is time to look again: at once if things worked so far, as long as they did for a while.
func (w *watch) due() bool {
	now := time.Now()
	if now.Before(w.next) {
		return false
	}
	w.next = now.Add(w.every)
	return true
}

func (w *watch) fails(err error) {
	now, text := time.Now(), err.Error()
	if text == w.text && now.Before(w.report) {
		return
	}
	w.text, w.report = text, now.Add(w.every)
	w.log.Error("there is trouble with the "+w.what+"; it is tried again until it ends", "err", err)
}

func (w *watch) works() {
	w.next = time.Now().Add(w.every)
	if w.text != "" {
		w.log.Info("the " + w.what + " answers again")
		w.text = ""
	}
}
