package cluster

import (
	"context"
	"errors"
	"net/http"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/rest"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/gokconnect/connect/plugin/jsonconv"
)

// sourceLetters makes what a source task needs to write dead letters, and their topic; nil if it writes none.
func (rt *Runtime) sourceLetters(ctx context.Context, o worker.TaskOptions, s connectorConfig) (*worker.SourceLetters, error) {
	switch {
	case s.letters.Topic == "":
		return nil, nil
	case !s.Tolerate: // then the first record that fails ends the task, and is read again by the next run
		o.Logger.Warn("there will be no dead letters: records that fail are not given up without errors.tolerance=all", connconfig.DeadLettersKey, s.letters.Topic)
		return nil, nil
	}
	if err := rt.kafka.makeDeadLetters(ctx, s.letters); err != nil {
		return nil, err
	}
	json := jsonconv.New(jsonconv.Options{})
	return &worker.SourceLetters{
		ID: o.ID, Topic: s.letters.Topic, Headers: s.letters.ContextHeaders, Hide: rt.secrets.hide,
		JSON: func(ctx context.Context, topic string, s *connect.Schema, v any) ([]byte, error) {
			return json.FromConnect(ctx, topic, new(connect.RawHeaders), s, v)
		},
	}, nil
}

// apiDeadLetters is the runtime as the REST API sees its dead letters.
type apiDeadLetters struct{ rt *Runtime }

var _ rest.DeadLetters = apiDeadLetters{}

func (a apiDeadLetters) Replay(ctx context.Context, name string, o rest.ReplayOptions) (*rest.Replayed, error) {
	r, err := a.rt.ReplayDeadLetters(ctx, name, ReplayOptions(o))
	if errors.Is(err, connect.ErrIllegalState) {
		return nil, &rest.Error{Status: http.StatusBadRequest, Message: err.Error(), Err: err}
	}
	if err != nil {
		return nil, err
	}
	return &rest.Replayed{Replayed: r.Replayed, FailedAgain: r.FailedAgain, PassedOver: r.PassedOver, Foreign: r.Foreign, Unplaced: r.Unplaced, Classes: r.Classes, More: r.More}, nil
}
