package connect

// Recommender tells the valid values of a key, given the others, and whether the key is of use at all. The values hold
// every key that could be parsed; one that could not is nil. Recommended values are for forms: they restrict nothing.
//
// It is called when a configuration is validated, possibly concurrently. The returned slice is the caller's.
type Recommender interface {
	// ValidValues returns the values to choose from, or none if there is no restriction. An error becomes one of the
	// key's messages.
	ValidValues(key string, values map[string]any) ([]any, error)
	// Visible reports whether a form should show the key.
	Visible(key string, values map[string]any) bool
}

// Recommend returns a [Recommender] of fixed values, which is always visible.
func Recommend[T any](values ...T) Recommender {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return fixedValues(list)
}

type fixedValues []any

func (f fixedValues) ValidValues(string, map[string]any) ([]any, error) {
	return append([]any{}, f...), nil
}

func (f fixedValues) Visible(string, map[string]any) bool { return true }
