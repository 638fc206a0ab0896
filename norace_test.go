//go:build !race

package losant_test

const raceEnabled = false
