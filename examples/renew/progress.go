package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far the renewal is: a bar on a terminal, with what is out
// of the ordinary above it, and one plain line per invite elsewhere.
type progress struct {
	mu          sync.Mutex
	out         io.Writer
	bar         *progressbar.ProgressBar // nil: plain lines
	total, done int
	closed      bool
}

func newProgress(p process, total int) *progress {
	display := &progress{out: p.stderr, total: total}
	if !p.isTerminal(p.stderr) || p.getenv("TERM") == "dumb" {
		return display
	}
	fmt.Fprintln(p.stderr)
	display.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(p.stderr),
		progressbar.OptionSetDescription("renewing"),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
		progressbar.OptionShowCount(),
		progressbar.OptionSetRenderBlankState(true),
	)
	return display
}

// step counts a renewal that has come to its end.
func (d *progress) step(r renewal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done++
	switch {
	case d.bar == nil:
		fmt.Fprintf(d.out, "[%d/%d] %s\n", d.done, d.total, describe(r))
		return
	case r.Outcome != renewed || len(r.Statuses) > 1:
		d.above(describe(r))
	}
	_ = d.bar.Add(1) // it fails if its writer does, and then nobody is watching
}

// note says something about the whole.
func (d *progress) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
	case d.bar == nil:
		fmt.Fprintln(d.out, line)
	default:
		d.above(line)
		_ = d.bar.RenderBlank()
	}
}

// above prints a line where the bar was, which is then drawn below it.
func (d *progress) above(line string) {
	_ = d.bar.Clear()
	fmt.Fprintln(d.out, line)
}

// close leaves the bar as it is. Nothing is shown after that.
func (d *progress) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.bar != nil {
		fmt.Fprint(d.out, "\n\n")
	}
}

// describe is a renewal in one line.
func describe(r renewal) string {
	words := map[outcome]string{renewed: "renewed", failed: "failed", unknown: "outcome unknown"}
	line := words[r.Outcome] + ": " + r.Invite.Email
	if len(r.Statuses) > 1 {
		line += fmt.Sprintf(", at attempt %d, after %s", len(r.Statuses), answers(r.Statuses[:len(r.Statuses)-1]))
	}
	if r.Error != "" {
		line += ": " + r.Error
	}
	return printable(line)
}

// answers names what came back for the attempts that did not succeed.
func answers(statuses []int) string {
	var names []string
	for _, status := range statuses {
		if status == 0 {
			names = append(names, "no answer")
			continue
		}
		names = append(names, strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status))))
	}
	return strings.Join(names, ", ")
}
