package conformance_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/workerconfig"
)

func TestWorkerConfig(t *testing.T) {
	reg := kafkaRegistry()
	conformance.Run(t, "data/config/worker.jsonl", func(t *testing.T, c conformance.Case) {
		in := decode[struct {
			Kind  string
			Props connect.Config
		}](t, c.In)
		got := map[string]any{"ok": true}
		var err error
		if in.Kind == "standalone" {
			_, err = workerconfig.ParseStandalone(reg, in.Props)
		} else {
			var cfg *workerconfig.Distributed
			if cfg, err = workerconfig.ParseDistributed(reg, in.Props); err == nil {
				settings := func(topic workerconfig.InternalTopic) map[string]any {
					m := map[string]any{}
					for key, value := range topic.Settings {
						m[key] = value
					}
					return m
				}
				got["offsetsTopicSettings"], got["configTopicSettings"], got["statusTopicSettings"] =
					settings(cfg.OffsetTopic), settings(cfg.ConfigTopic), settings(cfg.StatusTopic)
				got["exactlyOnce"] = cfg.ExactlyOnce == workerconfig.ExactlyOnceEnabled
			}
		}
		if c.Error != nil {
			const list = "<algorithms>" // of the JVM
			if before, ok := strings.CutSuffix(c.Error.Message, list); ok && err != nil && strings.HasPrefix(err.Error(), before) {
				return
			}
			wantConfigError(t, c, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := decode[map[string]any](t, c.Out); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}
