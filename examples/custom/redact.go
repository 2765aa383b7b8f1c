package main

import (
	"context"
	"regexp"

	"github.com/gokconnect/connect"
)

// redactConfig are the keys of a redact.
type redactConfig struct {
	Pattern     regexp.Regexp `connect:"pattern" importance:"high" doc:"What is taken out, as a regular expression of Go."`
	Replacement string        `connect:"replacement" default:"***" doc:"What stands in its place."`
}

// redact is a transformation that takes parts out of values that are texts, and passes all others.
type redact struct{ cfg redactConfig }

// newRedact makes a redact from its configuration.
func newRedact(cfg connect.Config) (connect.Transformation, error) {
	c, err := connect.Bind[redactConfig](cfg)
	if err != nil {
		return nil, err
	}
	return &redact{c}, nil
}

// Apply changes one record.
func (r *redact) Apply(_ context.Context, rec *connect.Record) (*connect.Record, error) {
	if text, ok := rec.Value.(string); ok {
		rec.Value = r.cfg.Pattern.ReplaceAllLiteralString(text, r.cfg.Replacement)
	}
	return rec, nil
}
