package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
)

// Error is an error with a status of its own.
type Error struct {
	Status  int
	Message string
	Err     error // the cause, or its kind, or nil; it is not part of the answer
}

// Errorf returns an [*Error].
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Message: fmt.Sprintf(format, args...)}
}

// NotFoundf returns an [*Error] of status 404 that wraps [connect.ErrNotFound].
func NotFoundf(format string, args ...any) *Error {
	return &Error{http.StatusNotFound, fmt.Sprintf(format, args...), connect.ErrNotFound}
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// describe returns the status and the message that an error is answered with.
func (s *Server) describe(ctx context.Context, err error) (int, string) {
	var own *Error
	var request *connconfig.RequestError
	var body *bodyError
	switch {
	case errors.As(err, &own):
		return own.Status, own.Message
	case errors.As(err, &request):
		return http.StatusBadRequest, request.Message
	case errors.As(err, &body) && !s.JavaErrors:
		return http.StatusBadRequest, err.Error()
	case errors.Is(err, connect.ErrNotFound):
		return http.StatusNotFound, err.Error()
	case errors.Is(err, connect.ErrAlreadyExists):
		return http.StatusConflict, err.Error()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		message := "Request timed out"
		if stage := s.Worker.Stage(); stage != "" {
			message += ". " + stage
		}
		return http.StatusInternalServerError, message
	}
	return http.StatusInternalServerError, err.Error()
}
