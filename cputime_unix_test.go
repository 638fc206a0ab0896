//go:build unix

package losant_test

import (
	"syscall"
	"time"
)

// processorTime returns the processor time that this process has used so far.
func processorTime() (used time.Duration, ok bool) {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0, false
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), true
}
