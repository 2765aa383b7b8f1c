package mirror_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/plugin/mirror"
)

// TestOwnKeyIsValidated: also a key that Kafka's connectors don't have, and that is not listed with theirs, is refused before the
// connector starts if its value is none.
func TestOwnKeyIsValidated(t *testing.T) {
	const key = "forward.batches.enabled"
	rt, err := cluster.New(cluster.Config{Brokers: []string{"localhost:9092"}, GroupID: "g", Plugins: new(connect.Registry).MustAdd(mirror.Plugins(mirror.Options{})...)})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"true": "", "false": "", " FALSE ": "",
		"maybe": "Invalid value maybe for configuration forward.batches.enabled: Expected value to be either true or false",
		"":      "Invalid value  for configuration forward.batches.enabled: Expected value to be either true or false",
	} {
		cfg := connect.Config{"name": "m", "connector.class": mirror.SourceClass, "source.cluster.alias": "A", "target.cluster.alias": "B", key: value}
		values, err := rt.Validate(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range values {
			if v.Name == key {
				got = v.Errors
			} else if len(v.Errors) > 0 {
				t.Errorf("%q: %s has the errors %q", value, v.Name, v.Errors)
			}
		}
		if want == "" && len(got) > 0 || want != "" && !slices.Equal(got, []string{want}) {
			t.Errorf("%q: got the errors %q, want %q", value, got, want)
		}
		_, err = mirror.Options{}.ParseSourceConfig(cfg)
		bad := new(connect.ConfigError)
		if invalid := errors.As(err, &bad); invalid != (want != "") || invalid && (bad.Key != key || bad.Message != want) {
			t.Errorf("%q: parsing it says %v", value, err)
		}
	}
}
