package clients

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
)

var update = flag.Bool("update", false, "write docs/clients.md and documentation.tsv.gz anew")

// TestClientDocs keeps docs/clients.md as the table of properties is.
func TestClientDocs(t *testing.T) {
	const path = "../../docs/clients.md"
	want := clientDocs()
	if *update {
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/clients.md is not as the table is: go test ./internal/clients -run TestClientDocs -update")
	}
}

// TestDocumentation keeps the compressed texts of Kafka as they are.
func TestDocumentation(t *testing.T) {
	want, err := os.ReadFile("testdata/documentation.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
		w.Write(want)                                         // a buffer takes everything
		w.Close()
		if err := os.WriteFile("documentation.tsv.gz", b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if documented() != string(want) {
		t.Error("documentation.tsv.gz is not testdata/documentation.tsv: go test ./internal/clients -run TestDocumentation -update")
	}
}

func clientDocs() []byte {
	var b bytes.Buffer
	b.WriteString(`# Kafka clients

Clients are configured by the properties of Kafka's Java clients, and made with [franz-go](https://github.com/twmb/franz-go). This page is
made from the table that the translation uses (` + "`go test ./internal/clients -run TestClientDocs -update`" + `): every property of Kafka 4.3, and what
becomes of it. One that has no effect is named in a warning when it is set to something else than its default; so is one that no client
has, with the name that may be meant.

## Where properties stand

| Prefix | Where | Clients |
| --- | --- | --- |
| none | worker | the internal topics' clients, the group of instances, and the defaults of ` + "`bootstrap.servers`, `security.protocol`, `ssl.*` and `sasl.*`" + ` for the others |
| ` + "`producer.`, `consumer.`, `admin.`" + ` | worker | those of connectors |
| ` + "`producer.override.`, `consumer.override.`, `admin.override.`" + ` | connector | its own; ` + "`connector.client.config.override.policy`" + ` of the worker says which are allowed (All, None, Principal, Allowlist) |

Producers that are configured alike are one client, whichever tasks use it; every task has a share of its memory. A connector that overrides
a producer's properties, such as ` + "`producer.override.sasl.jaas.config`" + ` for a principal of its own, gets another one.

## Security

TLS takes certificates and keys as PEM, in files or as values of the configuration (` + "`ssl.keystore.type=PEM`" + `), and as JKS and PKCS#12
stores if the program hands in ` + "`keystore.Java{}`" + ` (` + "`cluster.Config.KeyStores`" + `, package plugin/keystore), as examples/worker does.
SASL has PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER (client credentials, or a token in a file). GSSAPI (Kerberos) is a module of its
own, plugin/kerberos; it and others are handed in as ` + "`cluster.Config.Mechanism`" + `.
`)
	for _, part := range []struct {
		title string
		has   func(Property) bool
	}{
		{"Every client", func(p Property) bool {
			return p.Clients == everyKind && !security(p.Name) || p.Clients == KindAdmin || p.Clients&KindAdmin != 0 && p.Clients != everyKind
		}},
		{"Producers", func(p Property) bool { return p.Clients&KindProducer != 0 && p.Clients&KindAdmin == 0 }},
		{"Consumers", func(p Property) bool { return p.Clients&KindConsumer != 0 && p.Clients&KindAdmin == 0 }},
		{"Keys of security, every client", func(p Property) bool { return security(p.Name) }},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| Property | Type | Default | Becomes |\n| --- | --- | --- | --- |\n", part.title)
		all := Properties()
		slices.SortFunc(all, func(p, q Property) int { return strings.Compare(p.Name, q.Name) })
		for _, p := range all {
			if part.has(p) {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, strings.ToLower(p.Type.String()), defaultText(p), effectText(p))
			}
		}
	}
	return b.Bytes()
}

func security(name string) bool {
	return strings.HasPrefix(name, "ssl.") || strings.HasPrefix(name, "sasl.") || strings.HasPrefix(name, "security.")
}

func defaultText(p Property) string {
	text := func(v any) string {
		switch v {
		case nil:
			return "null"
		case connect.Required:
			return "required"
		case "":
			return "empty"
		}
		return fmt.Sprintf("`%s`", strings.ReplaceAll(fmt.Sprint(v), ",", ", "))
	}
	out := text(p.Default)
	if p.AdminDefault != nil {
		out += ", admin " + text(p.AdminDefault)
	}
	return out
}

func effectText(p Property) string {
	effect := strings.ReplaceAll(p.Effect, "|", `\|`)
	if p.Ignored {
		effect = "no effect: " + effect
	}
	if p.Clients != everyKind && p.Clients != KindProducer && p.Clients != KindConsumer {
		effect = p.Clients.String() + ": " + effect
	}
	return effect
}
