//go:build real

package kerberos_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/plugin/kerberos"
	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const realm = "EXAMPLE.COM"

// kdc starts a key distribution center with these principals, has this process and its children use it, and returns the file
// with their keys.
func kdc(t *testing.T, principals ...string) string {
	t.Helper()
	dir, libs := t.TempDir(), filepath.Join(t.TempDir(), "lib")
	mvn := exec.Command("mvn", "-q", "-B", "-f", "testdata/pom.xml", "dependency:copy-dependencies", "-DoutputDirectory="+libs)
	if out, err := mvn.CombinedOutput(); err != nil {
		t.Fatalf("fetch the jars of the key distribution center: %v\n%s", err, out)
	}
	ports, err := kafka.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	config(t, fmt.Sprintf("[libdefaults]\n default_realm = %s\n udp_preference_limit = 1\n dns_lookup_kdc = false\n rdns = false\n"+
		"[realms]\n %[1]s = {\n  kdc = 127.0.0.1:%d\n }\n", realm, ports[0]))
	t.Setenv("JAVA_TOOL_OPTIONS", "-Djava.security.krb5.conf="+os.Getenv("KRB5_CONFIG"))
	program, err := filepath.Abs("testdata/Kdc.java")
	if err != nil {
		t.Fatal(err)
	}
	p := &kafka.Process{
		Dir:  dir,
		Argv: append([]string{"java", "-cp", libs + "/*", program, dir, fmt.Sprint(ports[0]), realm}, principals...),
		Ready: func(context.Context) error {
			_, err := os.Stat(filepath.Join(dir, "ready"))
			return err
		},
	}
	t.Cleanup(func() { p.Kill() })
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "keys")
}

func loginModule(keys, principal string) string {
	return fmt.Sprintf(`com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab="%s" principal="%s@%s";`, keys, principal, realm)
}

// TestRealBroker takes records through a broker that asks for Kerberos.
func TestRealBroker(t *testing.T) {
	const service = "kafka/127.0.0.1"
	keys := kdc(t, service, "orders")
	c, err := kafka.StartCluster(t.TempDir(), 1, "listener.KERBEROS=SASL_PLAINTEXT", "sasl.enabled.mechanisms=GSSAPI",
		"sasl.kerberos.service.name=kafka", "listener.name.kerberos.gssapi.sasl.jaas.config="+loginModule(keys, service))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	plain, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plain.Close)
	if _, err := kadm.NewClient(plain).CreateTopic(t.Context(), 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second"} {
		if err := plain.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte(text)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	props := connect.Config{
		"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": kerberos.Name, "sasl.kerberos.service.name": "kafka",
		"sasl.jaas.config": loginModule(keys, "orders"), "consumer.auto.offset.reset": "earliest",
		"offset.storage.replication.factor": "1",
	}
	for k, v := range maps.Clone(props) {
		if strings.HasPrefix(k, "sasl.") || strings.HasPrefix(k, "security.") {
			for _, client := range []string{"producer.", "consumer.", "admin."} {
				props[client+k] = v
			}
		}
	}
	got := make(chan any, 10)
	rt, err := cluster.New(cluster.Config{
		Brokers: []string{c.Brokers[0].Listeners["KERBEROS"]}, GroupID: "kerberos", Coordinator: cluster.Standalone(),
		Mechanism: kerberos.Mechanism, Worker: props, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = rt.Add(cluster.Sink{Name: "sink", Topics: []string{"orders"}, Connector: connect.SinkFunc(func(_ context.Context, records []connect.SinkRecord) error {
		for _, r := range records {
			got <- r.Value
		}
		return nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	for _, want := range []string{"first", "second"} {
		select {
		case v := <-got:
			if v != want {
				t.Errorf("got %v, want %s", v, want)
			}
		case err := <-ended:
			t.Fatalf("the runtime ended: %v", err)
		case <-ctx.Done():
			t.Fatalf("no record within a minute; the broker's log ends with\n%s", c.Brokers[0].Tail())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
