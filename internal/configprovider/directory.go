package configprovider

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

// Directory is the provider of the files of a folder, such as a mounted secret: ${dir:PATH:FILE}. A file's name is the
// key, its whole content the value.
func Directory() connect.ConfigProviderPlugin {
	return connect.ConfigProviderPlugin{
		PluginInfo: connect.PluginInfo{
			Class:   "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
			Version: Version,
		},
		New: func(cfg connect.Config) (connect.ConfigProvider, error) {
			allowed, err := parseAllowedPaths(cfg)
			if err != nil {
				return nil, err
			}
			return directory{allowed}, nil
		},
	}
}

type directory struct{ allowed allowedPaths }

func (p directory) Get(_ context.Context, path string, keys []string) (connect.ConfigData, error) {
	if path == "" {
		return connect.ConfigData{}, nil
	}
	folder, ok := p.allowed.resolve(path)
	if !ok {
		return connect.ConfigData{}, nil
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return connect.ConfigData{}, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return connect.ConfigData{}, &connect.ConfigError{Message: "Could not list directory " + folder, Err: err}
	}
	values := make(map[string]string)
	for _, entry := range entries {
		name := entry.Name()
		if keys != nil && !slices.Contains(keys, name) {
			continue
		}
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() { // follows symbolic links
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil || !utf8.Valid(content) {
			return connect.ConfigData{}, &connect.ConfigError{Message: "Could not read file " + file + " for property " + name, Err: err}
		}
		values[name] = string(content)
	}
	return connect.ConfigData{Values: values}, nil
}
