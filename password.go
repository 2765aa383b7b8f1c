package connect

import (
	"fmt"
	"log/slog"
	"unique"
)

// hidden is shown in the place of a secret.
const hidden = "[hidden]"

// Password is a value that is never shown: every way of printing, logging or marshalling it gives [hidden]. Only
// [Password.Reveal] returns the secret. Two passwords are equal (==) if their secrets are.
type Password struct {
	// A handle, not the text: package fmt prints fields that are not exported, and %p, without asking for methods.
	secret unique.Handle[string]
}

// NewPassword returns a Password.
func NewPassword(secret string) Password {
	if secret == "" {
		return Password{}
	}
	return Password{unique.Make(secret)}
}

// Reveal returns the secret itself.
func (p Password) Reveal() string {
	if p == (Password{}) {
		return ""
	}
	return p.secret.Value()
}

// String returns [hidden].
func (p Password) String() string { return hidden }

// GoString returns [hidden].
func (p Password) GoString() string { return hidden }

// Format writes [hidden], whatever the verb.
func (p Password) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(hidden)) }

// LogValue returns [hidden].
func (p Password) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns [hidden].
func (p Password) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON returns "[hidden]".
func (p Password) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
