package configprovider

import (
	"context"
	"os"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

// EnvVar is the provider of environment variables: ${env:NAME}. It takes the environment when it is configured.
// environ returns the environment as NAME=value; nil is [os.Environ].
func EnvVar(environ func() []string) connect.ConfigProviderPlugin {
	if environ == nil {
		environ = os.Environ
	}
	return connect.ConfigProviderPlugin{
		PluginInfo: connect.PluginInfo{
			Class:   "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
			Version: Version,
		},
		New: func(cfg connect.Config) (connect.ConfigProvider, error) { return newEnvVar(cfg, environ()) },
	}
}

type envVar struct{ values map[string]string }

func newEnvVar(cfg connect.Config, environ []string) (connect.ConfigProvider, error) {
	const allowlistKey = "allowlist.pattern"
	pattern, ok := cfg[allowlistKey]
	if !ok {
		pattern = ".*"
	}
	allowed, err := javaregexp.Compile(pattern)
	if err != nil {
		return nil, &connect.ConfigError{Key: allowlistKey, Message: err.Error(), Err: err}
	}
	values := make(map[string]string)
	for _, variable := range environ {
		name, value, ok := strings.Cut(variable, "=")
		if !ok || name == "" {
			continue
		}
		match, err := allowed.MatchFull(name)
		if err != nil {
			return nil, &connect.ConfigError{Key: allowlistKey, Message: err.Error(), Err: err}
		}
		if match {
			values[name] = value
		}
	}
	return envVar{values}, nil
}

func (p envVar) Get(_ context.Context, path string, keys []string) (connect.ConfigData, error) {
	if path != "" {
		return connect.ConfigData{}, connect.ConfigErrorf("", "Path is not supported for EnvVarConfigProvider, invalid value '%s'", path)
	}
	return connect.ConfigData{Values: pick(p.values, keys)}, nil
}
