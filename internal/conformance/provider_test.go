package conformance_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/conformance"
)

// TestConfigProviders runs the providers and the resolution of placeholders.
func TestConfigProviders(t *testing.T) {
	conformance.Run(t, "data/config/provider.jsonl", func(t *testing.T, c conformance.Case) {
		var in struct {
			Provider  string
			Config    connect.Config
			Files     map[string]string
			Env       map[string]string
			Path      *string
			Keys      []string
			Providers map[string]string
			Configs   map[string]*string
		}
		decodeCase(t, c.In, &in)
		dir := filepath.Join(t.TempDir(), "p")
		writeFiles(t, dir, in.Files)
		here := func(s string) string { return strings.ReplaceAll(s, "<dir>", dir) }
		there := func(s string) string { return strings.ReplaceAll(s, dir, "<dir>") }

		newProvider := func(name string, config connect.Config) (connect.ConfigProvider, error) {
			var environ []string
			for key, value := range in.Env {
				environ = append(environ, key+"="+value)
			}
			for _, p := range []connect.ConfigProviderPlugin{
				configprovider.File(), configprovider.Directory(), configprovider.EnvVar(func() []string { return environ }),
			} {
				if strings.HasSuffix(p.Class, "."+name) {
					return p.New(config)
				}
			}
			t.Fatalf("unknown provider %s", name)
			return nil, nil
		}

		var data map[string]*string
		err := func() error {
			if in.Provider != "" {
				config := connect.Config{}
				for key, value := range in.Config {
					config[key] = here(value)
				}
				provider, err := newProvider(in.Provider, config)
				if err != nil {
					return err
				}
				path := ""
				if in.Path != nil {
					path = here(*in.Path)
				}
				got, err := provider.Get(context.Background(), path, in.Keys)
				data = pointers(got.Values)
				if got.HasTTL {
					t.Errorf("TTL %v, want none", got.TTL)
				}
				return err
			}
			providers := make(map[string]connect.ConfigProvider)
			for name, class := range in.Providers {
				provider, err := newProvider(class, nil)
				if err != nil {
					return err
				}
				providers[name] = provider
			}
			// A null value is kept by what holds the configuration; the plugins and the transformer never see it.
			raw, nulls := withoutNulls(in.Configs)
			for key := range raw {
				raw[key] = here(raw[key])
			}
			got, err := configprovider.NewTransformer(providers).Transform(context.Background(), raw)
			data = pointers(got.Config)
			for _, key := range nulls {
				data[key] = nil
			}
			if len(got.TTLs) > 0 {
				t.Errorf("TTLs %v, want none", got.TTLs)
			}
			return err
		}()
		if err != nil {
			if config, ok := errors.AsType[*connect.ConfigError](err); ok {
				err = connect.ConfigErrorf(config.Key, "%s", there(config.Message))
			}
			sameError(t, c, err)
			return
		}
		sameError(t, c, nil)
		var want struct{ Data map[string]*string }
		decodeCase(t, c.Out, &want)
		for key, value := range data {
			if value != nil {
				text := there(*value)
				data[key] = &text
			}
		}
		sameJSON(t, data, want.Data)
	})
}

// TestReverseTransform runs what writes placeholders back into task configurations.
func TestReverseTransform(t *testing.T) {
	conformance.Run(t, "control/herder.jsonl", func(t *testing.T, c conformance.Case) {
		switch {
		case strings.HasPrefix(c.ID, "control.herder.variables."):
			var in map[string]*string
			decodeCase(t, c.In, &in)
			raw, _ := withoutNulls(in)
			got := []string{}
			for _, key := range slices.Sorted(maps.Keys(raw)) {
				if configprovider.HasPlaceholder(raw[key]) {
					got = append(got, key)
				}
			}
			var want []string
			decodeCase(t, c.Out, &want)
			slices.Sort(want)
			sameJSON(t, got, want)
		case strings.HasPrefix(c.ID, "control.herder.reverse-transform."):
			var in struct {
				ConnectorConfig map[string]*string
				TaskConfigs     []map[string]*string
			}
			decodeCase(t, c.In, &in)
			raw, _ := withoutNulls(in.ConnectorConfig)
			var got []connect.Config
			for _, config := range in.TaskConfigs {
				task := connect.Config{}
				for key, value := range config {
					task[key] = ""
					if value != nil { // a task configuration made by Go code has no nulls
						task[key] = *value
					}
				}
				got = append(got, configprovider.ReverseTransform(raw, task))
			}
			var want []connect.Config
			if strings.HasPrefix(strings.TrimSpace(string(c.Out)), "{") {
				want = make([]connect.Config, 1)
				decodeCase(t, c.Out, &want[0])
			} else {
				decodeCase(t, c.Out, &want)
			}
			sameJSON(t, got, want)
		}
	})
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(dir, 0o755))
	for name, content := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			must(os.MkdirAll(path, 0o755))
			continue
		}
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		if target, ok := strings.CutPrefix(content, "->"); ok {
			must(os.Symlink(target, path))
			continue
		}
		must(os.WriteFile(path, []byte(content), 0o644))
	}
}

func withoutNulls(in map[string]*string) (config connect.Config, nulls []string) {
	config = connect.Config{}
	for key, value := range in {
		if value == nil {
			nulls = append(nulls, key)
			continue
		}
		config[key] = *value
	}
	return config, nulls
}

func pointers(in map[string]string) map[string]*string {
	out := make(map[string]*string)
	for key, value := range in {
		out[key] = &value
	}
	return out
}
