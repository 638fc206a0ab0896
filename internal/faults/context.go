package main

import (
	"context"
	"errors"
	"time"
)

// mode is what happens to the context of a call.
type mode int

const (
	alive            mode = iota
	deadlinePassed        // the caller's, during the first attempt
	cancelledDuring       // the first attempt
	cancelledWaiting      // for the next one
	modes
)

func (m mode) String() string {
	return [...]string{"alive", "deadline passes during the attempt", "cancelled during the attempt", "cancelled during the wait"}[m]
}

// callContext is a context that ends when the cell says so, be it by its
// deadline: no clock decides what the deadline cuts short. The contexts that are
// derived from it end at the same time.
type callContext struct {
	context.Context

	cancel context.CancelCauseFunc
}

func newContext() *callContext {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &callContext{ctx, cancel}
}

// finish ends the context with context.Canceled or context.DeadlineExceeded,
// unless it has ended.
func (c *callContext) finish(err error) { c.cancel(err) }

func (c *callContext) Err() error {
	if c.Context.Err() == nil {
		return nil
	}
	return context.Cause(c.Context)
}

// Deadline is what no wait of the table reaches, unless the deadline has passed.
func (c *callContext) Deadline() (time.Time, bool) {
	if errors.Is(c.Err(), context.DeadlineExceeded) {
		return time.Now(), true
	}
	return time.Now().Add(24 * time.Hour), true
}
