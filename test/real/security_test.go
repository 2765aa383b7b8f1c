//go:build real

package real

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

const scramIterations = 4096

// certificates is where the certificates of the tests are, with the passwords that its README names.
func certificates(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../internal/clients/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// secureCluster is a broker that lets nobody do anything without an ACL, but for the test itself on its plain listener. SECURE
// takes SASL over TLS, MUTUAL client certificates.
func secureCluster(t *testing.T) *kafka.Cluster {
	t.Helper()
	dir := t.TempDir()
	read := func(name string) string {
		b, err := os.ReadFile(certificates(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	pem := filepath.Join(dir, "broker.pem")
	if err := os.WriteFile(pem, []byte(read("broker.key")+read("broker.crt")), 0o600); err != nil {
		t.Fatal(err)
	}
	module := func(mechanism, class, options string) string {
		return "listener.name.secure." + mechanism + ".sasl.jaas.config=org.apache.kafka.common.security." + class + " required" + options + ";"
	}
	c, err := kafka.StartCluster(dir, 1, "listener.SECURE=SASL_SSL", "listener.MUTUAL=SSL",
		"ssl.keystore.type=PEM", "ssl.keystore.location="+pem, "ssl.truststore.type=PEM", "ssl.truststore.location="+certificates(t, "ca.pem"),
		"listener.name.mutual.ssl.client.auth=required", "ssl.principal.mapping.rules=RULE:^.*CN=([^,]*).*$/$1/,DEFAULT",
		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		module("plain", "plain.PlainLoginModule", ` user_alice="alice-secret" user_bob="bob-secret"`),
		module("scram-sha-256", "scram.ScramLoginModule", ""), module("scram-sha-512", "scram.ScramLoginModule", ""),
		module("oauthbearer", "oauthbearer.OAuthBearerLoginModule", ""),
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func admin(t *testing.T, c *kafka.Cluster) *kadm.Client { return kadm.NewClient(client(t, c)) }

// allow lets a principal do operations on resources whose names begin with a prefix.
func allow(t *testing.T, c *kafka.Cluster, user string, acls *kadm.ACLBuilder) {
	t.Helper()
	acls = acls.ResourcePatternType(kadm.ACLPatternPrefixed).Allow("User:" + user).AllowHosts("*")
	results, err := admin(t, c).CreateACLs(t.Context(), acls)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatalf("ACL of %s: %v (%s)", user, r.Err, r.ErrMessage)
		}
	}
}

// allowPipeline lets a principal write and read topics and use groups of a prefix.
func allowPipeline(t *testing.T, c *kafka.Cluster, user, prefix string) {
	t.Helper()
	allow(t, c, user, kadm.NewACLs().Topics(prefix).Operations(kadm.OpWrite, kadm.OpRead, kadm.OpDescribe, kadm.OpCreate, kadm.OpDescribeConfigs))
	allow(t, c, user, kadm.NewACLs().Groups("connect-", prefix).Operations(kadm.OpRead, kadm.OpDescribe))
}

func loginModule(class, user, password string) string {
	return fmt.Sprintf(`org.apache.kafka.common.security.%s required username="%s" password="%s";`, class, user, password)
}

// everyClient gives properties to the worker's own clients and to those of its connectors.
func everyClient(props properties) properties {
	all := make(properties)
	for k, v := range props {
		for _, prefix := range []string{"", "producer.", "consumer.", "admin."} {
			all[prefix+k] = v
		}
	}
	return all
}

func with(parts ...properties) properties {
	all := make(properties)
	for _, m := range parts {
		maps.Copy(all, m)
	}
	return all
}

// tokens is an endpoint that gives out tokens for client credentials. Kafka's own check of tokens in tests wants no signature.
func tokens(t *testing.T, id, secret string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != id || password != secret || r.FormValue("grant_type") != "client_credentials" {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		claims, _ := json.Marshal(map[string]any{"sub": user, "scope": "kafka", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
		token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
		json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestSecurity takes lines through Kafka as each kind of principal, where only that principal may.
func TestSecurity(t *testing.T) {
	c := secureCluster(t)
	b := c.Brokers[0]
	scram := []kadm.UpsertSCRAM{
		{User: "carol", Mechanism: kadm.ScramSha256, Iterations: scramIterations, Password: "carol-secret"},
		{User: "dave", Mechanism: kadm.ScramSha512, Iterations: scramIterations, Password: "dave-secret"},
	}
	if altered, err := admin(t, c).AlterUserSCRAMs(t.Context(), nil, scram); err != nil || altered.Error() != nil {
		t.Fatal(err, altered.Error())
	}
	trustJKS := properties{"ssl.truststore.location": certificates(t, "trust.jks"), "ssl.truststore.password": "changeit"}
	trustPEM := properties{"ssl.truststore.type": "PEM", "ssl.truststore.location": certificates(t, "ca.pem")}
	sasl := func(mechanism, jaas string) properties {
		return properties{"security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.jaas.config": jaas}
	}
	bearer := "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
	for _, tt := range []struct {
		name, user, listener string
		props                properties
	}{
		{"plain", "alice", "SECURE", with(trustPEM, sasl("PLAIN", loginModule("plain.PlainLoginModule", "alice", "alice-secret")))},
		{"scram-256", "carol", "SECURE", with(trustJKS, sasl("SCRAM-SHA-256", loginModule("scram.ScramLoginModule", "carol", "carol-secret")))},
		{"scram-512", "dave", "SECURE", with(trustPEM, sasl("SCRAM-SHA-512", loginModule("scram.ScramLoginModule", "dave", "dave-secret")))},
		{"oauth", "erin", "SECURE", with(trustPEM, sasl("OAUTHBEARER", bearer), properties{"sasl.oauthbearer.token.endpoint.url": tokens(t, "erin", "erin-secret"),
			"sasl.oauthbearer.client.credentials.client.id": "erin", "sasl.oauthbearer.client.credentials.client.secret": "erin-secret"})},
		{"certificate-jks", "client", "MUTUAL", with(trustJKS, properties{"security.protocol": "SSL", "ssl.keystore.location": certificates(t, "client.jks"),
			"ssl.keystore.password": "changeit", "ssl.key.password": "keychangeit"})},
		{"certificate-pem", "client", "MUTUAL", with(trustPEM, properties{"security.protocol": "SSL", "ssl.keystore.type": "PEM",
			"ssl.keystore.location": certificates(t, "client.pem")})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
			topic := makeTopic(t, c, "lines", 1)
			allowPipeline(t, c, tt.user, topic)
			const n = 2000
			appendLines(t, in, 0, n)
			w := newWorker(t, b.Listeners[tt.listener], everyClient(tt.props), sourceOf(in, topic), sinkOf(t, topic, out))
			start(t, w)
			fileUntil(t, out, n).once(t, "file", n)
			stop(t, w)
			secretsHidden(t, w, "alice-secret", "carol-secret", "dave-secret", "erin-secret", "changeit")
		})
	}
	t.Run("principals of connectors", func(t *testing.T) { principalsOfConnectors(t, c, trustPEM) })
	t.Run("distributed", func(t *testing.T) { distributedBehindACLs(t, c, trustPEM) })
}

// secretsHidden fails the test if a log has a secret.
func secretsHidden(t *testing.T, w *kafka.Process, secrets ...string) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(w.Dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if strings.Contains(string(log), s) {
			t.Errorf("the log shows the secret %s", s)
		}
	}
}

// A worker runs as alice, who may not write to bob's topic: a connector that is bob by its overrides may, another fails, says
// why, and goes on when it is allowed to.
func principalsOfConnectors(t *testing.T, c *kafka.Cluster, trust properties) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	mine, theirs := makeTopic(t, c, "bob", 1), makeTopic(t, c, "alice", 1)
	allowPipeline(t, c, "bob", mine)
	const n = 1000
	appendLines(t, in, 0, n)
	asBob := with(sourceOf(in, mine), properties{"name": "bob",
		"producer.override.sasl.jaas.config": loginModule("plain.PlainLoginModule", "bob", "bob-secret")})
	asAlice := with(sourceOf(in, theirs), properties{"name": "alice"})
	w := newWorker(t, c.Brokers[0].Listeners["SECURE"], everyClient(with(trust, properties{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
		"sasl.jaas.config": loginModule("plain.PlainLoginModule", "alice", "alice-secret")})), asBob, asAlice)
	bobs, alices := watchTopic(t, c, mine), watchTopic(t, c, theirs)
	start(t, w)
	bobs.until(t, n).once(t, "bob's topic", n)
	await(t, "the reason of alice's failure in the log", func() bool {
		log, _ := os.ReadFile(filepath.Join(w.Dir, "log"))
		return strings.Contains(string(log), "connector=alice") && strings.Contains(string(log), "Not authorized to access topics")
	})
	if got := alices.distinct(t); got != 0 {
		t.Fatalf("%d lines are in a topic that nobody may write to", got)
	}
	allowPipeline(t, c, "alice", theirs)
	alices.until(t, n).once(t, "alice's topic", n)
	stop(t, w)
	secretsHidden(t, w, "alice-secret", "bob-secret")
}

// A distributed worker needs rights on its group and its internal topics, and no others.
func distributedBehindACLs(t *testing.T, c *kafka.Cluster, trust properties) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 1)
	allowPipeline(t, c, "bob", topic)
	allow(t, c, "bob", kadm.NewACLs().Topics("secured-").Operations(kadm.OpWrite, kadm.OpRead, kadm.OpDescribe, kadm.OpCreate, kadm.OpDescribeConfigs))
	allow(t, c, "bob", kadm.NewACLs().Groups("secured").Operations(kadm.OpRead, kadm.OpDescribe))
	const n = 1000
	appendLines(t, in, 0, n)
	w := newWorker(t, c.Brokers[0].Listeners["SECURE"], with(everyClient(with(trust, properties{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
		"sasl.jaas.config": loginModule("plain.PlainLoginModule", "bob", "bob-secret")})), properties{
		"group.id": "secured", "offset.storage.file.filename": "", "config.storage.topic": "secured-configs", "offset.storage.topic": "secured-offsets",
		"status.storage.topic": "secured-status", "config.storage.replication.factor": "1", "offset.storage.replication.factor": "1",
		"status.storage.replication.factor": "1",
	}), sourceOf(in, topic), sinkOf(t, topic, out))
	start(t, w)
	fileUntil(t, out, n).once(t, "file", n)
	topics, err := admin(t, c).ListTopics(t.Context(), "secured-configs", "secured-offsets", "secured-status")
	if err != nil || topics.Error() != nil {
		t.Errorf("internal topics: %v, %v", err, topics.Error())
	}
	stop(t, w)
	secretsHidden(t, w, "bob-secret")
}
