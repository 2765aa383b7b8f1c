package configprovider

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// vault is a provider with TTLs that counts its calls.
type vault struct {
	calls  []string
	closed bool
	err    error
	ttl    time.Duration
}

func (v *vault) Get(_ context.Context, path string, keys []string) (connect.ConfigData, error) {
	v.calls = append(v.calls, path+"?"+strings.Join(keys, ","))
	if v.err != nil {
		return connect.ConfigData{}, v.err
	}
	values := map[string]string{}
	for _, key := range keys {
		if key != "missing" {
			values[key] = "s3cret-" + key
		}
	}
	return connect.ConfigData{Values: values, TTL: v.ttl, HasTTL: path == "short"}, nil
}

func (v *vault) Close() error { v.closed = true; return nil }

func TestTransformAsksOncePerPath(t *testing.T) {
	v := &vault{ttl: time.Minute}
	tr := NewTransformer(map[string]connect.ConfigProvider{"v": v})
	raw := connect.Config{"a": "${v:short:x}/${v:short:y}", "b": "${v:short:x}", "c": "${v:long:z}${v:missing}", "d": "plain"}
	kept := maps.Clone(raw)
	got, err := tr.Transform(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	want := connect.Config{"a": "s3cret-x/s3cret-y", "b": "s3cret-x", "c": "s3cret-z${v:missing}", "d": "plain"}
	if !maps.Equal(got.Config, want) {
		t.Errorf("got %q", got.Config)
	}
	if !maps.Equal(raw, kept) {
		t.Errorf("the argument was changed: %q", raw)
	}
	if !maps.Equal(got.TTLs, map[string]time.Duration{"short": time.Minute}) {
		t.Errorf("TTLs %v", got.TTLs)
	}
	if calls := strings.Join(v.calls, " "); calls != "?missing long?z short?x,y" {
		t.Errorf("calls %s", calls)
	}
	if err := tr.Close(); err != nil || !v.closed {
		t.Errorf("closed %v, error %v", v.closed, err)
	}
}

func TestTransformError(t *testing.T) {
	cause := errors.New("sealed")
	tr := NewTransformer(map[string]connect.ConfigProvider{"bad": &vault{err: cause}, "good": &vault{}})
	got, err := tr.Transform(t.Context(), connect.Config{"a": "${good:x}", "b": "${bad:x}"})
	if !errors.Is(err, cause) || err.Error() != "config provider bad: sealed" {
		t.Errorf("error %v", err)
	}
	if got.Config != nil {
		t.Errorf("a failed transformation returned %q", got.Config)
	}
}

func TestConfigure(t *testing.T) {
	var reg connect.Registry
	made := connect.Config{}
	v := &vault{}
	if err := reg.Add(append(Plugins(), connect.ConfigProviderPlugin{
		PluginInfo: connect.PluginInfo{Class: "x.Vault", Version: "1"},
		New:        func(cfg connect.Config) (connect.ConfigProvider, error) { maps.Copy(made, cfg); return v, nil },
	})...); err != nil {
		t.Fatal(err)
	}
	tr, err := Configure(&reg, connect.Config{
		"config.providers":               "v, env",
		"config.providers.v.class":       "x.Vault",
		"config.providers.v.param.token": "t",
		"config.providers.env.class":     "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(made, connect.Config{"token": "t"}) {
		t.Errorf("parameters %v", made)
	}
	got, err := tr.Transform(t.Context(), connect.Config{"a": "${v:k}"})
	if err != nil || got.Config["a"] != "s3cret-k" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []connect.Config{
		{"config.providers": "v"},
		{"config.providers": "v,w", "config.providers.v.class": "x.Vault", "config.providers.w.class": "nope"},
		{"config.providers": "f", "config.providers.f.class": "FileConfigProvider", "config.providers.f.param.allowed.paths": "relative"},
	} {
		v.closed = false
		if _, err := Configure(&reg, bad); err == nil {
			t.Errorf("%v: no error", bad)
		}
		if bad["config.providers"] == "v,w" && !v.closed {
			t.Error("the provider that was made before the failure was not closed")
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	tr := NewTransformer(map[string]connect.ConfigProvider{"v": &vault{}})
	raw := connect.Config{"a": "${v:p:x}", "b": "plain", "c": "also plain"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tr.Transform(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
}
