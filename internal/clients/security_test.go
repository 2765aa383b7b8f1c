package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gokconnect/connect/plugin/keystore"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
)

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// broker starts a cluster and returns its bootstrap servers.
func broker(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return strings.Join(c.ListenAddrs(), ",")
}

// brokerTLS is the TLS configuration of a broker; with clients it wants certificates of clients.
func brokerTLS(t *testing.T, clients bool) *tls.Config {
	t.Helper()
	cert, err := tls.LoadX509KeyPair("testdata/broker.crt", "testdata/broker.key")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	if clients {
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM([]byte(read(t, "ca.pem")))
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config
}

// ping connects with the properties.
func ping(t *testing.T, o Options, servers string, props map[string]string) error {
	t.Helper()
	all := map[string]string{"bootstrap.servers": servers}
	for key, value := range props {
		all[key] = value
	}
	opts, _, err := o.Admin(all)
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(append(opts, kgo.RequestRetries(0))...)
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return cl.Ping(ctx)
}

func TestTLS(t *testing.T) {
	open := broker(t, kfake.TLS(brokerTLS(t, false)))
	mutual := broker(t, kfake.TLS(brokerTLS(t, true)))
	type p = map[string]string
	with := func(base p, more p) p {
		all := p{"security.protocol": "SSL"}
		for _, m := range []p{base, more} {
			for key, value := range m {
				all[key] = value
			}
		}
		return all
	}
	trust := p{"ssl.truststore.location": "testdata/trust.jks", "ssl.truststore.password": "changeit"}
	keyValues := p{"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": read(t, "client.crt")}
	for _, tt := range []struct {
		name    string
		servers string
		props   p
		err     string // part of the error; empty: none
	}{
		{"JKS trust", open, with(trust, nil), ""},
		{"PKCS12 trust", open, with(p{"ssl.truststore.location": "testdata/trust.p12", "ssl.truststore.password": "changeit", "ssl.truststore.type": "PKCS12"}, nil), ""},
		{"PKCS12 under the default type", open, with(p{"ssl.truststore.location": "testdata/trust.p12", "ssl.truststore.password": "changeit"}, nil), ""},
		{"PEM trust", open, with(p{"ssl.truststore.location": "testdata/ca.pem", "ssl.truststore.type": "PEM"}, nil), ""},
		{"PEM trust as value", open, with(p{"ssl.truststore.certificates": read(t, "ca.pem"), "ssl.truststore.type": "PEM"}, nil), ""},
		{"not trusted", open, with(nil, nil), "certificate"},
		{"wrong password", open, with(trust, p{"ssl.truststore.password": "wr0ng"}), "testdata/trust.jks can't be used"},
		{"wrong password of PKCS12", open, with(p{"ssl.truststore.location": "testdata/trust.p12", "ssl.truststore.password": "wr0ng"}, nil), "testdata/trust.p12 can't be used"},
		{"no TLS", open, p{}, "is TLS missing?"},
		{"TLS 1.2", open, with(trust, p{"ssl.enabled.protocols": "TLSv1.2", "ssl.cipher.suites": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}), ""},
		{"no certificate", mutual, with(trust, nil), "certificate"},
		{"JKS key", mutual, with(trust, p{"ssl.keystore.location": "testdata/client.jks", "ssl.keystore.password": "changeit", "ssl.key.password": "keychangeit"}), ""},
		{"JKS key, wrong password of the key", mutual, with(trust, p{"ssl.keystore.location": "testdata/client.jks", "ssl.keystore.password": "changeit"}), "can't be opened with the key's password"},
		{"PKCS12 key", mutual, with(trust, p{"ssl.keystore.location": "testdata/client.p12", "ssl.keystore.password": "changeit", "ssl.keystore.type": "PKCS12"}), ""},
		{"PEM key", mutual, with(trust, p{"ssl.keystore.location": "testdata/client.pem", "ssl.keystore.type": "PEM"}), ""},
		{"PEM key as value", mutual, with(trust, with(keyValues, p{"ssl.keystore.key": read(t, "client.key")})), ""},
		{"encrypted PEM key", mutual, with(trust, with(keyValues, p{"ssl.keystore.key": read(t, "client.enc.key"), "ssl.key.password": "secret"})), ""},
		{"PEM key encrypted with DES3", mutual, with(trust, with(keyValues, p{"ssl.keystore.key": read(t, "client.des3.key"), "ssl.key.password": "secret"})), ""},
		{"encrypted PEM key, wrong password", mutual, with(trust, with(keyValues, p{"ssl.keystore.key": read(t, "client.enc.key"), "ssl.key.password": "wr0ng"})), "the private key can't be decrypted"},
		{"encrypted PEM key, no password", mutual, with(trust, with(keyValues, p{"ssl.keystore.key": read(t, "client.enc.key")})), "ssl.key.password is not specified"},
		{"another's key", mutual, with(trust, with(keyValues, p{"ssl.keystore.key": read(t, "broker.key")})), "does not belong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := ping(t, Options{KeyStores: keystore.Java{}}, tt.servers, tt.props)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			for _, secret := range []string{"changeit", "wr0ng"} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("a secret is shown: %v", err)
				}
			}
		})
	}
}

// TestHostname also shows that TLS is put around the connections of an embedder's Dialer.
func TestHostname(t *testing.T) {
	addr := broker(t, kfake.TLS(brokerTLS(t, false)))
	var dials atomic.Int32
	o := Options{Base: []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, addr) // whatever the name
	})}}
	props := map[string]string{"security.protocol": "SSL", "ssl.truststore.location": "testdata/ca.pem", "ssl.truststore.type": "PEM"}
	if err := ping(t, o, "localhost:1", props); err != nil {
		t.Errorf("the right name: %v", err)
	}
	if err := ping(t, o, "elsewhere:1", props); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("the wrong name: %v", err)
	}
	props["ssl.endpoint.identification.algorithm"] = ""
	if err := ping(t, o, "elsewhere:1", props); err != nil {
		t.Errorf("the wrong name, not compared: %v", err)
	}
	delete(props, "ssl.truststore.location")
	if err := ping(t, o, "elsewhere:1", props); err == nil {
		t.Error("an unknown authority is trusted")
	}
	if dials.Load() == 0 {
		t.Error("the Dialer was not used")
	}
	// An embedder's own TLS configuration wins.
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(t, "ca.pem")))
	own := Options{Base: []kgo.Opt{kgo.DialTLSConfig(&tls.Config{RootCAs: roots})}}
	if err := ping(t, own, addr, map[string]string{"security.protocol": "SSL"}); err != nil {
		t.Errorf("the embedder's TLS: %v", err)
	}
}

func jaas(class, user, password string) string {
	return "org.apache.kafka.common.security." + class + ` required username="` + user + `" password="` + password + `";`
}

func TestSASL(t *testing.T) {
	const password = `p"a\ss;=`
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(password)
	servers := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", password),
		kfake.Superuser("SCRAM-SHA-256", "bob", password), kfake.Superuser("SCRAM-SHA-512", "carol", password))
	for _, tt := range []struct{ mechanism, class, user string }{
		{"PLAIN", "plain.PlainLoginModule", "alice"},
		{"SCRAM-SHA-256", "scram.ScramLoginModule", "bob"},
		{"SCRAM-SHA-512", "scram.ScramLoginModule", "carol"},
	} {
		props := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": tt.mechanism, "sasl.jaas.config": jaas(tt.class, tt.user, quoted)}
		if err := ping(t, Options{KeyStores: keystore.Java{}}, servers, props); err != nil {
			t.Errorf("%s: %v", tt.mechanism, err)
		}
		props["sasl.jaas.config"] = jaas(tt.class, tt.user, "other")
		if err := ping(t, Options{KeyStores: keystore.Java{}}, servers, props); err == nil {
			t.Errorf("%s: any password will do", tt.mechanism)
		}
	}
}

func TestSASLOverTLS(t *testing.T) {
	servers := broker(t, kfake.TLS(brokerTLS(t, false)), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "u", "p"))
	if err := ping(t, Options{KeyStores: keystore.Java{}}, servers, map[string]string{
		"security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512", "sasl.jaas.config": jaas("scram.ScramLoginModule", "u", "p"),
		"ssl.truststore.location": "testdata/trust.jks", "ssl.truststore.password": "changeit",
	}); err != nil {
		t.Error(err)
	}
}

func TestMechanismHook(t *testing.T) {
	refused := errors.New("no ticket")
	o := Options{Mechanism: func(name string, props, jaas map[string]string) (sasl.Mechanism, error) {
		if name == "GSSAPI" && props["sasl.kerberos.service.name"] == "kafka" && jaas["principal"] == "me" {
			return nil, refused
		}
		return nil, nil
	}}
	props := map[string]string{
		"bootstrap.servers": "b:1", "security.protocol": "SASL_PLAINTEXT", "sasl.kerberos.service.name": "kafka",
		"sasl.jaas.config": "com.sun.security.auth.module.Krb5LoginModule required principal=me;",
	}
	if _, _, err := o.Admin(props); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	props["sasl.mechanism"] = "OTHER"
	if _, _, err := o.Admin(props); err == nil || errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

func TestHostilePKCS8(t *testing.T) {
	for _, der := range []string{"", "\x30\x80", "\x30\x03\x02\x01\x01", strings.Repeat("\x30\x84\xff\xff\xff\xff", 100)} {
		if _, err := decryptPKCS8([]byte(der), "p"); err == nil {
			t.Errorf("%q: no error", der)
		}
	}
}
