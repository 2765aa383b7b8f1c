package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Busy reports whether an error says that a request can't be answered for the moment: because of a rebalance, on this
// worker or another, or because the other worker is not there and so has not taken it.
func Busy(err error) bool {
	var own *Error
	if errors.As(err, &own) {
		return own.Status == http.StatusConflict && strings.HasPrefix(own.Message, "Cannot complete request")
	}
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// The pauses of [Patiently].
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// Patiently calls f until its error is not [Busy] any more, or for as long as limit. The error then says what it waited for.
func Patiently(ctx context.Context, limit time.Duration, stage func() string, f func() error) error {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := f()
		waited := time.Since(began)
		if limit <= 0 || !Busy(err) {
			return err
		}
		if waited < limit {
			timer := time.NewTimer(min(pause, limit-waited))
			select {
			case <-timer.C:
				continue
			case <-ctx.Done():
				timer.Stop()
			}
		}
		message := fmt.Sprintf("%s It was tried for %v.", strings.TrimSuffix(err.Error(), ".")+".", waited.Round(time.Millisecond))
		if s := stage(); s != "" {
			message += " " + s
		}
		return &Error{Status: http.StatusConflict, Message: message, Err: err}
	}
}
