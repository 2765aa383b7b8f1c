package clients

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// documentation is what Kafka 4.3.0 says of the properties of its clients, as the REST API shows it: kinds of clients, name,
// importance and text on each line.
//
//go:embed documentation.tsv
var documentation string

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
	for line := range strings.Lines(documentation) {
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
