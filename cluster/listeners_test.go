package cluster_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/plugin/keystore"
	"software.sslmate.com/src/go-pkcs12"
)

// identity is a certificate that an authority has issued.
type identity struct {
	key        *ecdsa.PrivateKey
	cert       *x509.Certificate
	keyPEM     string
	certPEM    string
	tls        tls.Certificate
	authorized *x509.CertPool
}

func issue(t *testing.T, name string, by *identity) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA: by == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	i := &identity{key: key}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if i.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	i.certPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	i.keyPEM = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	i.tls = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	i.authorized = x509.NewCertPool()
	i.authorized.AddCert(i.cert)
	return i
}

func TestListenersWithTLS(t *testing.T) {
	authority, foreign := issue(t, "authority", nil), issue(t, "another authority", nil)
	server, client, stranger := issue(t, "worker", authority), issue(t, "client", authority), issue(t, "stranger", foreign)
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys, err := pkcs12.Modern.Encode(server.key, server.cert, nil, "secret")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{authority.cert}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	stores := map[string]connect.Config{
		"PEM in the configuration": {
			"ssl.keystore.type": "PEM", "ssl.keystore.key": server.keyPEM, "ssl.keystore.certificate.chain": server.certPEM,
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": authority.certPEM,
		},
		"PEM files": {
			"ssl.keystore.type": "PEM", "ssl.keystore.location": write("key.pem", []byte(server.keyPEM+server.certPEM)),
			"ssl.truststore.type": "PEM", "ssl.truststore.location": write("trust.pem", []byte(authority.certPEM)),
		},
		"PKCS12": {
			"ssl.keystore.type": "PKCS12", "ssl.keystore.location": write("keys.p12", keys), "ssl.keystore.password": "secret", "ssl.key.password": "secret",
			"ssl.truststore.type": "PKCS12", "ssl.truststore.location": write("trust.p12", trust), "ssl.truststore.password": "secret",
		},
	}
	try := func(url string, who *identity) (int, error) {
		config := &tls.Config{RootCAs: authority.authorized}
		if who != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &who.tls, nil }
		}
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, Timeout: 30 * time.Second}
		resp, err := c.Get(url + "/connectors")
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	k := kafkatest.New(t, kafkatest.TCP())
	for name, store := range stores {
		for auth, refused := range map[string][]*identity{"": nil, "none": nil, "requested": {stranger}, "required": {stranger, nil}} {
			t.Run(name+"/"+auth, func(t *testing.T) {
				worker := connect.Config{}
				prefix := "listeners.https."
				if auth == "requested" {
					prefix = "" // what has no prefix counts too
				}
				for key, value := range store {
					worker[prefix+key] = value
				}
				if auth != "" {
					worker[prefix+"ssl.client.auth"] = auth
				}
				url := startServingAs(t, k, "https", func(c *cluster.Config) {
					c.GroupID, c.Coordinator, c.KeyStores = "tls", cluster.Standalone(), keystore.Java{}
					if prefix == "" {
						c.Client = k.ClientOpts()
					}
					maps.Copy(c.Worker, worker)
				})
				for end := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
					if code, err := try(url, client); err == nil && code == http.StatusOK {
						break
					} else if time.Now().After(end) {
						t.Fatalf("got %d, %v", code, err)
					}
				}
				for _, who := range []*identity{nil, client, stranger} {
					wanted := true
					for _, r := range refused {
						wanted = wanted && r != who
					}
					if code, err := try(url, who); (err == nil && code == http.StatusOK) != wanted {
						t.Errorf("client %v: got %d, %v; to be served: %v", who != nil, code, err, wanted)
					}
				}
			})
		}
	}
}

// Requests that one worker sends on to another are made with its own key.
func TestForwardingBetweenListenersWithTLS(t *testing.T) {
	authority := issue(t, "authority", nil)
	server, client := issue(t, "worker", authority), issue(t, "client", authority)
	k := kafkatest.New(t, kafkatest.TCP())
	var urls []string
	for range 2 {
		urls = append(urls, startServingAs(t, k, "https", func(c *cluster.Config) {
			c.GroupID, c.Client = "tlsgroup", k.ClientOpts()
			maps.Copy(c.Worker, connect.Config{
				"listeners.https.ssl.keystore.type": "PEM", "listeners.https.ssl.keystore.key": server.keyPEM, "listeners.https.ssl.keystore.certificate.chain": server.certPEM,
				"listeners.https.ssl.truststore.type": "PEM", "listeners.https.ssl.truststore.certificates": authority.certPEM, "listeners.https.ssl.client.auth": "required",
			})
		}))
	}
	h := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.authorized, Certificates: []tls.Certificate{client.tls}}}}
	for i, url := range urls { // only one of them leads
		body := `{"connector.class":"FileStreamSource","topic":"t","file":"` + filepath.Join(t.TempDir(), "in") + `"}`
		for end := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/connectors/c"+string(rune('0'+i))+"/config", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := h.Do(req)
			if err == nil {
				resp.Body.Close()
				if resp.StatusCode/100 == 2 {
					if at := resp.Header.Get("Location"); resp.StatusCode == http.StatusCreated && !strings.HasPrefix(at, url) {
						t.Errorf("asked at %s, and sent to %s", url, at)
					}
					break
				}
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %v, %v", url, resp, err)
			}
		}
	}
}
