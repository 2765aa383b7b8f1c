package kerberos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/plugin/kerberos"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
)

// config writes a Kerberos configuration and has the test use it.
func config(t testing.TB, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "krb5.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KRB5_CONFIG", path)
}

func keys(t testing.TB) string {
	t.Helper()
	k := keytab.New()
	if err := k.AddEntry("me", "EXAMPLE.COM", "secret", time.Unix(0, 0), 1, etypeID.AES256_CTS_HMAC_SHA1_96); err != nil {
		t.Fatal(err)
	}
	b, err := k.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMechanism(t *testing.T) {
	config(t, "[libdefaults]\n default_realm = EXAMPLE.COM\n")
	path := keys(t)
	service := map[string]string{"sasl.kerberos.service.name": "kafka"}
	for _, tt := range []struct {
		name        string
		props, jaas map[string]string
		want        string
	}{
		{"key tab", service, map[string]string{"useKeyTab": "true", "keyTab": path, "principal": "me"}, ""},
		{"service in the login module", nil, map[string]string{"serviceName": "kafka", "useKeyTab": "true", "keyTab": path, "principal": "me@OTHER"}, ""},
		{"no service", nil, nil, "sasl.kerberos.service.name is not set"},
		{"no principal", service, map[string]string{"useKeyTab": "true", "keyTab": path}, "needs the options keyTab, a file, and principal"},
		{"no such key tab", service, map[string]string{"useKeyTab": "true", "keyTab": path + "x", "principal": "me"}, path + "x"},
		{"no such cache", service, map[string]string{"useTicketCache": "true", "ticketCache": path + "x"}, path + "x"},
		{"neither", service, nil, "useKeyTab=true with keyTab and principal, or useTicketCache=true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := kerberos.Mechanism("GSSAPI", tt.props, tt.jaas)
			switch {
			case tt.want == "" && (err != nil || m == nil || m.Name() != "GSSAPI"):
				t.Errorf("%v, %v; want the mechanism", m, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want an error with %q", err, tt.want)
			}
		})
	}
	if m, err := kerberos.Mechanism("PLAIN", nil, nil); m != nil || err != nil {
		t.Errorf("PLAIN: %v, %v; want neither", m, err)
	}
}

func TestNoConfig(t *testing.T) {
	t.Setenv("KRB5_CONFIG", "")
	t.Setenv("KAFKA_OPTS", "-Xmx1g -Djava.security.krb5.conf=/nowhere/krb5.conf")
	_, err := kerberos.Mechanism("GSSAPI", map[string]string{"sasl.kerberos.service.name": "kafka"}, nil)
	if err == nil || !strings.Contains(err.Error(), "/nowhere/krb5.conf") {
		t.Errorf("%v, want an error that names the file", err)
	}
}

func ExampleMechanism() {
	rt, err := cluster.New(cluster.Config{
		Brokers: []string{"kafka:9093"}, GroupID: "orders", Mechanism: kerberos.Mechanism,
		Worker: map[string]string{
			"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": kerberos.Name, "sasl.kerberos.service.name": "kafka",
			"sasl.jaas.config": `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/etc/orders.keytab" principal="orders@EXAMPLE.COM";`,
		},
	})
	fmt.Println(rt != nil, err)
	// Output: true <nil>
}
