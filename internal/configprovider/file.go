package configprovider

import (
	"context"
	"os"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

// File is the provider of the values of a properties file: ${file:PATH:KEY}. It reads the file anew for each request.
func File() connect.ConfigProviderPlugin {
	return connect.ConfigProviderPlugin{
		PluginInfo: connect.PluginInfo{
			Class:   "org.apache.kafka.common.config.provider.FileConfigProvider",
			Version: Version,
		},
		New: func(cfg connect.Config) (connect.ConfigProvider, error) {
			allowed, err := parseAllowedPaths(cfg)
			if err != nil {
				return nil, err
			}
			return file{allowed}, nil
		},
	}
}

type file struct{ allowed allowedPaths }

func (p file) Get(_ context.Context, path string, keys []string) (connect.ConfigData, error) {
	if path == "" {
		return connect.ConfigData{}, nil
	}
	resolved, ok := p.allowed.resolve(path)
	if !ok {
		return connect.ConfigData{}, nil
	}
	content, err := os.ReadFile(resolved)
	if err != nil || !utf8.Valid(content) {
		return connect.ConfigData{}, &connect.ConfigError{Message: "Could not read properties from file " + path, Err: err}
	}
	values, err := ParseProperties(string(content))
	if err != nil {
		return connect.ConfigData{}, err
	}
	return connect.ConfigData{Values: pick(values, keys)}, nil
}
