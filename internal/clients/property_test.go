package clients

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
)

// TestTableIsComplete compares the table with the ConfigDefs of Kafka's Java clients.
func TestTableIsComplete(t *testing.T) {
	f, err := os.Open("testdata/kafka-clients-4.3.0.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kinds := map[string]Kind{"P": KindProducer, "C": KindConsumer, "A": KindAdmin}
	seen := map[string]Kind{}
	table := byName()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		row := strings.Split(lines.Text(), "\t")
		kind, name, typ, want := kinds[row[0]], row[1], row[2], row[3]
		seen[name] |= kind
		p, ok := table[name]
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		if p.Clients&kind == 0 {
			t.Errorf("%s is missing for %s", name, kind)
		}
		if typ != "CLASS" && p.Type.String() != typ {
			t.Errorf("%s has type %s, want %s", name, p.Type, typ)
		}
		got := fmt.Sprint(p.key(kind).Default)
		switch {
		case p.key(kind).Default == connect.Required:
			got = "<required>"
		case p.key(kind).Default == nil:
			got = "null"
		}
		switch name {
		case "key.serializer", "value.serializer", "key.deserializer", "value.deserializer":
			want = "null" // every record is bytes here, so nobody has to name it
		case "partition.assignment.strategy":
			want = strings.ReplaceAll(want, "class ", "")
		case "receive.buffer.bytes": // without effect, so its default of a consumer does not matter
			if kind == KindConsumer {
				want = "32768"
			}
		case "bootstrap.servers": // Kafka's admin client can have controllers instead
			want = "<required>"
		}
		if got != want {
			t.Errorf("%s of %s has the default %s, want %s", name, kind, got, want)
		}
	}
	for _, p := range Properties() {
		if seen[p.Name] != p.Clients {
			t.Errorf("%s is there for %s, want %s", p.Name, p.Clients, seen[p.Name])
		}
		if p.Effect == "" {
			t.Errorf("%s has neither an effect nor a reason", p.Name)
		}
	}
	if len(seen) != len(Properties()) {
		t.Errorf("%d properties, want %d", len(Properties()), len(seen))
	}
}

func TestWarnings(t *testing.T) {
	const secret = "hunter2"
	_, _, warnings, err := Producer(map[string]string{
		"bootstrap.servers": "b:1", "lingr.ms": "5", "group.id": "g", "interceptor.classes": "x.Y", "send.buffer.bytes": "131072",
		"metrics.context.foo": "bar", "sasl.oauthbearer.assertion.private.key.passphrase": secret, "wholly.other": secret,
		"linger.ms": "120000", "config.providers": "file",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"group.id":            "group.id is a property of another client (consumer), so it has no effect on this one (producer)",
		"interceptor.classes": "interceptor.classes has no effect: interceptors are Java classes; give the runtime a kgo.Hook instead",
		"config.providers":    "config.providers has no effect: placeholders are resolved before a client gets its properties",
		"lingr.ms":            "lingr.ms is no property of the client (producer), so it has no effect; did you mean linger.ms?",
		"wholly.other":        "wholly.other is no property of the client (producer), so it has no effect",
		"linger.ms":           "linger.ms is 1m0s: the client allows from 0s to 1m0s",
		"sasl.oauthbearer.assertion.private.key.passphrase": "sasl.oauthbearer.assertion.private.key.passphrase has no effect: tokens are got with client credentials or from a file",
	}
	for i, w := range warnings {
		if want[w.Key] != w.Message {
			t.Errorf("unexpected: %s", w.Message)
		}
		if i > 0 && warnings[i-1].Key > w.Key {
			t.Errorf("%s comes before %s", warnings[i-1].Key, w.Key)
		}
		if strings.Contains(w.Message, secret) {
			t.Errorf("a value is shown: %s", w.Message)
		}
		delete(want, w.Key)
	}
	for key := range want {
		t.Errorf("no warning about %s", key)
	}
	left := warnings.Without(map[string]string{"group.id": "", "wholly.other": "", "interceptor.classes": "", "lingr.ms": "", "config.providers": ""})
	if len(left) != 3 {
		t.Errorf("left %v", left)
	}
}

func TestNearest(t *testing.T) {
	known := Names(everyKind)
	for key, want := range map[string]string{
		"lingr.ms": "linger.ms", "acsk": "acks", "bootstrap.server": "bootstrap.servers", "security.protocoll": "security.protocol",
		"linger.ms": "", "something.else": "", "": "", strings.Repeat("a", 1<<16): "", "\xff\xfe": "",
	} {
		got, ok := Nearest(key, known)
		if got != want || ok != (want != "") {
			t.Errorf("%.20q: got %q, want %q", key, got, want)
		}
	}
}
