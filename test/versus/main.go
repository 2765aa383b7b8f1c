// Versus runs the same connectors, by the same REST calls, on the real Java Kafka Connect and on examples/worker, side by side
// on one broker, and prints what each needed, and what a bare Kafka client needs for the same: the limit.
//
//	go run ./test/versus [flags]
//
// Records are counted where they arrive: end offsets of the topic, or lines of the file. Engines take turns, round by round,
// and the first rounds only warm up, since a JVM gets faster for several. It needs Linux, Java 17 and Maven; a busy machine
// slows Java more than Go, so that only ratios of one quiet run mean much.
package main

import (
	"context"
	"encoding/json"
	"errors"
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
	var v versus
	flag.IntVar(&v.records, "records", 1_000_000, "records of a workload; half of it where they are JSON")
	flag.IntVar(&v.rounds, "rounds", 3, "rounds that count")
	flag.IntVar(&v.warmup, "warmup", 2, "rounds that run first and do not count")
	flag.StringVar(&v.only, "workloads", "", "comma-separated names; all if empty")
	flag.StringVar(&v.bootstrap, "bootstrap", "", "a broker, HOST:PORT; if empty, one is started")
	flag.BoolVar(&v.check, "check", false, "fail if a budget is not met")
	loop := flag.String("loop", "", "used by versus itself: run the bare loop of this workload")
	in := flag.String("in", "", "used with -loop")
	out := flag.String("out", "", "used with -loop")
	flag.Parse()
	var err error
	if *loop != "" {
		err = bare(context.Background(), *loop, v.bootstrap, *in, *out, v.records)
	} else {
		err = v.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "versus:", err)
		os.Exit(1)
	}
}

// versus is one run of the program.
type versus struct {
	records, rounds, warmup int
	only, bootstrap         string
	check                   bool

	dir, self string
	client    *kgo.Client
	admin     *kadm.Client
	engines   []*engine
	results   []result
	missed    []string // budgets
}

// result is what one round needed.
type result struct {
	engine, workload string
	records          int
	wall, cpu, peak  float64 // seconds, seconds, MiB
}

func (r result) perSecond() float64    { return float64(r.records) / r.wall }
func (r result) perCPUSecond() float64 { return float64(r.records) / max(r.cpu, 0.01) }
func (r result) peakMiB() float64      { return r.peak }

// The engines. ours stands beside java in each comparison.
const (
	bareLoop = "limit"
	java     = "java"
	ours     = "connect"
)

func (v *versus) run(ctx context.Context) (err error) {
	if v.dir, err = os.MkdirTemp("", "versus-"); err != nil {
		return err
	}
	defer os.RemoveAll(v.dir)
	if v.self, err = os.Executable(); err != nil {
		return err
	}
	if v.bootstrap == "" {
		c, err := kafka.StartBroker(filepath.Join(v.dir, "broker"))
		if err != nil {
			return err
		}
		defer c.Close()
		v.bootstrap = c.Bootstrap()
	}
	v.client, err = kgo.NewClient(kgo.SeedBrokers(v.bootstrap), kgo.MetadataMinAge(20*time.Millisecond), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return err
	}
	defer v.client.Close()
	v.admin = kadm.NewClient(v.client)
	fmt.Printf("%s, %d CPUs, %s, Kafka %s, load average %s\n\n", runtime.GOOS, runtime.NumCPU(), runtime.Version(), kafka.Version, loadAverage())
	binary := filepath.Join(v.dir, "worker")
	build := exec.Command("go", "build", "-o", binary, "github.com/gokconnect/connect/examples/worker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is built for a container: without the memory of C's libraries
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the worker: %w\n%s", err, out)
	}
	for _, name := range []string{java, ours} {
		e, err := v.start(ctx, name, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer e.process.Kill()
		v.engines = append(v.engines, e)
	}
	for _, w := range workloads {
		if v.only != "" && !slices.Contains(strings.Split(v.only, ","), w.name) {
			continue
		}
		if err := v.workload(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	v.report()
	if v.check && len(v.missed) > 0 {
		return errors.New("budgets missed:\n\t" + strings.Join(v.missed, "\n\t"))
	}
	return nil
}

// workload runs all rounds of one workload.
func (v *versus) workload(ctx context.Context, w workload) error {
	n := int(float64(v.records) * w.scale)
	in, err := v.prepare(ctx, w, n)
	if err != nil {
		return err
	}
	for round := 1 - v.warmup; round <= v.rounds; round++ {
		for _, name := range []string{bareLoop, java, ours} {
			var r result
			if name == bareLoop {
				r, err = v.limit(ctx, w, in, n, round)
			} else {
				r, err = v.engine(name).round(ctx, v, w, in, n, round)
			}
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", name, round, err)
			}
			fmt.Printf("%-17s %-8s round %2d: %10.0f records/s %10.0f records/CPU-s %7.1f MiB\n", w.name, name, round, r.perSecond(), r.perCPUSecond(), r.peak)
			if r.engine, r.workload = name, w.name; round > 0 {
				v.results = append(v.results, r)
			}
		}
	}
	return nil
}

func (v *versus) engine(name string) *engine {
	return v.engines[slices.IndexFunc(v.engines, func(e *engine) bool { return e.name == name })]
}

// median returns the median of a figure over the rounds that counted, and whether there are any.
func (v *versus) median(workload, engine string, figure func(result) float64) (float64, bool) {
	var all []float64
	for _, r := range v.results {
		if r.workload == workload && r.engine == engine {
			all = append(all, figure(r))
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return all[len(all)/2], true
}

// report prints medians, and notes which budgets are missed.
func (v *versus) report() {
	fmt.Printf("\nMedians of %d rounds, %d records:\n\n| Workload | By | Records/s | Records/CPU-s | Peak MiB | CPU of Java's | of the limit | Budget |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n", v.rounds, v.records)
	for _, w := range workloads {
		limit, ran := v.median(w.name, bareLoop, result.perCPUSecond)
		if !ran {
			continue
		}
		javas, _ := v.median(w.name, java, result.perCPUSecond)
		javaWall, _ := v.median(w.name, java, result.perSecond)
		for _, name := range []string{bareLoop, java, ours} {
			cpu, _ := v.median(w.name, name, result.perCPUSecond)
			wall, _ := v.median(w.name, name, result.perSecond)
			peak, _ := v.median(w.name, name, result.peakMiB)
			budget := ""
			if name == ours {
				budget = fmt.Sprintf("≥ %.1f × Java", w.java)
				v.budget(cpu >= w.java*javas, "%s: %.2f × Java's records per CPU second, want %.1f", w.name, cpu/javas, w.java)
				v.budget(wall >= javaWall, "%s: %.0f records/s, Java %.0f", w.name, wall, javaWall)
				v.budget(peak <= 85, "%s: peak %.1f MiB, want 85", w.name, peak)
				if w.limit > 0 {
					budget += fmt.Sprintf(", ≥ %.0f %%", 100*w.limit)
					v.budget(cpu >= w.limit*limit, "%s: %.0f %% of the limit, want %.0f", w.name, 100*cpu/limit, 100*w.limit)
				}
			}
			fmt.Printf("| %s | %s | %.0f | %.0f | %.1f | %.1f × | %.0f %% | %s |\n", w.name, name, wall, cpu, peak, cpu/javas, 100*cpu/limit, budget)
		}
	}
	for _, e := range v.engines {
		fmt.Printf("\n%s: REST answers after %.0f ms, idle %.1f MiB, idle CPU %.2f %% of a core", e.name, e.started, e.idleMiB, 100*e.idleCPU)
		if e.name == ours {
			v.budget(e.started <= 100, "REST answers after %.0f ms, want 100", e.started)
			v.budget(e.idleMiB <= 20, "idle %.1f MiB, want 20", e.idleMiB)
			v.budget(e.idleCPU <= 0.003, "idle CPU %.2f %%, want 0.3", 100*e.idleCPU)
		}
	}
	fmt.Printf("\nload average %s\n", loadAverage())
	for _, m := range v.missed {
		fmt.Println("missed:", m)
	}
}

func (v *versus) budget(ok bool, format string, args ...any) {
	if !ok {
		v.missed = append(v.missed, fmt.Sprintf(format, args...))
	}
}

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// toJSON is for values that can be marshalled.
func toJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
