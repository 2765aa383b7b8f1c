package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Config is what a [Runtime] needs. Brokers and GroupID are required; everything else has a default.
type Config struct {
	// Brokers are addresses of Kafka brokers, HOST:PORT.
	Brokers []string
	// GroupID names the cluster of instances that share the work, and, unless Worker names others, its internal topics:
	// GroupID-configs, GroupID-offsets and GroupID-status.
	GroupID string
	// Client is added to the options of every Kafka client, for what has no key in Worker: a dialer, hooks, SASL.
	Client []kgo.Opt
	// KeyStores opens JKS and PKCS#12 stores that ssl.* keys name: package plugin/keystore. Default: PEM only.
	KeyStores KeyStores
	// Mechanism makes the SASL mechanisms that the runtime lacks, such as GSSAPI (package plugin/kerberos). Default: PLAIN,
	// SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER only.
	Mechanism Mechanism
	// Worker is configuration by Kafka Connect's own worker keys, such as offset.flush.interval.ms,
	// producer.compression.type or config.providers.
	Worker connect.Config
	// Providers are config providers by the names that placeholders use, ${NAME:PATH:KEY}, besides those that Worker names
	// by config.providers. They are used by many goroutines at once, and are not closed.
	Providers map[string]connect.ConfigProvider
	// Plugins are the plugins that connector configurations can name, besides the built-in ones (see [Builtins]).
	Plugins *connect.Registry
	// Key, Value and Header are the converters of connectors that name none. Default: text, unless Worker says otherwise (key.converter,
	// value.converter, header.converter). They are used by many tasks at once, and none closes them.
	Key, Value connect.Converter
	Header     connect.HeaderConverter
	// Coordinator brings the instances together. Default: membership in the Kafka group GroupID, with the timeouts of
	// Worker (session.timeout.ms and others). Others are [Standalone] and [Hub.Join].
	Coordinator Coordinator
	// Offsets is where source offsets are kept. Default: the topic offset.storage.topic of Worker, or GroupID-offsets.
	Offsets offsets.Store
	// Restart says how tasks that failed are restarted.
	Restart RestartPolicy
	// StallAfter is how long a call into a connector may take before it is reported. Default: 1 minute. Negative:
	// never.
	StallAfter time.Duration
	// Authenticate checks the credentials of requests to the REST API (basic authentication), for the extension
	// BasicAuthSecurityRestExtension of rest.extension.classes; with it, requests need some. It is called concurrently.
	// Default: everyone may do everything.
	Authenticate func(user, password string) bool
	// RESTExtensions are what rest.extension.classes of Worker can name, and those that are always there; the first is the
	// outermost. Default: none.
	RESTExtensions []RESTExtension
	// URL is where the other instances, and Java workers of the group, reach [Runtime.Handler] if the program serves it itself:
	// "http://10.0.0.7:8080/connect/". They send it the requests that this instance has to answer. Default: what
	// [Runtime.ListenAndServe] listens on, or rest.advertised.host.name and rest.advertised.port of Worker; without any of
	// these the instance can't be reached, which the others get along with, but Java workers don't.
	URL string
	// RebalanceWait is how long a request, or a method of the runtime, waits that a rebalance keeps from being served. Then
	// it fails, as a conflict, and says what it waited for. Default: 30 s. Negative: it fails at once, as in Kafka Connect.
	RebalanceWait time.Duration
	// Peers sends requests to other instances. Default: a transport with the certificates of listeners.https.* of Worker.
	Peers http.RoundTripper
	// MeterProvider gets the metrics of the runtime, its connectors and tasks: docs/metrics.md lists them. Default: nothing is measured.
	MeterProvider metric.MeterProvider
	// TracerProvider gets a span for each batch that a task moves: docs/traces.md lists them. Default: nothing is traced.
	TracerProvider trace.TracerProvider
	// TraceHeaders has the records of sources carry the context of their batch's span in the header traceparent
	// (https://www.w3.org/TR/trace-context), so that those who consume them find it. A record that has such a header keeps
	// it. Sinks link to what their records carry in any case. Default: records are sent as they are.
	TraceHeaders bool
	// Logger gets what the runtime and its connectors have to say. Default: nothing is logged.
	Logger *slog.Logger

	javaDefaults bool
	java         javaWays
}

// javaWays are what only [KafkaConnectDefaults] needs. Programs that don't call it don't link it.
type javaWays struct {
	describe   func(f *tolerance.Failure, messages bool) string
	awaitTopic func(ctx context.Context, cl *kgo.Client, topic string, partition int32, block time.Duration) (partitions int32, err error)
}

// KeyStores opens key and trust stores that are not PEM. storeType is JKS or PKCS12.
type KeyStores interface {
	Certificates(storeType string, content []byte, password string) ([]*x509.Certificate, error)
	Keys(storeType string, content []byte, password, keyPassword string) ([]tls.Certificate, error)
}

// Mechanism makes the SASL mechanism of that name (sasl.mechanism) for a client with these properties; jaas are the options
// of the login module in its sasl.jaas.config, empty if there is none. nil without an error means that it does not know the
// name: the runtime's own are taken then. It is called possibly concurrently; several clients may share
// what it returns, so that it must not be a [sasl.ClosingMechanism].
type Mechanism func(name string, props, jaas map[string]string) (sasl.Mechanism, error)

// RestartPolicy says how tasks that failed are restarted: with a growing wait, and not at all after errors that no
// restart mends (data, configuration, [connect.Fatal]).
type RestartPolicy struct {
	// Max is how many restarts in a row are made before a task is FAILED. Default: 10. Negative: none, which is what
	// Kafka Connect does.
	Max int
	// First is the wait before the first restart. It doubles each time up to Limit. Default: 1 s and 1 minute.
	First, Limit time.Duration
	// Healthy is how long a task has to run for its failures to be forgotten. Default: 5 minutes.
	Healthy time.Duration
	// Classes are kinds of errors with a budget of their own; the first that matches an error decides, and its failures
	// don't count for others. No class restarts a task after an error that no restart mends. Default: none.
	Classes []RestartClass
}

// RestartClass is a kind of errors that has a budget of its own.
type RestartClass struct {
	// Match says whether an error of a task is of the class. It is called on the task's goroutine after each failure,
	// concurrently for several tasks, and must not block. One that is nil or panics does not match.
	Match func(error) bool
	// Policy is how tasks are restarted after such errors. What it leaves out is as in the policy that the class is of;
	// its Classes are ignored.
	Policy RestartPolicy
}

func (p RestartPolicy) policy() worker.RestartPolicy {
	out := p.over(worker.DefaultRestart)
	for _, c := range p.Classes {
		out.Classes = append(out.Classes, worker.RestartClass{Match: c.Match, Policy: c.Policy.over(p.over(worker.DefaultRestart))})
	}
	return out
}

// over returns base with what p sets.
func (p RestartPolicy) over(base worker.RestartPolicy) worker.RestartPolicy {
	out := base
	switch {
	case p.Max < 0:
		out.Max = 0
	case p.Max > 0:
		out.Max = p.Max
	}
	if p.First > 0 {
		out.First = p.First
	}
	if p.Limit > 0 {
		out.Limit = p.Limit
	}
	if p.Healthy > 0 {
		out.Healthy = p.Healthy
	}
	return out
}

// KafkaConnectDefaults returns cfg with every deliberate departure from Kafka Connect's behaviour turned off:
// failed tasks stay FAILED, sources have no dead letters, requests don't wait for a rebalance, validation shows the values that config providers gave, and
// others. docs/compatibility.md lists the departures.
func KafkaConnectDefaults(cfg Config) Config {
	cfg.javaDefaults = true
	cfg.java = javaWays{describe: tolerance.Describe, awaitTopic: awaitTopic}
	cfg.Restart.Max, cfg.Restart.Classes = -1, nil
	cfg.RebalanceWait = -1
	return cfg
}

func (c Config) withDefaults() Config {
	if c.StallAfter == 0 {
		c.StallAfter = time.Minute
	}
	if c.RebalanceWait == 0 {
		c.RebalanceWait = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("Brokers is empty: it needs the address of at least one Kafka broker, HOST:PORT"))
	}
	for _, b := range c.Brokers {
		if b == "" {
			errs = append(errs, fmt.Errorf("Brokers %q has an empty address", c.Brokers))
		}
	}
	if c.GroupID == "" {
		errs = append(errs, errors.New("GroupID is empty: it names the cluster and its internal topics"))
	}
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil) {
		errs = append(errs, fmt.Errorf("URL %q is not of the form http://HOST:PORT/PATH or https://HOST:PORT/PATH", c.URL))
	}
	for _, name := range configprovider.Names(c.Worker) {
		if _, ok := c.Providers[name]; ok {
			errs = append(errs, fmt.Errorf("Providers and Worker's config.providers both have a provider %q", name))
		}
	}
	for name, p := range c.Providers {
		if p == nil {
			errs = append(errs, fmt.Errorf("Providers[%q] is nil", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cluster.Config: %w", err)
	}
	return nil
}
