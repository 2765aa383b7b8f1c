// Package kafka starts the real Apache Kafka and the real Java Kafka Connect on this machine, from their published jars.
// It needs Java 17 or later and Maven, which fetches the jars once. Everything listens on 127.0.0.1 only.
//
// Only slow suites and benchmarks import this package.
package kafka

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
)

//go:embed pom.xml
var pom []byte

//go:embed log4j2.xml
var log4j []byte

// Version is the version of Kafka that is started.
var Version = string(regexp.MustCompile(`<kafka\.version>(.*)</`).FindSubmatch(pom)[1])

// Jars returns the folder of the jars. Maven fills it if it is not there. It is lib in the folder that the environment
// variable KAFKA_JARS names, or in gokconnect-kafka/VERSION of the user's cache.
var Jars = sync.OnceValues(fetchJars)

func fetchJars() (string, error) {
	home := os.Getenv("KAFKA_JARS")
	if home == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("a folder for the jars: %w", err)
		}
		home = filepath.Join(cache, "gokconnect-kafka", Version)
	}
	lib, complete := filepath.Join(home, "lib"), filepath.Join(home, ".complete")
	if _, err := os.Stat(complete); err == nil {
		return lib, nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", fmt.Errorf("the real Kafka comes by Maven, which is not installed: %w", err)
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	// Others may be doing the same: each fills a folder of its own, and the first one to finish gives it its name.
	part, err := os.MkdirTemp(home, "part-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(part)
	if err := os.WriteFile(filepath.Join(part, "pom.xml"), pom, 0o644); err != nil {
		return "", err
	}
	cmd := exec.Command(mvn, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(part, "lib"))
	cmd.Dir = part
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn dependency:copy-dependencies: %w\n%s", err, bytes.TrimSpace(out))
	}
	if err := os.Rename(filepath.Join(part, "lib"), lib); err != nil {
		if _, missing := os.Stat(lib); missing != nil {
			return "", err
		}
	}
	return lib, os.WriteFile(complete, nil, 0o644)
}

// java returns a command line that runs a main class of the jars. Properties of the virtual machine go before class.
func java(dir string, class string, args ...string) ([]string, error) {
	lib, err := Jars()
	if err != nil {
		return nil, err
	}
	logging := filepath.Join(dir, "log4j2.xml")
	if err := os.WriteFile(logging, log4j, 0o644); err != nil {
		return nil, err
	}
	return append([]string{"java", "-Xmx512m", "-Dlog4j2.configurationFile=" + logging, "-cp", filepath.Join(lib, "*"), class}, args...), nil
}
