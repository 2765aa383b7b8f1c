package herder

import "maps"

// Patch returns a configuration with single keys changed; a nil value in the patch removes its key.
func Patch(config, patch map[string]*string) map[string]*string {
	patched := maps.Clone(config)
	if patched == nil {
		patched = make(map[string]*string, len(patch))
	}
	for key, v := range patch {
		if v == nil {
			delete(patched, key)
		} else {
			patched[key] = v
		}
	}
	return patched
}
