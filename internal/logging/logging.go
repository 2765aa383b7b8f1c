// Package logging gives the parts of a runtime loggers with names and levels of their own, which can be changed while it
// runs. Names form a tree by their dots, as in Java: a logger without a level has that of the nearest one above it.
package logging

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Root is the name of the logger above all others.
const Root = "root"

// LoggerName is the type of an attribute's value by which a handler of [Levels] learns the name of a logger. It is passed on
// as text, once with each message.
type LoggerName string

// Named returns a logger of that name.
func Named(log *slog.Logger, name string) *slog.Logger { return log.With("logger", LoggerName(name)) }

// off lets nothing through.
const off slog.Level = math.MaxInt

// The levels, from the lowest to the highest.
var levels = [...]struct {
	name  string
	level slog.Level
}{
	{"ALL", math.MinInt},
	{"TRACE", slog.LevelDebug - 4},
	{"DEBUG", slog.LevelDebug},
	{"INFO", slog.LevelInfo},
	{"WARN", slog.LevelWarn},
	{"ERROR", slog.LevelError},
	{"FATAL", slog.LevelError + 4},
	{"OFF", off},
}

// ParseLevel returns the level of a name, in upper or lower case.
func ParseLevel(name string) (slog.Level, bool) {
	for _, l := range levels {
		if strings.EqualFold(l.name, name) {
			return l.level, true
		}
	}
	return 0, false
}

func levelName(level slog.Level) string {
	for i := len(levels) - 1; i > 0; i-- {
		if level >= levels[i].level {
			return levels[i].name
		}
	}
	return levels[0].name
}

// State is a logger as it is now.
type State struct {
	Name, Level string
	Modified    time.Time // zero if its level was never set
}

// Levels are the loggers of one runtime. It is safe for concurrent use.
type Levels struct {
	mu      sync.Mutex
	loggers map[string]*logger
}

// logger is one node of the tree.
type logger struct {
	own       bool // it has a level of its own
	modified  time.Time
	effective atomic.Int64
}

// New returns loggers of which only the root exists, with the lowest level that handler is enabled for.
func New(handler slog.Handler) *Levels {
	root := &logger{own: true}
	root.effective.Store(math.MaxInt)
	for _, l := range levels[1 : len(levels)-1] {
		if handler.Enabled(context.Background(), l.level) {
			root.effective.Store(int64(l.level))
			break
		}
	}
	return &Levels{loggers: map[string]*logger{Root: root}}
}

// logger returns a logger, which is made if need be. The caller holds mu.
func (l *Levels) logger(name string) *logger {
	g := l.loggers[name]
	if g == nil {
		g = new(logger)
		g.effective.Store(int64(l.above(name)))
		l.loggers[name] = g
	}
	return g
}

// above returns the level that a logger without one of its own has. The caller holds mu.
func (l *Levels) above(name string) slog.Level {
	for {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return slog.Level(l.loggers[Root].effective.Load())
		}
		name = name[:dot]
		if g := l.loggers[name]; g != nil && g.own {
			return slog.Level(g.effective.Load())
		}
	}
}

func canonical(name string) string {
	if strings.EqualFold(name, Root) {
		return Root
	}
	return name
}

func (g *logger) state(name string) State {
	return State{name, levelName(slog.Level(g.effective.Load())), g.modified}
}

// All returns every logger, sorted by name.
func (l *Levels) All() []State {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]State, 0, len(l.loggers))
	for name, g := range l.loggers {
		all = append(all, g.state(name))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Get returns a logger; false if there is none of that name.
func (l *Levels) Get(name string) (State, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name = canonical(name)
	g := l.loggers[name]
	if g == nil {
		return State{}, false
	}
	return g.state(name), true
}

// maxLoggers bounds how many loggers can be made by setting levels.
const maxLoggers = 10_000

// Set sets the level of a logger, which is made if need be, and of every logger whose name begins with its name; the root's
// is the beginning of all. It returns the names of those whose level changed, sorted.
func (l *Levels) Set(name string, level slog.Level) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name = canonical(name)
	if l.loggers[name] == nil && len(l.loggers) >= maxLoggers {
		return nil, fmt.Errorf("logger %q: there are too many loggers already", name)
	}
	l.logger(name)
	changed := []string{}
	for other, g := range l.loggers {
		if name != Root && !strings.HasPrefix(other, name) {
			continue
		}
		g.own = true
		if slog.Level(g.effective.Load()) != level || level == off { // Kafka Connect takes OFF for a change in any case
			g.effective.Store(int64(level))
			g.modified = time.Now()
			changed = append(changed, other)
		}
	}
	// What has no level of its own, and does not begin with the name, may still stand below a logger that changed.
	for other, g := range l.loggers {
		if !g.own {
			g.effective.Store(int64(l.above(other)))
		}
	}
	slices.Sort(changed)
	return changed, nil
}

// Handler returns a handler that passes on to next what the levels let through. It decides alone: whether next is
// enabled is not asked.
func (l *Levels) Handler(next slog.Handler) slog.Handler {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &handler{l, l.loggers[Root], "", next}
}

type handler struct {
	levels *Levels
	logger *logger
	name   string // of the logger, or ""
	next   slog.Handler
}

// Enabled implements [slog.Handler].
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return int64(level) >= h.logger.effective.Load()
}

// Handle implements [slog.Handler].
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if h.name != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("logger", h.name))
	}
	return h.next.Handle(ctx, r)
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.levels, h.logger, h.name, h.next.WithGroup(name)}
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	passed := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		name, ok := a.Value.Any().(LoggerName)
		if !ok {
			passed = append(passed, a)
			continue
		}
		h.levels.mu.Lock()
		c.logger, c.name = h.levels.logger(canonical(string(name))), string(name)
		h.levels.mu.Unlock()
	}
	if len(passed) > 0 {
		c.next = h.next.WithAttrs(passed)
	}
	return &c
}
