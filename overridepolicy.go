package connect

import "context"

// OverridePolicy decides which client properties a connector may set by producer.override.*, consumer.override.* and
// admin.override.*. One instance serves a whole worker; it is used concurrently. Its optional interface is [io.Closer],
// which is called once, when the worker stops.
type OverridePolicy interface {
	// Validate returns one value for each property of the request, in any order, named without a prefix; a value with
	// errors is refused. It is called when a configuration is validated and again when a client is made for it. An
	// error means that no decision was possible, and fails what asked for it.
	Validate(ctx context.Context, req OverrideRequest) ([]ConfigValue, error)
}

// OverrideRequest is what an [OverridePolicy] decides on.
type OverrideRequest struct {
	Connector string // the name of the connector
	Class     string // the class of the connector
	Kind      Kind   // KindSource or KindSink
	Client    string // "producer", "consumer" or "admin"
	// Properties are the properties without their prefix, as text; the value of an unset one (null) is "". The policy
	// must not change them.
	Properties map[string]string
}
