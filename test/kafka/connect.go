package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Connect is a worker of the Java Kafka Connect.
type Connect struct {
	Process
	URL string // of its REST API
}

// connectProperties are the properties of both kinds of worker.
func connectProperties(bootstrap, url string) []string {
	return []string{
		"bootstrap.servers=" + bootstrap, "listeners=" + url, "plugin.discovery=service_load", "offset.flush.interval.ms=1000",
		"key.converter=org.apache.kafka.connect.storage.StringConverter", "value.converter=org.apache.kafka.connect.storage.StringConverter",
	}
}

// Worker starts a distributed worker with its state in dir. Its group and internal topics begin with name.
func Worker(dir, bootstrap, name string, properties ...string) (*Connect, error) {
	own := []string{"group.id=" + name}
	for _, kind := range []string{"offset", "config", "status"} {
		own = append(own, kind+".storage.topic="+name+"-"+kind+"s", kind+".storage.replication.factor=1")
	}
	return startConnect(dir, bootstrap, "org.apache.kafka.connect.cli.ConnectDistributed", append(own, properties...), nil)
}

// Standalone starts a standalone worker with its state in dir, its offsets in the file offsets, and the connectors of the
// properties files.
func Standalone(dir, bootstrap, offsets string, properties []string, connectors ...string) (*Connect, error) {
	own := []string{"offset.storage.file.filename=" + offsets}
	return startConnect(dir, bootstrap, "org.apache.kafka.connect.cli.ConnectStandalone", append(own, properties...), connectors)
}

func startConnect(dir, bootstrap, class string, properties, args []string) (*Connect, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	c := &Connect{URL: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
	file := filepath.Join(dir, "worker.properties")
	if err := writeProperties(file, append(connectProperties(bootstrap, c.URL), properties...)); err != nil {
		return nil, err
	}
	argv, err := java(dir, class, append([]string{file}, args...)...)
	if err != nil {
		return nil, err
	}
	c.Process = Process{Dir: dir, Argv: argv, Ready: func(ctx context.Context) error {
		_, err := c.Request(ctx, http.MethodGet, "/connectors", nil)
		return err
	}}
	return c, c.Start()
}

// MirrorMaker returns Java's MirrorMaker in its dedicated mode, not started, with its state in dir and the flows of a properties
// file.
func MirrorMaker(dir, file string) (*Process, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	argv, err := java(dir, "org.apache.kafka.connect.mirror.MirrorMaker", file)
	if err != nil {
		return nil, err
	}
	return &Process{Dir: dir, Argv: argv}, nil
}

// Request sends a request to the REST API, with body as JSON if it is not nil, and returns the answer. A status other than
// 2xx is an error.
func (c *Connect) Request(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, payload)
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
