package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far the pipeline is: a bar on a terminal, else a line every few seconds.
type progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil where there is no terminal
	whole int64
	first int64
	began time.Time
	next  time.Time // of the next line
	shown state     // by the last line
}

// lineEvery is the time between two lines where there is no terminal.
const lineEvery = 2 * time.Second

func (w *watch) newProgress() *progress {
	p := &progress{out: w.stderr, whole: w.whole, first: w.first, began: time.Now(), next: time.Now().Add(lineEvery)}
	if f, ok := w.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		total := w.whole
		if w.follow {
			total = -1 // nobody knows
		}
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(f), progressbar.OptionShowBytes(true),
			progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
	}
	return p
}

func (p *progress) update(s state) {
	n := s.committed - p.first
	rate := int64(float64(n) / time.Since(p.began).Seconds())
	text := fmt.Sprintf("%s, %s, lag %s", lines(n), perSecond(rate), thousands(s.end-s.committed))
	switch {
	case p.bar != nil:
		p.bar.Describe(text)
		if err := p.bar.Set64(max(0, min(s.position, p.whole-1))); err != nil { // the bar ends with close
			p.bar = nil // the terminal is gone
		}
	case s != p.shown && time.Now().After(p.next):
		p.shown = s
		fmt.Fprintf(p.out, "%s, %d%% of the file read\n", text, min(100, s.position*100/max(p.whole, 1)))
		p.next = time.Now().Add(lineEvery)
	}
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish() // writes to the terminal, which may be gone
	}
}

func lines(n int64) string {
	if n == 1 {
		return "1 line"
	}
	return thousands(n) + " lines"
}

func perSecond(n int64) string { return thousands(n) + "/s" }

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// round makes a time readable.
func round(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
