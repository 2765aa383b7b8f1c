package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gokconnect/connect"
)

// Elsewhere is the error of a request that another worker has to answer. URL is where that is; "" if nobody knows.
type Elsewhere struct{ URL string }

func (e *Elsewhere) Error() string { return "another worker has to answer: " + e.URL }

// Conflict is the error of a request that has to wait for a rebalance.
func Conflict() *Error {
	return Errorf(http.StatusConflict, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)")
}

// forward has another worker answer a request. A request goes on twice at most: from a worker to the leader, and from
// there to the worker that runs what it is about.
func (s *Server) forward(r *request, to string) error {
	next := "true"
	if given := r.query["forward"]; len(given) > 0 {
		if !strings.EqualFold(given[0], "true") {
			return Conflict()
		}
		next = "false"
	}
	if to == "" {
		return Errorf(http.StatusConflict, "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.")
	}
	query := url.Values{"forward": {next}}
	for _, name := range []string{"includeTasks", "onlyFailed"} {
		if v := r.query[name]; len(v) > 0 {
			query.Set(name, v[0])
		}
	}
	body, err := r.content()
	if err != nil {
		return err
	}
	out, err := http.NewRequestWithContext(r.ctx, r.Method, strings.TrimSuffix(to, "/")+r.URL.EscapedPath()+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("Error trying to forward REST request: %w", err)
	}
	out.Header.Set("User-Agent", "kafka-connect")
	out.Header.Set("Accept", jsonType)
	if len(body) > 0 {
		out.Header.Set("Content-Type", jsonType)
	}
	if auth := r.Header.Get("Authorization"); auth != "" {
		out.Header.Set("Authorization", auth)
	}
	resp, err := s.Client.Do(out)
	if err != nil {
		return fmt.Errorf("IO Error trying to forward REST request: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, s.MaxBody))
	if err != nil {
		return fmt.Errorf("IO Error trying to forward REST request: %w", err)
	}
	switch {
	case resp.StatusCode >= http.StatusBadRequest:
		return remoteError(resp.StatusCode, answer)
	case resp.StatusCode < 200 || resp.StatusCode >= 300:
		return fmt.Errorf("Unexpected status code when handling forwarded request: %d", resp.StatusCode)
	}
	if at, err := url.Parse(resp.Header.Get("Location")); err == nil && at.Path != "" {
		r.w.Header().Set("Location", baseURL(r.Request)+at.EscapedPath())
	}
	if len(answer) == 0 {
		r.w.WriteHeader(resp.StatusCode)
		return nil
	}
	r.w.Header().Set("Content-Type", jsonType)
	r.w.WriteHeader(resp.StatusCode)
	_, _ = r.w.Write(answer) // the client has gone if this fails
	return nil
}

// remoteError returns the error of another worker.
func remoteError(status int, answer []byte) error {
	v, err := parse(answer)
	o, ok := v.(*object)
	if err != nil || !ok {
		return &Error{Status: status, Message: strings.TrimSpace(string(answer[:min(len(answer), 1000)])), Err: err}
	}
	message, err := text(o.values["message"])
	if err != nil || message == nil {
		return &Error{Status: status, Err: errors.New("an error without a message")}
	}
	e := &Error{Status: status, Message: *message}
	switch {
	case status == http.StatusNotFound:
		e.Err = connect.ErrNotFound
	case status == http.StatusConflict && !Busy(e):
		e.Err = connect.ErrAlreadyExists
	}
	return e
}
