package main

import (
	"context"
	"log/slog"
	"time"

	losant "github.com/losant-community/losant-rest-go"
)

// watcher is a log handler that records the waits of the library.
type watcher struct{ *cell }

func (watcher) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w watcher) WithAttrs([]slog.Attr) slog.Handler             { return w }
func (w watcher) WithGroup(string) slog.Handler                  { return w }

func (w watcher) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "losant: retry" {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "wait" {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waits = append(w.waits, a.Value.Duration())
		}
		return true
	})
	if w.mode == cancelledWaiting {
		w.waiting.Store(true)
		w.endContext()
	}
	return nil
}

// checkWaits records the attempts without a wait before them, and whether the
// library waited less than required.
func (c *cell) checkWaits(r *result) {
	var total time.Duration
	before := 1 // the first attempt needs no wait
	if c.mode == cancelledWaiting {
		before = 0 // the last wait led to no attempt
	}
	for _, wait := range c.waits {
		total += wait
		if wait > 0 {
			before++
		}
	}
	r.unwaited = max(0, r.attempts-before)
	r.early = c.mode == notEnded && len(c.waits) > 0 && total < c.fault.waits
}

// The timeouts of an attempt that a timed fault exceeds.
const (
	shortTimeout = 500 * time.Millisecond
	longTimeout  = 5 * time.Second
)

// policy returns a policy with short waits or, if the wait is cancelled, with waits
// that nothing else ends.
func (c *cell) policy() losant.RetryPolicy {
	p := losant.RetryPolicy{MaxAttempts: maxAttempts, MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond, AttemptTimeout: 30 * time.Second}
	if c.fault.timed && c.mode != deadlinePassed && c.mode != cancelledDuring {
		p.AttemptTimeout = c.timeout
	}
	if c.fault.maxWait > 0 {
		p.MaxWait = c.fault.maxWait
	}
	if c.mode == cancelledWaiting {
		p.MinWait, p.MaxWait = time.Hour, 2*time.Hour
	}
	return p
}

// limit returns how long the call may take. Only timed faults take time.
func (c *cell) limit() time.Duration {
	const slowMachine = 10 * time.Second
	limit := slowMachine
	if c.mode == notEnded {
		limit += maxAttempts * c.policy().MaxWait
	}
	if c.fault.timed {
		limit += maxAttempts * c.timeout
	}
	return limit
}
