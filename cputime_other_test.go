//go:build !unix

package losant_test

import "time"

// processorTime reports false: this platform has no getrusage.
func processorTime() (used time.Duration, ok bool) { return 0, false }
