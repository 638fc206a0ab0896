package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
)

// progress shows the progress of the renewal. On a terminal it shows a bar, with
// failures and retries above it. Otherwise it prints one line per invite.
type progress struct {
	mu          sync.Mutex
	out         io.Writer
	bar         *progressbar.ProgressBar // nil: plain lines
	total, done int
	closed      bool
}

func newProgress(p process, total int) *progress {
	const barWidth = 24 // so that the line fits in 80 columns
	display := &progress{out: p.stderr, total: total}
	if !p.isTerminal(p.stderr) || p.getenv("TERM") == "dumb" {
		return display
	}
	fmt.Fprintln(p.stderr)
	display.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(p.stderr),
		progressbar.OptionSetDescription("renewing"),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
		progressbar.OptionSetWidth(barWidth),
		progressbar.OptionShowCount(),
		progressbar.OptionSetRenderBlankState(true),
	)
	return display
}

// step shows a finished renewal.
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
	_ = d.bar.Add(1) // it fails only if its writer does
}

// note shows a line that concerns all renewals.
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

// above replaces the bar with a line. The next update draws the bar below it.
func (d *progress) above(line string) {
	_ = d.bar.Clear()
	fmt.Fprintln(d.out, line)
}

// close ends the line of the bar. Later calls of note show nothing.
func (d *progress) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.bar != nil {
		fmt.Fprint(d.out, "\n\n")
	}
}

// describe describes a renewal in one line. It omits the error, which is in the
// summary.
func describe(r renewal) string {
	words := map[outcome]string{renewed: "renewed", failed: "failed", unknown: "outcome unknown"}
	line := words[r.Outcome] + ": " + r.Invite.Email
	switch last := len(r.Statuses) - 1; {
	case r.Outcome == renewed && last > 0:
		line += fmt.Sprintf(", at attempt %d, after %s", last+1, statusNames(r.Statuses[:last]))
	case r.Outcome != renewed && last >= 0:
		line += ": " + statusNames(r.Statuses)
	}
	return printable(line)
}

func statusNames(statuses []int) string {
	var names []string
	for _, status := range statuses {
		if status == 0 {
			names = append(names, "no response")
			continue
		}
		names = append(names, strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status))))
	}
	return strings.Join(names, ", ")
}
