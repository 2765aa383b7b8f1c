package clients

import (
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Admin returns the options of a client for administration with the properties. The error is a *[connect.ConfigError].
func (o Options) Admin(props map[string]string) ([]kgo.Opt, Warnings, error) {
	p, err := parse(KindAdmin, props)
	if err != nil {
		return nil, nil, err
	}
	opts, err := o.network(p)
	if err != nil {
		return nil, nil, err
	}
	opts = append(opts,
		kgo.RetryTimeout(max(millis(p, "default.api.timeout.ms"), time.Millisecond)),
		kgo.RequestRetries(min(p.Int("retries"), math.MaxInt32)),
	)
	if opts, err = o.finish(opts, p); err != nil {
		return nil, nil, err
	}
	return opts, p.finish(), nil
}

// Producer is [Options].Producer without extensions.
func Producer(props map[string]string) ([]kgo.Opt, ProducerExtra, Warnings, error) {
	return Options{}.Producer(props)
}

// Consumer is [Options].Consumer without extensions.
func Consumer(props map[string]string) ([]kgo.Opt, ConsumerExtra, Warnings, error) {
	return Options{}.Consumer(props)
}

// Admin is [Options].Admin without extensions.
func Admin(props map[string]string) ([]kgo.Opt, Warnings, error) { return Options{}.Admin(props) }
