package workerconfig

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

func distributed(more ...string) connect.Config {
	cfg := connect.Config{
		"bootstrap.servers": "a:1,b:2", "key.converter": "x.Key", "value.converter": "x.Value", "group.id": "g",
		"config.storage.topic": "c", "offset.storage.topic": "o", "status.storage.topic": "s",
	}
	for i := 0; i < len(more); i += 2 {
		cfg[more[i]] = more[i+1]
	}
	return cfg
}

func TestParseDistributed(t *testing.T) {
	got, err := ParseDistributed(nil, distributed(
		"connect.protocol", "Eager", "exactly.once.source.support", "PREPARING", "offset.storage.partitions", "7", "offset.storage.cleanup.policy", "delete",
		"offset.storage.segment.bytes", "1", "config.storage.partitions", "9", "config.providers", "v", "config.providers.v.class", " x.Vault ",
		"config.providers.v.param.url", "u", "key.converter.schemas.enable", "false", "inter.worker.key.size", "256", "admin.listeners", "",
	))
	if err != nil {
		t.Fatal(err)
	}
	if got.Protocol != ProtocolEager || got.ExactlyOnce != ExactlyOncePreparing || got.KeyBits != 256 || got.SessionTimeout != 10*time.Second ||
		got.AdminListeners == nil || len(got.AdminListeners) != 0 || !reflect.DeepEqual(got.Listeners, []string{"http://:8083"}) ||
		!reflect.DeepEqual(got.BootstrapServers, []string{"a:1", "b:2"}) {
		t.Errorf("got %+v", got)
	}
	if want := (InternalTopic{"o", 7, 3, map[string]string{"segment.bytes": "1"}}); !reflect.DeepEqual(got.OffsetTopic.Name, want.Name) ||
		got.OffsetTopic.Partitions != 7 || len(got.OffsetTopic.Settings) != 1 {
		t.Errorf("offsets topic %+v, want %+v", got.OffsetTopic, want)
	}
	if got.ConfigTopic.Partitions != 1 || len(got.ConfigTopic.Settings) != 0 {
		t.Errorf("config topic %+v", got.ConfigTopic)
	}
	if want := []ConfigProvider{{"v", "x.Vault", connect.Config{"url": "u"}}}; !reflect.DeepEqual(got.ConfigProviders, want) {
		t.Errorf("providers %+v", got.ConfigProviders)
	}
	if got.KeyConverter.Class != "x.Key" || got.KeyConverter.Config["schemas.enable"] != "false" {
		t.Errorf("key converter %+v", got.KeyConverter)
	}
}

func TestClassesOfWorkers(t *testing.T) {
	empty := new(connect.Registry)
	_, err := ParseDistributed(empty, distributed())
	if err == nil || err.Error() != "Invalid value x.Key for configuration key.converter: Class x.Key could not be found." {
		t.Errorf("error %v", err)
	}
}

func TestInterWorkerKeys(t *testing.T) {
	for _, tt := range []struct{ algorithm, size, want string }{
		{"HmacSHA512", "8", "Unable to create key generator with algorithm HmacSHA512 and key size 8: Key length must be at least 40 bits"},
		{"HmacSHA1", "8", ""},
		{"hmacsha256", "40", ""},
		{"HmacMD5", "0", "Unable to create key generator with algorithm HmacMD5 and key size 0"},
	} {
		_, err := ParseDistributed(nil, distributed("inter.worker.key.generation.algorithm", tt.algorithm, "inter.worker.key.size", tt.size))
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s %s: %v", tt.algorithm, tt.size, err)
		}
	}
}

func TestParseHeaderRules(t *testing.T) {
	got, err := ParseHeaderRules(`"add Cache-Control: no-cache, no-store", SET X: y ,setdate  Expires: 1000`)
	want := []HeaderRule{{"add", "Cache-Control", "no-cache, no-store"}, {"set", "X", "y"}, {"setDate", "Expires", "1000"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	for text, want := range map[string]string{
		"add":       "Invalid format of header config 'add'. Expected: '[action] [header name]:[header value]'",
		"put X: y":  "Invalid header config action: 'put'. Expected one of [set, add, setDate, addDate]",
		"add X:y:z": "Invalid format of header name and header value pair 'X:y:z'. Expected: '[header name]:[header value]'",
		"add X Y:z": "Invalid header name 'X Y'. The '[header name]' cannot contain whitespace",
	} {
		if _, err := ParseHeaderRules(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzParseHeaderRules(f *testing.F) {
	f.Add(`"add A: b, c", set X: y`)
	f.Add(`add "A\"": b,,`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ParseHeaderRules(text)
		for _, r := range rules {
			if err != nil || r.Name == "" || strings.ContainsAny(r.Name, " \t\n:") {
				t.Fatalf("%q: %q, %v", text, rules, err)
			}
		}
	})
}
