package connect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
)

func TestPasswordIsNeverShown(t *testing.T) {
	p := connect.NewPassword("s3cret")
	holder := struct {
		P   connect.Password
		Ptr *connect.Password
		M   map[connect.Password]int
		own connect.Password
	}{p, &p, map[connect.Password]int{p: 1}, p}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10s", "%p", "%t"} {
		fmt.Fprintf(&shown, verb+" "+verb+" "+verb+"\n", p, &p, holder)
	}
	_ = holder.own
	fmt.Fprintln(&shown, p, connect.InvalidValue("k", p, "no"))
	asJSON, err := json.Marshal(holder.P)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(asJSON)
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "p", p, "holder", holder)
	}
	parsed, err := connect.MustConfigDef(connect.ConfigKey{Name: "k", Type: connect.ConfigPassword}).Parse(connect.Config{"k": "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", parsed)
	shown.Write(log.Bytes())
	fmt.Fprintf(&shown, "%v %+v %#v %s %d\n", parsed, parsed, parsed, parsed, []*connect.ParsedConfig{parsed})
	for _, secret := range []string{"s3cret", "733363726574", fmt.Sprintf("%X", "s3cret")} {
		if strings.Contains(shown.String(), secret) {
			t.Errorf("the secret is shown: %s", shown.String())
		}
	}
	if !strings.Contains(log.String(), "config.k=[hidden]") {
		t.Errorf("log %q", log.String())
	}
	if got := parsed.Password("k"); got.Reveal() != "s3cret" || got != p || got == connect.NewPassword("other") {
		t.Errorf("Reveal = %q", got.Reveal())
	}
	if got := (connect.Password{}); got.Reveal() != "" || got != connect.NewPassword("") {
		t.Errorf("the zero Password reveals %q", got.Reveal())
	}
}
