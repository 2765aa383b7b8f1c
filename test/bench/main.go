// Bench measures a worker against a bare Kafka client that does the same, on the same broker, in the same run: what the worker
// costs over what any program costs. A broker is started unless there is one.
//
//	go run ./test/bench [flags]
//
// Each round of a workload is a process of its own, a worker in standalone mode or the bare loop, so that all of what it
// needs is counted, start and end too: CPU time and peak memory are what the system says of the process when it has ended.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	var b bench
	flag.IntVar(&b.records, "records", 1_000_000, "records of 100 bytes in a round")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds that count; one more runs first")
	flag.StringVar(&b.bootstrap, "bootstrap", "", "a broker, HOST:PORT; if empty, one is started")
	flag.IntVar(&b.large, "large", 1000, "megabytes of the file of the measurement of memory; 0 leaves it out")
	flag.StringVar(&b.only, "only", "", "measure only this: throughput, start, idle or memory")
	flag.BoolVar(&b.check, "check", false, "fail if a budget is not met")
	loop := flag.String("loop", "", "used by bench itself: run the bare loop of this workload")
	in := flag.String("in", "", "used with -loop")
	out := flag.String("out", "", "used with -loop")
	flag.Parse()
	err := error(nil)
	if *loop != "" {
		err = bare(context.Background(), *loop, b.bootstrap, *in, *out, b.records)
	} else {
		err = b.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the program.
type bench struct {
	records, rounds, large int
	bootstrap, only        string
	check                  bool

	dir    string
	worker string // the binary
	self   string
	admin  *kadm.Client
	client *kgo.Client
	missed []string // budgets
}

// lineSize is the size of a record, with the line end of a file.
const lineSize = 100

func (b *bench) run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	b.worker = filepath.Join(b.dir, "worker")
	build := exec.Command("go", "build", "-o", b.worker, "github.com/gokconnect/connect/examples/worker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is built for a container: without the memory of C's libraries
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the worker: %w\n%s", err, out)
	}
	if b.bootstrap == "" {
		c, err := kafka.StartBroker(filepath.Join(b.dir, "broker"))
		if err != nil {
			return err
		}
		defer c.Close()
		b.bootstrap = c.Bootstrap()
	}
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.bootstrap), kgo.MetadataMinAge(50*time.Millisecond)); err != nil {
		return err
	}
	defer b.client.Close()
	b.admin = kadm.NewClient(b.client)
	fmt.Printf("%s\nKafka %s, %s, load average before: %s\n\n", machine(), kafka.Version, runtime.Version(), loadAverage())
	for _, m := range []struct {
		name    string
		measure func(context.Context) error
	}{{"start", b.start}, {"idle", b.idle}, {"throughput", b.throughput}, {"memory", b.memory}} {
		if b.only != "" && b.only != m.name {
			continue
		}
		if err := m.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	fmt.Printf("load average after: %s\n", loadAverage())
	if b.check && len(b.missed) > 0 {
		return fmt.Errorf("budgets missed:\n\t%s", strings.Join(b.missed, "\n\t"))
	}
	return nil
}

// budget notes a figure that is not as it should be.
func (b *bench) budget(ok bool, format string, args ...any) {
	if !ok {
		b.missed = append(b.missed, fmt.Sprintf(format, args...))
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// topic makes a topic of one partition.
func (b *bench) topic(ctx context.Context, name string) error {
	_, err := b.admin.CreateTopic(ctx, 1, 1, nil, name)
	return err
}

// machine says what this runs on.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d CPUs: %s", runtime.GOOS, runtime.NumCPU(), model)
}

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
