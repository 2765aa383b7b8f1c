package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// feedConfig are the keys of a Feed.
type feedConfig struct {
	URL      string        `connect:"url" importance:"high" validate:"nonempty" doc:"Where the feed is. It is asked with ?after=N for the events behind number N."`
	Topic    string        `connect:"topic" importance:"high" validate:"nonempty" doc:"Where the events go."`
	Interval time.Duration `connect:"interval.ms" default:"10000" validate:"min=1" doc:"The time between two looks when there was nothing new."`
}

// event is what a feed answers an array of.
type event struct {
	Number int64           `json:"number"`
	Data   json.RawMessage `json:"data"`
}

// Feed is a source connector for feeds: HTTP resources with numbered events. It has one task.
type Feed struct {
	Client *http.Client // nil is http.DefaultClient
	cfg    connect.Config
}

// Start takes the configuration, which was validated.
func (f *Feed) Start(_ context.Context, _ connect.ConnectorContext, cfg connect.Config) error {
	f.cfg = cfg
	return nil
}

// TaskConfigs gives the only task everything.
func (f *Feed) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return []connect.Config{maps.Clone(f.cfg)}, nil
}

// Stop has nothing to release.
func (f *Feed) Stop(context.Context) error { return nil }

// NewTask returns the task. It may be called on a Feed that was never started.
func (f *Feed) NewTask() connect.SourceTask { return &feedTask{client: clientOr(f.Client)} }

// feedTask asks one feed.
type feedTask struct {
	client    *http.Client
	cfg       feedConfig
	partition connect.Fields
	after     int64 // the number of the last event that was returned
	idle      bool  // there was nothing new
}

// Start goes on where the last run stopped.
func (t *feedTask) Start(ctx context.Context, tc connect.SourceTaskContext, cfg connect.Config) (err error) {
	if t.cfg, err = connect.Bind[feedConfig](cfg); err != nil {
		return err
	}
	t.partition = connect.Fields{"url": t.cfg.URL}
	stored, err := tc.Offsets().Offset(ctx, t.partition)
	if err != nil {
		return err
	}
	t.after, _ = stored["number"].(int64) // 0 if there is none
	return nil
}

// Poll returns the next events, or nothing after a wait.
func (t *feedTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	if t.idle {
		select {
		case <-time.After(t.cfg.Interval):
		case <-ctx.Done():
			return nil, nil
		}
	}
	events, err := t.ask(ctx)
	if ctx.Err() != nil {
		return nil, nil // nothing is lost: the next run asks again
	}
	if err != nil {
		return nil, err
	}
	t.idle = len(events) == 0
	records := make([]connect.SourceRecord, len(events))
	for i, e := range events {
		t.after = e.Number
		records[i] = connect.SourceRecord{
			Record:          connect.Record{Topic: t.cfg.Topic, ValueSchema: connect.StringSchema, Value: string(e.Data)},
			SourcePartition: t.partition,
			SourceOffset:    connect.Fields{"number": e.Number},
		}
	}
	return records, nil
}

// ask asks for the events behind the last one. What may go away is Retriable: the runtime then calls Poll again.
func (t *feedTask) ask(ctx context.Context) ([]event, error) {
	u, err := url.Parse(t.cfg.URL)
	if err != nil {
		return nil, err
	}
	query := u.Query()
	query.Set("after", strconv.FormatInt(t.after, 10))
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	body, err := do(t.client, req)
	if err != nil {
		return nil, err
	}
	var events []event
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, fmt.Errorf("%s does not answer with events: %w", t.cfg.URL, err)
	}
	return events, nil
}

// Stop has nothing to release.
func (t *feedTask) Stop(context.Context) error { return nil }

func clientOr(c *http.Client) *http.Client {
	if c == nil {
		return http.DefaultClient
	}
	return c
}

// maxBody is the most that is read of an answer.
const maxBody = 16 << 20

// do sends a request and returns the answer. Its error says whether another attempt is of use.
func do(client *http.Client, req *http.Request) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, connect.Retriable(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case err != nil:
		return nil, connect.Retriable(err)
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return nil, connect.Retriable(fmt.Errorf("%s answers %s", req.URL, resp.Status))
	case resp.StatusCode >= 300:
		return nil, fmt.Errorf("%s answers %s", req.URL, resp.Status)
	}
	return body, nil
}
