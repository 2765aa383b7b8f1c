package conformance_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/connconfig"
)

func TestConnectorValidateFull(t *testing.T) {
	reg := kafkaRegistry()
	conformance.Run(t, "data/config/validate-full.jsonl", func(t *testing.T, c conformance.Case) {
		in := decode[struct {
			Policy string
			Props  map[string]*string
		}](t, c.In)
		result, err := connconfig.Validate(context.Background(), reg, vectorWorker(t, reg, in.Policy), in.Props)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		got, want := decode[map[string]any](t, b), decode[map[string]any](t, c.Out)
		gotConfigs, wantConfigs := got["configs"].([]any), want["configs"].([]any)
		delete(got, "configs")
		delete(want, "configs")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if len(gotConfigs) != len(wantConfigs) {
			t.Errorf("%d configs, want %d", len(gotConfigs), len(wantConfigs))
		}
		for i := range min(len(gotConfigs), len(wantConfigs)) {
			g, w := gotConfigs[i].(map[string]any)["value"].(map[string]any), wantConfigs[i].(map[string]any)["value"].(map[string]any)
			for j, message := range g["errors"].([]any) {
				if wanted := w["errors"].([]any); j < len(wanted) {
					g["errors"].([]any)[j] = asJavaText(message.(string), wanted[j].(string))
				}
			}
			if !reflect.DeepEqual(gotConfigs[i], wantConfigs[i]) {
				t.Errorf("config %d:\ngot  %v\nwant %v", i, gotConfigs[i], wantConfigs[i])
			}
		}
	})
}
