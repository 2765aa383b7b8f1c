// Quickstart carries the lines of a file through Kafka into another file, and changes them on the way.
//
//	go run ./examples/quickstart [flags] [FILE]
//
// Without -bootstrap the Kafka is part of the program and keeps its data in a folder, so that a second run goes on
// where the first one stopped. pipeline.go is what a service would have of all this; the rest is the program around it.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once, unless it comes with the first, as some shells and tools send it.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p, err := parse(args, stderr)
	if err == nil {
		p.stdout, p.stderr = stdout, stderr
		err = p.run(ctx)
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintln(stderr, "quickstart:", err)
	return 1
}

// errUsage says that the command line is wrong, and that the user was told.
var errUsage = errors.New("usage")

// program is one run of the program.
type program struct {
	file      string // absolute
	shown     string // the file as it was named
	out       string
	data      string
	port      int
	bootstrap string // "" for a Kafka of the program's own
	topic     string
	follow    bool

	stdout, stderr io.Writer
	change         func(string) string // what is done to each line
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (*program, error) {
	p := &program{change: shout}
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&p.out, "out", "", "`file` to append the lines to (default FILE.out)")
	flags.StringVar(&p.topic, "topic", "", "`topic` that the lines go through (default: one named after FILE)")
	flags.StringVar(&p.bootstrap, "bootstrap", "", "`host:port` of a Kafka to use in place of the program's own")
	flags.StringVar(&p.data, "data", "quickstart-data", "`folder` for the data of the program's own Kafka")
	flags.IntVar(&p.port, "port", 0, "`port` for the program's own Kafka (default: any that is free)")
	flags.BoolVar(&p.follow, "follow", false, "go on with what is added to FILE, until Ctrl-C")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 1 {
		err = fmt.Errorf("one FILE is expected, not %q (flags come before it)", flags.Args())
	}
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, "usage: quickstart [flags] [FILE]\n\nCarries the lines of FILE (default: README.md) through Kafka into FILE.out.\n\n")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return nil, err
	}
	if err == nil && unusual.MatchString(p.topic) {
		err = fmt.Errorf("-topic %q: the name of a topic has letters, digits, '.', '_' and '-'", p.topic)
	}
	if err == nil && (p.port < 0 || p.port > 65535) {
		err = fmt.Errorf("-port %d is not a port", p.port)
	}
	if err != nil {
		fmt.Fprintf(stderr, "quickstart: %v; -help shows what there is\n", err)
		return nil, errUsage
	}
	if p.shown = flags.Arg(0); p.shown == "" {
		p.shown = "README.md"
	}
	if p.file, err = filepath.Abs(p.shown); err != nil {
		return nil, err
	}
	if p.out == "" {
		p.out = p.shown + ".out"
	}
	if p.topic == "" {
		p.topic = unusual.ReplaceAllString(filepath.Base(p.file), "_") + "-" + hash(p.file)
	}
	return p, nil
}

// unusual is what the name of a topic can't have.
var unusual = regexp.MustCompile(`[^a-zA-Z0-9._-]`)

// hash tells files of the same name apart.
func hash(path string) string {
	sum := sha256.Sum256([]byte(path))
	return fmt.Sprintf("%x", sum[:3])
}
