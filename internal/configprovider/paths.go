package configprovider

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/gokconnect/connect"
)

// allowedPathsKey restricts the File and Directory providers to what lies below the named paths.
const allowedPathsKey = "allowed.paths"

// allowedPaths is the value of allowed.paths. The zero value allows every path.
type allowedPaths struct {
	restricted bool
	paths      []string // normalised
}

func parseAllowedPaths(cfg connect.Config) (allowedPaths, error) {
	value := cfg[allowedPathsKey]
	if value == "" {
		return allowedPaths{}, nil
	}
	allowed := allowedPaths{restricted: true}
	items := strings.Split(value, ",")
	for len(items) > 0 && items[len(items)-1] == "" { // as Java's split
		items = items[:len(items)-1]
	}
	for _, item := range items {
		path := normalise(item)
		if !filepath.IsAbs(path) {
			return allowedPaths{}, connect.ConfigErrorf(allowedPathsKey, "Path %s is not absolute", path)
		}
		if _, err := os.Stat(path); err != nil {
			return allowedPaths{}, connect.ConfigErrorf(allowedPathsKey, "Path %s does not exist", path)
		}
		allowed.paths = append(allowed.paths, path)
	}
	return allowed, nil
}

// normalise takes out "." and ".." by name alone, without looking at symbolic links.
func normalise(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Clean(path)
}

// resolve returns the path to open for a path from a placeholder, and false if it is not an allowed one.
func (a allowedPaths) resolve(path string) (string, bool) {
	if !a.restricted {
		return path, true
	}
	path = normalise(path)
	for _, allowed := range a.paths {
		if path == allowed || strings.HasPrefix(path, strings.TrimSuffix(allowed, string(filepath.Separator))+string(filepath.Separator)) {
			return path, true
		}
	}
	return "", false
}

// pick returns the values of keys, or all values if keys is nil.
func pick(values map[string]string, keys []string) map[string]string {
	if keys == nil {
		return values
	}
	picked := make(map[string]string, len(keys))
	for _, key := range keys {
		if value, ok := values[key]; ok {
			picked[key] = value
		}
	}
	return picked
}
