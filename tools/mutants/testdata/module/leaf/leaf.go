// Package leaf has a weak test of its own; the package above has a better one.
package leaf

// Double returns twice n.
func Double(n int) int { return n * 2 }
