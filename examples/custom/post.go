package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/gokconnect/connect"
)

// postConfig are the keys of a Post.
type postConfig struct {
	URL string `connect:"url" importance:"high" validate:"nonempty" doc:"Where each batch of values is sent as a JSON array."`
}

// Post is a sink connector that posts the values of records, which have to be texts, to an HTTP server. A batch may be
// posted again after an error.
type Post struct {
	Client *http.Client // nil is http.DefaultClient
	cfg    connect.Config
}

// Start takes the configuration, which was validated.
func (p *Post) Start(_ context.Context, _ connect.ConnectorContext, cfg connect.Config) error {
	p.cfg = cfg
	return nil
}

// TaskConfigs gives all tasks the same: Kafka divides the partitions between them.
func (p *Post) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	configs := make([]connect.Config, maxTasks)
	for i := range configs {
		configs[i] = maps.Clone(p.cfg)
	}
	return configs, nil
}

// Stop has nothing to release.
func (p *Post) Stop(context.Context) error { return nil }

// NewTask returns a task. It may be called on a Post that was never started.
func (p *Post) NewTask() connect.SinkTask { return &postTask{client: clientOr(p.Client)} }

// postTask posts the records of some partitions.
type postTask struct {
	client *http.Client
	cfg    postConfig
}

// Start takes the configuration.
func (t *postTask) Start(_ context.Context, _ connect.SinkTaskContext, cfg connect.Config) (err error) {
	t.cfg, err = connect.Bind[postConfig](cfg)
	return err
}

// Put posts a batch. A record that is no text fails alone, once the others have arrived.
func (t *postTask) Put(ctx context.Context, records []connect.SinkRecord) error {
	var failed connect.BatchError
	values := make([]string, 0, len(records))
	for i, r := range records {
		if text, ok := r.Value.(string); ok {
			values = append(values, text)
		} else {
			failed.Fail(i, connect.DataErrorf("value is %T, expected a text", r.Value))
		}
	}
	if len(values) > 0 {
		if err := t.post(ctx, values); err != nil {
			return err
		}
	}
	return failed.ErrorOrNil()
}

func (t *postTask) post(ctx context.Context, values []string) error {
	body, err := json.Marshal(values)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = do(t.client, req)
	return err
}

// Stop has nothing to release.
func (t *postTask) Stop(context.Context) error { return nil }
