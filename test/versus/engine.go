package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect/test/kafka"
)

// engine is a worker that runs all the time.
type engine struct {
	name    string
	url     string
	process *kafka.Process
	started float64 // ms until REST answered
	idleMiB float64
	idleCPU float64 // share of a core
}

// timeout is how long one round may take.
const timeout = 4 * time.Minute

// start starts a distributed worker and measures it while it has nothing to do.
func (v *versus) start(ctx context.Context, name, binary string) (*engine, error) {
	dir := filepath.Join(v.dir, name)
	e := &engine{name: name}
	began := time.Now()
	properties := []string{"group.id=" + name, "offset.flush.interval.ms=1000"}
	if name == java {
		c, err := kafka.Worker(dir, v.bootstrap, name, "offset.flush.interval.ms=1000")
		if err != nil {
			return nil, err
		}
		e.process, e.url = &c.Process, c.URL
	} else {
		ports, err := kafka.FreePorts(1)
		if err != nil {
			return nil, err
		}
		e.url = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
		properties = append(properties, "bootstrap.servers="+v.bootstrap, "listeners="+e.url,
			"key.converter=org.apache.kafka.connect.storage.StringConverter", "value.converter=org.apache.kafka.connect.storage.StringConverter")
		for _, kind := range []string{"offset", "config", "status"} {
			properties = append(properties, kind+".storage.topic="+name+"-"+kind+"s", kind+".storage.replication.factor=1")
		}
		file := filepath.Join(dir, "worker.properties")
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(file, []byte(strings.Join(properties, "\n")+"\n"), 0o644)); err != nil {
			return nil, err
		}
		began = time.Now()
		e.process = &kafka.Process{Dir: dir, Argv: []string{binary, file}, Ready: func(ctx context.Context) error {
			_, err := e.request(ctx, http.MethodGet, "/connectors", nil)
			return err
		}}
		if err := e.process.Start(); err != nil {
			return nil, err
		}
	}
	e.started = float64(time.Since(began).Microseconds()) / 1000
	time.Sleep(3 * time.Second)
	before, from, err := e.cpu(), time.Now(), error(nil)
	time.Sleep(5 * time.Second)
	e.idleCPU = (e.cpu() - before) / time.Since(from).Seconds()
	e.idleMiB, err = e.memory("VmRSS:")
	return e, err
}

// round runs one connector until all records have arrived.
func (e *engine) round(ctx context.Context, v *versus, w workload, in string, n, round int) (r result, err error) {
	name := fmt.Sprintf("versus-%s-%s-%d-%d", w.name, e.name, round, rand.IntN(1e6))
	out := name
	switch {
	case w.to == "file":
		out = filepath.Join(v.dir, name)
	case w.mirror:
		out = name + "." + in // the alias of the source cluster is the connector's name
	default:
		if _, err := v.admin.CreateTopic(ctx, 6, 1, nil, out); err != nil {
			return r, err
		}
	}
	cfg := map[string]string{"name": name}
	for k, value := range w.config {
		cfg[k] = strings.NewReplacer("${in}", in, "${out}", out, "${name}", name, "${bootstrap}", v.bootstrap).Replace(value)
	}
	// The kernel's note of the largest memory begins anew.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", e.process.Pid()), []byte("5"), 0o644); err != nil {
		return r, err
	}
	arrived := func() (int, error) { return v.endOffset(ctx, out) }
	if w.to == "file" {
		arrived = lineCounter(out)
	}
	cpu, began := e.cpu(), time.Now()
	if _, err := e.request(ctx, http.MethodPost, "/connectors", toJSON(map[string]any{"name": name, "config": cfg})); err != nil {
		return r, err
	}
	defer func() {
		_, derr := e.request(ctx, http.MethodDelete, "/connectors/"+name, nil)
		time.Sleep(500 * time.Millisecond)
		if w.to == "file" {
			derr = errors.Join(derr, os.Remove(out))
		} else {
			_, terr := v.admin.DeleteTopic(ctx, out)
			derr = errors.Join(derr, terr)
		}
		err = errors.Join(err, derr)
	}()
	for {
		got, err := arrived()
		if err != nil {
			return r, err
		}
		if got >= n {
			break
		}
		if time.Since(began) > timeout {
			return r, fmt.Errorf("%d of %d records arrived in %v; the log ends with\n%s", got, n, timeout, e.process.Tail())
		}
		time.Sleep(20 * time.Millisecond)
	}
	r = result{records: n, wall: time.Since(began).Seconds(), cpu: e.cpu() - cpu}
	r.peak, err = e.memory("VmHWM:")
	return r, err
}

func (e *engine) request(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	return answer, err
}

// cpu returns the seconds of processor time that the worker has used, 0 where the system does not say.
func (e *engine) cpu() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.process.Pid()))
	if err != nil {
		return 0
	}
	const ticks = 100 // a second
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticks
}

// memory returns a figure of the worker's memory in MiB.
func (e *engine) memory(key string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.process.Pid()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("the system does not say %s", key)
}
