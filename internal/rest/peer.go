package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Peers are the other workers.
type Peers struct {
	// Client sends requests. It must not follow redirects.
	Client *http.Client
}

// askTimeout is how long another worker may take to answer: a round of fencing may take 90 s. One that hangs would hold up
// a connector or task for ever.
const askTimeout = 2 * time.Minute

// Ask sends a request of this worker's own to another one. To is the URL that it is known by; path is below it, with its
// segments escaped (see [Path]). The body is JSON, nil for none. A signature, unless it is nil, is for the body. The error
// of the other worker is an [*Error] with its status and message.
func (p Peers) Ask(ctx context.Context, method, to, path string, body []byte, signature *Signature) error {
	ctx, cancel := context.WithTimeoutCause(ctx, askTimeout, fmt.Errorf("it did not answer within %v", askTimeout))
	defer cancel()
	out, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(to, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("request to worker %s: %w", to, err)
	}
	out.Header.Set("User-Agent", "kafka-connect")
	out.Header.Set("Accept", jsonType)
	if len(body) > 0 {
		out.Header.Set("Content-Type", jsonType)
	}
	if signature != nil {
		signature.Set(out.Header)
	}
	resp, err := p.Client.Do(out)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return fmt.Errorf("request to worker %s: %w", to, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, DefaultMaxBody))
	switch {
	case err != nil:
		return fmt.Errorf("answer of worker %s: %w", to, err)
	case resp.StatusCode >= http.StatusBadRequest:
		return remoteError(resp.StatusCode, answer)
	case resp.StatusCode < 200 || resp.StatusCode >= 300:
		return fmt.Errorf("worker %s answered with the status %d, which no worker does", to, resp.StatusCode)
	}
	return nil
}

// Path returns the path of segments, escaped.
func Path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// EncodeConfigs returns the body of a request that gives the configurations of tasks, as Kafka Connect writes it.
// It does not use appendJSON, so that a program without the API doesn't link that.
func EncodeConfigs(configs []Config) []byte {
	b := []byte{'['}
	for i, c := range configs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendConfig(b, c)
	}
	return append(b, ']')
}
