package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Options is how a client is made beyond its properties: what the embedder of the runtime brings. The zero value brings
// nothing.
type Options struct {
	// Base are options that every client gets after those of its properties, such as a [kgo.Dialer] or hooks. With a
	// Dialer, TLS that the properties ask for is put around its connections.
	Base []kgo.Opt
	// Mechanism returns the SASL mechanism of a name that this package does not know, such as GSSAPI; nil knows none.
	Mechanism MechanismFunc
	// KeyStores opens key and trust stores that are not PEM; nil refuses them.
	KeyStores KeyStores
}

// KeyStores opens key and trust stores of Java. storeType is JKS or PKCS12 in upper case.
type KeyStores interface {
	Certificates(storeType string, content []byte, password string) ([]*x509.Certificate, error)
	Keys(storeType string, content []byte, password, keyPassword string) ([]tls.Certificate, error)
}

var errNoKeyStores = errors.New("only PEM can be read; hand in what opens JKS and PKCS#12 stores (package plugin/keystore)")

func (o Options) storeCertificates(storeType string, content []byte, password string) ([]*x509.Certificate, error) {
	if o.KeyStores == nil {
		return nil, errNoKeyStores
	}
	return o.KeyStores.Certificates(storeType, content, password)
}

func (o Options) storeKeys(storeType string, content []byte, password, keyPassword string) ([]tls.Certificate, error) {
	if o.KeyStores == nil {
		return nil, errNoKeyStores
	}
	return o.KeyStores.Keys(storeType, content, password, keyPassword)
}

// network returns the options that all kinds of clients share.
func (o Options) network(p *properties) ([]kgo.Opt, error) {
	seeds, err := seedBrokers(p.List("bootstrap.servers"))
	if err != nil {
		return nil, err
	}
	minAge := clamp(p, "retry.backoff.ms", 10*time.Millisecond, time.Minute)
	maxAge := clamp(p, "metadata.max.age.ms", minAge, time.Hour)
	requestTimeout := clamp(p, "request.timeout.ms", 100*time.Millisecond, 15*time.Minute)
	opts := []kgo.Opt{
		kgo.MetadataMinAge(minAge), // franz-go retries failed produce requests only after new metadata, by default 5 s later
		kgo.MetadataMaxAge(maxAge),
		kgo.ConnIdleTimeout(clamp(p, "connections.max.idle.ms", 100*time.Millisecond, 15*time.Minute)),
		kgo.RequestTimeoutOverhead(requestTimeout),
		kgo.RetryBackoffFn(backoff(
			max(millis(p, "retry.backoff.ms"), millis(p, "reconnect.backoff.ms")),
			max(millis(p, "retry.backoff.max.ms"), millis(p, "reconnect.backoff.max.ms")),
		)),
		kgo.DialTimeout(max(millis(p, "socket.connection.setup.timeout.ms"), time.Millisecond)),
	}
	if len(seeds) > 0 {
		opts = append(opts, kgo.SeedBrokers(seeds...))
		if strings.EqualFold(p.String("metadata.recovery.strategy"), "rebootstrap") {
			opts = append(opts, kgo.OnRebootstrapRequired(func() ([]string, error) { return seeds, nil }))
		}
	}
	if id := p.String("client.id"); id != "" {
		opts = append(opts, kgo.ClientID(id))
	}
	if !p.Bool("enable.metrics.push") {
		opts = append(opts, kgo.DisableClientMetrics())
	}
	auth, err := o.authentication(p)
	if err != nil {
		return nil, err
	}
	return append(opts, auth...), nil
}

func (o Options) authentication(p *properties) ([]kgo.Opt, error) {
	if !strings.HasPrefix(strings.ToUpper(p.String("security.protocol")), "SASL_") {
		return nil, nil
	}
	mechanism, err := o.mechanism(p)
	if err != nil {
		return nil, err
	}
	return []kgo.Opt{kgo.SASL(mechanism)}, nil
}

// finish puts the embedder's options behind those of the properties, and TLS, if the properties ask for it, around
// connections of either. An embedder's own TLS wins.
func (o Options) finish(opts []kgo.Opt, p *properties) ([]kgo.Opt, error) {
	opts = append(opts, o.Base...)
	if protocol := strings.ToUpper(p.String("security.protocol")); protocol != "SSL" && protocol != "SASL_SSL" {
		return opts, nil
	}
	config, err := o.tlsConfig(p)
	if err != nil {
		return nil, err
	}
	plain := func(options ...kgo.Opt) []kgo.Opt { return slices.Concat(o.Base, options) }
	switch refuse := func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }; {
	case kgo.ValidateOpts(plain(kgo.Dialer(refuse))...) != nil:
		return opts, nil // Base has a TLS configuration, which goes with no Dialer
	case kgo.ValidateOpts(plain(kgo.DialTLSConfig(config))...) == nil:
		return append(opts, kgo.DialTLSConfig(config)), nil // Base has no Dialer
	}
	cl, err := kgo.NewClient(plain(kgo.DisableClientMetrics())...) // to ask for the Dialer: it connects to nothing
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	dial, ok := cl.OptValue(kgo.Dialer).(func(context.Context, string, string) (net.Conn, error))
	if !ok {
		return nil, errors.New("the Dialer of the client options can't be found")
	}
	return append(opts, kgo.Dialer(dialTLS(dial, config))), nil
}

func dialTLS(dial func(context.Context, string, string) (net.Conn, error), config *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, host string) (net.Conn, error) {
		conn, err := dial(ctx, network, host)
		if err != nil {
			return nil, err
		}
		config := config
		if config.ServerName == "" {
			config = config.Clone()
			if config.ServerName, _, err = net.SplitHostPort(host); err != nil {
				config.ServerName = host
			}
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error is the one to show
			return nil, err
		}
		return secure, nil
	}
}

// bootstrapServer is Kafka's pattern of an address, with an optional protocol before it.
var bootstrapServer = regexp.MustCompile(`^(?:[0-9a-zA-Z\-%._]*://)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$`)

func seedBrokers(servers []string) ([]string, error) {
	seeds := make([]string, 0, len(servers))
	for _, server := range servers {
		m := bootstrapServer.FindStringSubmatch(server)
		if m == nil || m[1] == "" {
			return nil, connect.ConfigErrorf("bootstrap.servers", "Invalid url in bootstrap.servers: %s", server)
		}
		seeds = append(seeds, net.JoinHostPort(m[1], m[2]))
	}
	return seeds, nil
}

// backoff doubles the wait with each failure, up to longest, and spreads it by a fifth, as Kafka's clients do.
func backoff(first, longest time.Duration) func(int) time.Duration {
	longest = max(first, longest)
	return func(failures int) time.Duration {
		wait := min(float64(first)*math.Pow(2, float64(max(failures-1, 0))), float64(longest))
		return time.Duration(wait * (0.8 + 0.4*rand.Float64()))
	}
}

// millis returns a property in milliseconds, as long as a Duration can be.
func millis(p *properties, key string) time.Duration {
	n := p.Long(key)
	if n > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(n) * time.Millisecond
}

// clamp returns a property in milliseconds within what franz-go accepts, and warns if that is not what was asked for.
func clamp(p *properties, key string, lowest, highest time.Duration) time.Duration {
	n := millis(p, key)
	allowed := min(max(n, lowest), highest)
	if allowed != n {
		p.warn(key, "%s is %v: the client allows from %v to %v", key, allowed, lowest, highest)
	}
	return allowed
}
