// Package module has one function for each verdict on a mutant.
package module

func Tested(a, b int) bool { return a < b }

func Untested(a, b int) bool { return a < b }

func Loop(n int) {
	for n < 3 {
		n++
	}
}

func Unused() {
	a := 1
	_ = a
	a = 2
}
