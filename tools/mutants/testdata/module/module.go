// Package module has mutants of every verdict.
package module

import (
	"sync"

	"example.com/module/leaf"
)

var step = 2 // outside functions: its mutants are compiled alone

// Max has a survivor, since a test of equal arguments cannot exist.
func Max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

// Sum never returns if the loop counts down.
func Sum(n int) int {
	total := 0
	for i := 0; i != n; i++ {
		total += i
	}
	return total
}

// Greeting does not compile if the texts are subtracted.
func Greeting(name string) string { return "hello, " + name }

// Next uses the variable and the other package.
func Next(n int) int { return leaf.Double(n) + step }

// Unused is reached by no test.
func Unused(a bool) bool { return !a }

// Sign has a condition that is in no block of the coverage.
func Sign(n int) string {
	switch {
	case n > 0:
		return "+"
	}
	return "-"
}

// Counter needs its lock, which only the race detector notices.
type Counter struct {
	mu sync.Mutex
	n  int
}

// Value returns the number.
func (c *Counter) Value() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

type point struct{ x, y int }

// newPoint allocates nothing if it is inlined, which a test counts.
func newPoint(x int) *point { return &point{x, x + 1} }
