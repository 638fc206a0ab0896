package main

import (
	"context"
	"errors"
	"time"
)

// mode is what happens to the context of a call.
type mode int

const (
	notEnded         mode = iota
	deadlinePassed        // the caller's, during the first attempt
	cancelledDuring       // the first attempt
	cancelledWaiting      // for the next one
	modes
)

func (m mode) String() string {
	return [...]string{"context does not end", "deadline passes during the attempt", "cancelled during the attempt", "cancelled during the wait"}[m]
}

// callContext is a context that the cell ends, also with DeadlineExceeded, so that
// no clock decides when the deadline passes. Derived contexts end at the same time.
type callContext struct {
	context.Context

	cancel context.CancelCauseFunc
}

func newContext() *callContext {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &callContext{ctx, cancel}
}

// finish ends the context with context.Canceled or context.DeadlineExceeded. Only
// the first call has an effect.
func (c *callContext) finish(err error) { c.cancel(err) }

func (c *callContext) Err() error {
	if c.Context.Err() == nil {
		return nil
	}
	return context.Cause(c.Context)
}

// Deadline returns a time that no wait of the table reaches, until the deadline
// passes.
func (c *callContext) Deadline() (time.Time, bool) {
	if errors.Is(c.Err(), context.DeadlineExceeded) {
		return time.Now(), true
	}
	return time.Now().Add(24 * time.Hour), true
}
