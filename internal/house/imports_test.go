package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gokconnect/connect"

// layer is a row of the table of who may import whom.
type layer struct {
	packages []string // relative to the module; a trailing /... takes in what is below
	may      []string // what they may import of this module, besides each other if peers is set
	peers    bool
	thirdly  []string // other modules' packages, by prefix
	why      string
}

var (
	// pure logic knows nothing of Kafka.
	pure = []string{"internal/javaerror", "internal/javahash", "internal/javamap", "internal/javatext", "internal/values", "internal/smt", "internal/predicate", "internal/pipeline", "internal/recordbatch",
		"internal/tolerance", "internal/topiccreation", "internal/connconfig", "internal/workerconfig", "internal/configprovider",
		"internal/offsetcodec", "internal/storejson", "internal/assign", "internal/herder", "internal/protocol"}
	kafkaClient = []string{"github.com/twmb/franz-go"}
	telemetry   = []string{"go.opentelemetry.io/otel/"}
)

// layers go from what is stable to what changes: the plugins' interfaces, pure logic, Kafka, the runtime, programs.
var layers = []layer{
	{
		packages: []string{"."},
		why:      "A connector's author pulls in the standard library and nothing else.",
	},
	{
		packages: []string{"connecttest"}, may: []string{".", "internal/recordbatch"},
		why: "Unit tests of a connector compile as fast as the connector.",
	},
	{
		packages: []string{"internal/javaregexp"}, thirdly: []string{"github.com/dlclark/regexp2/v2"},
		why: "One package knows the engine for Java's regular expressions.",
	},
	{
		packages: pure,
		may:      []string{".", "internal/javaregexp"}, peers: true,
		why: "Pure logic is tested without Kafka, and survives another Kafka client.",
	},
	{
		packages: []string{"internal/logging"}, may: []string{"."},
		why: "Levels of loggers are nobody's business but the runtime's.",
	},
	{
		packages: []string{"internal/tracing"}, may: []string{"."}, thirdly: telemetry,
		why: "Spans have one home, and use the API of OpenTelemetry, never its SDK.",
	},
	{
		packages: []string{"internal/metrics"}, may: []string{"."}, thirdly: telemetry,
		why: "Instruments have one home, and use the API of OpenTelemetry, never its SDK.",
	},
	{
		packages: []string{"internal/metrics/metricstest", "internal/tracing/tracingtest"}, thirdly: telemetry,
		why: "Providers for tests.",
	},
	{
		packages: []string{"internal/rest"}, may: []string{".", "internal/connconfig", "internal/logging"},
		why: "The REST API says by small interfaces what it needs, and is tested without a runtime; what validation found is plain data.",
	},
	{
		packages: []string{"internal/clients/...", "internal/rawproduce", "internal/kafkalog", "internal/group", "internal/configstore", "internal/statusstore", "internal/fencing", "offsets"},
		may:      append([]string{"."}, pure...),
		peers:    true, thirdly: append([]string{"golang.org/x/sync"}, kafkaClient...),
		why: "Kafka adapters know Kafka and the data they store, not the tasks that use them.",
	},
	{
		packages: []string{"internal/worker"},
		may:      append([]string{".", "offsets", "internal/javaregexp", "internal/metrics", "internal/tracing", "internal/clients", "internal/rawproduce", "internal/kafkalog"}, pure...),
		thirdly:  append(append([]string{"golang.org/x/sync"}, telemetry...), kafkaClient...),
		why:      "Tasks run the same under any coordinator and any REST API.",
	},
	{
		packages: []string{"cluster"},
		may:      []string{".", "offsets", "internal/...", "plugin/jsonconv", "plugin/file", "plugin/mirror"},
		thirdly:  append(append([]string{"golang.org/x/sync"}, telemetry...), kafkaClient...),
		why:      "The runtime is where everything comes together.",
	},
	{
		packages: []string{"cluster/mirrormaker"}, may: []string{".", "cluster", "plugin/mirror", "internal/clients"},
		why: "Several runtimes in one process, for the connectors of MirrorMaker; the listeners' TLS is that of workers.",
	},
	{
		packages: []string{"plugin/mirror"}, may: []string{".", "internal/clients/...", "internal/connconfig", "internal/workerconfig", "internal/javaregexp", "internal/recordbatch"},
		thirdly: kafkaClient,
		why:     "A plugin is what anybody could have written; this one copies from Kafka, by Kafka's client properties, the layout of its batches, and Java's regular expressions.",
	},
	{
		packages: []string{"plugin/keystore"}, may: []string{"."}, thirdly: []string{"github.com/pavlo-v-chernykh/keystore-go/v4", "software.sslmate.com/src/go-pkcs12"},
		why: "Java's key stores are opened only in programs that ask for it.",
	},
	{
		packages: []string{"plugin/..."}, may: []string{"."},
		why: "A plugin is what anybody could have written: it uses public interfaces only.",
	},
	{
		packages: []string{"offsets/offsetstest"}, may: []string{".", "offsets"},
		why: "A suite for implementations of an interface.",
	},
	{
		packages: []string{"cluster/coordinatortest"}, may: []string{".", "cluster"},
		why: "A suite for implementations of an interface.",
	},
	{
		packages: []string{"examples/..."},
		may:      []string{".", "cluster", "cluster/mirrormaker", "offsets", "connecttest", "plugin/...", "examples/..."},
		thirdly:  append([]string{"github.com/schollz/progressbar/v3", "golang.org/x/term", "go.opentelemetry.io/otel"}, kafkaClient...),
		why:      "Examples use what their readers can use.",
	},
	{
		packages: []string{"test/..."}, may: []string{".", "cluster", "offsets", "connecttest", "plugin/...", "test/..."}, thirdly: kafkaClient,
		why: "Slow suites test from outside.",
	},
	{
		packages: []string{"internal/group/grouptest"}, may: []string{".", "internal/assign", "internal/group", "internal/kafkatest"},
		why: "A suite for implementations of an interface.",
	},
	{
		packages: []string{"internal/kafkatest"}, may: []string{"."}, thirdly: kafkaClient,
		why: "Kafka in memory, for tests.",
	},
	{
		packages: []string{"connecttest/kafkatest"}, may: []string{".", "cluster", "internal/kafkatest"}, thirdly: kafkaClient,
		why: "A runtime and a Kafka in memory, for users' tests.",
	},
	{
		packages: []string{"internal/conformance/...", "internal/house", "internal/simulation"}, may: []string{".", "internal/conformance/...", "internal/javaerror"},
		why: "Tests and what they share.",
	},
}

// inMemoryKafka are packages that may import the in-memory Kafka outside of test files although they are not made for tests:
// demonstrations that run without brokers.
var inMemoryKafka = []string{"internal/kafkatest", "connecttest", "connecttest/kafkatest", "examples/quickstart"}

// pkg is a package as the go command lists it.
type pkg struct {
	ImportPath   string
	Dir          string
	Standard     bool
	Module       *struct{ Path string }
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
}

func (p pkg) rel() string { return relative(p.ImportPath) }

// relative returns "." for the root package and the rest of the path for the others of this module.
func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// standard reports whether a path is of the standard library.
func standard(path string) bool { return !strings.Contains(strings.Split(path, "/")[0], ".") }

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func command(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(command(t, "go", append([]string{"list", "-json=ImportPath,Dir,Standard,Module,Imports,TestImports,XTestImports,GoFiles"}, args...)...)))
	var all []pkg
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// matches reports whether a package is named by one of the patterns.
func matches(rel string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if below, ok := strings.CutSuffix(p, "/..."); ok {
			return rel == below || strings.HasPrefix(rel, below+"/")
		}
		return rel == p
	})
}

func layerOf(rel string) (layer, bool) {
	// The row that names a package goes before those that take it in with others.
	for _, l := range layers {
		if slices.Contains(l.packages, rel) {
			return l, true
		}
	}
	for _, l := range layers {
		if matches(rel, l.packages) {
			return l, true
		}
	}
	return layer{}, false
}

func TestWhoImportsWhom(t *testing.T) {
	for _, p := range list(t, "./...") {
		l, ok := layerOf(p.rel())
		if !ok {
			t.Errorf("%s stands in no row of the table: say there what it may import, and why", p.rel())
			continue
		}
		for _, i := range p.Imports {
			switch rel := relative(i); {
			case standard(i):
			case ours(i):
				if !matches(rel, l.may) && (!l.peers || !matches(rel, l.packages)) {
					t.Errorf("%s must not import %s: %s", p.rel(), rel, l.why)
				}
			case !slices.ContainsFunc(l.thirdly, func(prefix string) bool { return strings.HasPrefix(i, prefix) }):
				t.Errorf("%s must not import %s: %s", p.rel(), i, l.why)
			}
		}
	}
}

func TestInMemoryKafkaIsForTests(t *testing.T) {
	const kfake = "github.com/twmb/franz-go/pkg/kfake"
	for _, p := range list(t, "./...") {
		if matches(p.rel(), inMemoryKafka) || strings.HasSuffix(p.rel(), "test") || matches(p.rel(), []string{"internal/conformance/...", "test/..."}) {
			continue // by its name, a package is for tests
		}
		for _, i := range p.Imports {
			if i == kfake || i == "testing" || relative(i) == "internal/kafkatest" {
				t.Errorf("%s imports %s, which would then be linked into users' programs", p.rel(), i)
			}
		}
	}
	for _, p := range list(t, "-deps", "./cluster", "./offsets", "./plugin/...") {
		if p.ImportPath == kfake || p.ImportPath == "testing" {
			t.Errorf("a program that embeds the runtime links %s", p.ImportPath)
		}
	}
}

func TestRootImportsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t, "-deps", ".") {
		if !p.Standard && p.ImportPath != module {
			t.Errorf("the root package depends on %s", p.ImportPath)
		}
	}
}
