package clients

import (
	"crypto/tls"
	"strings"

	"github.com/gokconnect/connect"
)

// ServerTLS returns the TLS configuration of a listener of a worker. Its ssl.* properties are those below the prefix, such as
// listeners.https., or, if there is none, those without it. The error is a *[connect.ConfigError].
func (o Options) ServerTLS(worker connect.Config, prefix string) (*tls.Config, error) {
	client, auth, err := o.listenerTLS(worker, prefix)
	if err != nil {
		return nil, err
	}
	if len(client.Certificates) == 0 {
		return nil, connect.ConfigErrorf(prefix+"ssl.keystore.location", "a listener with TLS needs a key: %sssl.keystore.location or %sssl.keystore.key and %sssl.keystore.certificate.chain",
			prefix, prefix, prefix)
	}
	server := &tls.Config{
		Certificates: client.Certificates, ClientCAs: client.RootCAs, MinVersion: client.MinVersion, MaxVersion: client.MaxVersion,
		CipherSuites: client.CipherSuites, NextProtos: []string{"http/1.1"},
	}
	switch auth {
	case "", "none":
	case "requested":
		server.ClientAuth = tls.VerifyClientCertIfGiven
	case "required":
		server.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return nil, connect.InvalidValue(prefix+"ssl.client.auth", auth, "String must be one of: required, requested, none")
	}
	return server, nil
}

// PeerTLS returns the TLS configuration for requests to the listeners of other workers that are configured like this one.
func (o Options) PeerTLS(worker connect.Config, prefix string) (*tls.Config, error) {
	client, _, err := o.listenerTLS(worker, prefix)
	return client, err
}

// listenerTLS returns what the properties of a listener are for a client, and what the listener asks of clients.
func (o Options) listenerTLS(worker connect.Config, prefix string) (config *tls.Config, clientAuth string, err error) {
	props := make(map[string]string)
	for key, value := range worker {
		if rest, ok := strings.CutPrefix(key, prefix); ok && strings.HasPrefix(rest, "ssl.") {
			props[rest] = value
		}
	}
	if len(props) == 0 {
		for key, value := range worker {
			if strings.HasPrefix(key, "ssl.") {
				props[key] = value
			}
		}
	}
	clientAuth = strings.ToLower(strings.TrimSpace(props["ssl.client.auth"]))
	delete(props, "ssl.client.auth")
	props["bootstrap.servers"] = "none:0" // a client needs one
	p, err := parse(KindAdmin, props)
	if err != nil {
		return nil, "", err
	}
	config, err = o.tlsConfig(p)
	return config, clientAuth, err
}
