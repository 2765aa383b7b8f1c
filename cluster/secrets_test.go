package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestLogsHideSecretsInValuesOfAnyKind(t *testing.T) {
	hidden := new(secrets)
	hidden.learn(map[string]string{"${vault:db:pw}": "s3cret<pw>"})
	text := "s3cret<pw>"
	type login struct{ Password *string }
	for _, newHandler := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		for _, v := range []any{
			text, map[string]string{"a": text}, map[string]*string{"a": &text}, []any{login{&text}}, &login{&text},
			errors.New(text), fmt.Errorf("log in: %w", errors.New(text)), slog.GroupValue(slog.String("g", text)),
		} {
			var b bytes.Buffer
			log := slog.New(&hidingHandler{newHandler(&b), hidden})
			log.Info("m", "v", v)
			log.With("v", v).WithGroup("g").Info("m")
			if got := b.String(); strings.Contains(got, "s3cret") {
				t.Errorf("%T: %s", v, got)
			}
		}
	}
}
