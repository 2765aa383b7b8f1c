package clients

import (
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// documentation is what Kafka 4.3.0 says of the properties of its clients, as the REST API shows it: kinds of clients, name,
// importance and text on each line. It is compressed, since every program that embeds the runtime carries it;
// testdata/documentation.tsv is the text, from which TestDocumentation makes it with -update.
//
//go:embed documentation.tsv.gz
var documentation string

// documented returns the lines of the documentation.
func documented() string {
	r, err := gzip.NewReader(strings.NewReader(documentation))
	if err != nil {
		panic("clients: documentation.tsv.gz: " + err.Error())
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic("clients: documentation.tsv.gz: " + err.Error())
	}
	return string(text)
}

// described is what is said of one property of one kind of client.
type described struct {
	importance connect.Importance
	text       string
}

type ofKind struct {
	kind Kind
	name string
}

var descriptions = sync.OnceValue(func() map[ofKind]described {
	kinds := map[string]Kind{"producer": KindProducer, "consumer": KindConsumer, "admin": KindAdmin}
	importances := map[string]connect.Importance{"HIGH": connect.High, "MEDIUM": connect.Medium, "LOW": connect.Low}
	escapes := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")
	all := make(map[ofKind]described)
	for line := range strings.Lines(documented()) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for kind := range strings.SplitSeq(fields[0], ",") {
			all[ofKind{kinds[kind], fields[1]}] = described{importances[fields[2]], escapes.Replace(fields[3])}
		}
	}
	return all
})

// describe sets the importance and documentation that Kafka gives a property. What is of this library alone is documented
// by its effect.
func (p Property) describe(kind Kind, key *connect.ConfigKey) {
	if d, ok := descriptions()[ofKind{kind, p.Name}]; ok {
		key.Importance, key.Documentation = d.importance, d.text
		return
	}
	if security, ok := workerconfig.SecurityKey(p.Name); ok {
		key.Importance, key.Documentation = security.Importance, security.Documentation
	}
}
