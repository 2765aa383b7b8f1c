package clients

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gokconnect/connect"
)

func oauthProps(endpoint string, more map[string]string) map[string]string {
	props := map[string]string{
		"bootstrap.servers": "b:1", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", tokenURLKey: endpoint,
		"sasl.login.retry.backoff.ms": "1", "sasl.login.retry.backoff.max.ms": "1000",
	}
	for key, value := range more {
		props[key] = value
	}
	return props
}

// firstMessage returns what a client says first on a new connection.
func firstMessage(t *testing.T, props map[string]string) (string, error) {
	t.Helper()
	p, err := parse(KindAdmin, props)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Options{}.mechanism(p)
	if err != nil {
		t.Fatal(err)
	}
	_, message, err := m.Authenticate(t.Context(), "b:1")
	return string(message), err
}

func TestOAuthClientCredentials(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			http.Error(w, "", http.StatusServiceUnavailable) // is tried again
			return
		}
		user, password, _ := r.BasicAuth()
		if user != "id" || password != "se:cret" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "s1 s2" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"se:cret"}`)
			return
		}
		fmt.Fprint(w, `{"access_token":"abc","expires_in":3600}`)
	}))
	defer server.Close()
	jaas := `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="id" clientSecret="se:cret" scope="s1 s2" extension_logicalCluster="lkc";`
	message, err := firstMessage(t, oauthProps(server.URL, map[string]string{"sasl.jaas.config": jaas}))
	if err != nil {
		t.Fatal(err)
	}
	if want := "n,,\x01auth=Bearer abc\x01logicalCluster=lkc\x01\x01"; message != want {
		t.Errorf("got %q, want %q", message, want)
	}
	if calls.Load() != 2 {
		t.Errorf("%d requests", calls.Load())
	}
	_, err = firstMessage(t, oauthProps(server.URL, map[string]string{oauthID: "id", oauthSecret: "wrong"}))
	if err == nil || err.Error() != "token endpoint: status 401 invalid_client" {
		t.Errorf("got %v", err)
	}
}

func TestOAuthTokenIsKept(t *testing.T) {
	var calls atomic.Int32
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"exp":4102444800}`)) // 2100
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"access_token":"h.%s.%d"}`, claims, calls.Add(1))
	}))
	defer server.Close()
	p, err := parse(KindAdmin, oauthProps(server.URL, map[string]string{oauthID: "id", oauthSecret: "s"}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Options{}.mechanism(p)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := m.Authenticate(t.Context(), "b:1"); err != nil {
			t.Fatal(err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("%d requests for a token that lives long", calls.Load())
	}
}

func TestOAuthFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	for _, token := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		message, err := firstMessage(t, oauthProps("file://"+file, nil))
		if err != nil || !strings.Contains(message, "Bearer "+token+"\x01") {
			t.Errorf("got %q, %v", message, err)
		}
	}
}

func TestOAuthNeedsCredentials(t *testing.T) {
	for endpoint, key := range map[string]string{"": tokenURLKey, "ftp://x": tokenURLKey, "https://x": oauthID} {
		_, _, err := Admin(oauthProps(endpoint, nil))
		var config *connect.ConfigError
		if !errors.As(err, &config) || config.Key != key {
			t.Errorf("%q: got %v", endpoint, err)
		}
	}
}
