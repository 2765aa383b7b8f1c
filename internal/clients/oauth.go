package clients

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

const (
	tokenURLKey      = "sasl.oauthbearer.token.endpoint.url"
	oauthID          = "sasl.oauthbearer.client.credentials.client.id"
	oauthSecret      = "sasl.oauthbearer.client.credentials.client.secret"
	extensionPrefix  = "extension_"
	longestTokenBody = 1 << 20
)

// oauthMechanism returns the mechanism OAUTHBEARER with the client credentials grant of OAuth 2, or with a token in a file.
func oauthMechanism(p *properties, jaas map[string]string) (sasl.Mechanism, error) {
	endpoint, err := url.Parse(p.String(tokenURLKey))
	if err != nil || endpoint.Scheme == "" {
		return nil, connect.ConfigErrorf(tokenURLKey, "%s must be an https, http or file URL for the mechanism OAUTHBEARER", tokenURLKey)
	}
	extensions := map[string]string{}
	for key, value := range jaas {
		if name, ok := strings.CutPrefix(key, extensionPrefix); ok {
			extensions[name] = value
		}
	}
	auth := func(token string) oauth.Auth { return oauth.Auth{Token: token, Extensions: extensions} }
	switch endpoint.Scheme {
	case "file":
		path := endpoint.Path
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := os.ReadFile(path) // anew for each connection: it is replaced when it expires
			if err != nil {
				return oauth.Auth{}, err
			}
			return auth(strings.TrimSpace(string(token))), nil
		}), nil
	case "http", "https":
	default:
		return nil, connect.ConfigErrorf(tokenURLKey, "%s must be an https, http or file URL for the mechanism OAUTHBEARER", tokenURLKey)
	}
	pick := func(key, option string) string {
		if p.isGiven(key) {
			if key == oauthSecret {
				return p.Password(key).Reveal()
			}
			return p.String(key)
		}
		return jaas[option]
	}
	source := &tokenSource{
		url:     endpoint.String(),
		id:      pick(oauthID, "clientId"),
		secret:  pick(oauthSecret, "clientSecret"),
		scope:   pick("sasl.oauthbearer.scope", "scope"),
		encode:  p.Bool("sasl.oauthbearer.header.urlencode"),
		wait:    millis(p, "sasl.login.retry.backoff.ms"),
		longest: millis(p, "sasl.login.retry.backoff.max.ms"),
		window:  p.Double("sasl.login.refresh.window.factor"),
		buffer:  time.Duration(p.Int("sasl.login.refresh.buffer.seconds")) * time.Second,
	}
	if source.id == "" || source.secret == "" {
		return nil, connect.ConfigErrorf(oauthID, "the client id and secret must be set for the mechanism OAUTHBEARER: %s and %s, or clientId and clientSecret in sasl.jaas.config", oauthID, oauthSecret)
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if p.isGiven("sasl.login.connect.timeout.ms") {
		dialer.Timeout = millis(p, "sasl.login.connect.timeout.ms")
	}
	source.client = &http.Client{
		Timeout: 30 * time.Second,
		// No idle connections: a token is needed rarely, and nothing must be left behind when the Kafka client is closed.
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, DisableKeepAlives: true},
	}
	if p.isGiven("sasl.login.read.timeout.ms") {
		source.client.Timeout = dialer.Timeout + millis(p, "sasl.login.read.timeout.ms")
	}
	return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		token, err := source.token(ctx)
		return auth(token), err
	}), nil
}

// tokenSource gets tokens and keeps the last one until it is to be renewed. It is used by all connections of a client.
type tokenSource struct {
	client                 *http.Client
	url, id, secret, scope string
	encode                 bool
	wait, longest          time.Duration
	window                 float64
	buffer                 time.Duration

	mu    sync.Mutex // guards what follows; not held during a request
	last  string
	renew time.Time
}

func (s *tokenSource) token(ctx context.Context) (string, error) {
	s.mu.Lock()
	token, fresh := s.last, time.Now().Before(s.renew)
	s.mu.Unlock()
	if fresh {
		return token, nil
	}
	started := time.Now()
	for wait := s.wait; ; wait *= 2 {
		token, lifetime, err := s.request(ctx)
		if err == nil {
			renew := time.Duration(float64(lifetime) * s.window)
			if lifetime > s.buffer {
				renew = min(renew, lifetime-s.buffer)
			}
			s.mu.Lock()
			s.last, s.renew = token, time.Now().Add(renew)
			s.mu.Unlock()
			return token, nil
		}
		if !connect.IsRetriable(err) || time.Since(started)+wait > s.longest {
			return "", fmt.Errorf("token endpoint: %w", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return "", context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// request asks for a token once. Errors name the endpoint's answer by its status and error code alone.
func (s *tokenSource) request(ctx context.Context) (token string, lifetime time.Duration, err error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if s.scope != "" {
		form.Set("scope", s.scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	id, secret := s.id, s.secret
	if s.encode {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return "", 0, connect.Retriable(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, longestTokenBody))
	if err != nil {
		return "", 0, connect.Retriable(err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
		Error       string `json:"error"`
	}
	parseErr := json.Unmarshal(body, &answer)
	if res.StatusCode != http.StatusOK {
		err := fmt.Errorf("status %d %s", res.StatusCode, answer.Error)
		if res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests {
			return "", 0, connect.Retriable(err)
		}
		return "", 0, err
	}
	if parseErr != nil || answer.AccessToken == "" {
		return "", 0, errors.New("the answer has no access_token")
	}
	lifetime = time.Duration(answer.ExpiresIn) * time.Second
	if claimed := expiry(answer.AccessToken); lifetime == 0 && !claimed.IsZero() {
		lifetime = time.Until(claimed)
	}
	return answer.AccessToken, lifetime, nil
}

// expiry returns the claim exp of a JWT, or the zero time. The token is not verified: the broker does that.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Expires <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(claims.Expires), 0)
}
