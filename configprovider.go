package connect

import (
	"context"
	"time"
)

// ConfigProvider resolves the placeholders ${provider:path:key} and ${provider:key} of connector configurations, such as
// the secrets of a file or a vault. Resolved values live in the memory of the connector or task that uses them alone;
// the config topic, the REST API, logs and errors keep the placeholder.
//
// One instance serves all connectors of a worker; it is used concurrently. Its optional interface is [io.Closer],
// which is called once, when the worker stops.
type ConfigProvider interface {
	// Get returns the values of keys at path, or of all keys there if keys is nil; path is "" for a placeholder
	// without one. A key that is not there is left out of the result, and its placeholder is then left as it is: that
	// is no error. An error fails the start or the validation that asked for the value. It must not name a secret.
	// ctx ends with the deadline of the request.
	Get(ctx context.Context, path string, keys []string) (ConfigData, error)
}

// ConfigData is what a [ConfigProvider] found.
type ConfigData struct {
	// Values are the values by key. The receiver must not change them.
	Values map[string]string
	// TTL is how long the values are good for, to the millisecond, if HasTTL; without it for ever. When it ends, and
	// config.action.reload is restart, the runtime restarts the connector. A negative TTL is an error.
	TTL    time.Duration
	HasTTL bool
}
