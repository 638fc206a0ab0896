package main

import (
	"context"
	"errors"
	"sync"
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
// deadline: no clock decides what the deadline cuts short.
type callContext struct {
	context.Context

	mu   sync.Mutex
	err  error
	done chan struct{}
}

func newContext() *callContext {
	return &callContext{Context: context.Background(), done: make(chan struct{})}
}

func (c *callContext) finish(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.done)
	}
}

func (c *callContext) Done() <-chan struct{} { return c.done }

func (c *callContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Deadline is what no wait of the table reaches, unless the deadline has passed.
func (c *callContext) Deadline() (time.Time, bool) {
	if errors.Is(c.Err(), context.DeadlineExceeded) {
		return time.Now(), true
	}
	return time.Now().Add(24 * time.Hour), true
}
