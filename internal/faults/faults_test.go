package main

import (
	"io"
	"log"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http complains there about the servers
	goleak.VerifyTestMain(m)
}

// TestFaults runs every cell of the table once.
func TestFaults(t *testing.T) {
	t.Parallel()
	l, err := newLab()
	require.NoError(t, err)
	table := rows()
	all, err := l.run(table)
	require.NoError(t, err)

	t.Run("expectations", func(t *testing.T) {
		t.Parallel()
		assert.Empty(t, unexpected(table, all))
	})
	t.Run("document", func(t *testing.T) {
		t.Parallel()
		document, err := os.ReadFile("../../docs/faults.md")
		require.NoError(t, err)
		assert.Equal(t, string(document), markdown(table, all), "run: go run ./internal/faults > docs/faults.md")
	})
	for n, row := range table {
		for a, action := range actions() {
			t.Run(row.name+"/"+action.name, func(t *testing.T) {
				t.Parallel()
				cells := all[n][a]
				for _, r := range cells {
					checkAlways(t, a, r)
				}
				checkBefore(t, cells[cancelledBefore])
				checkDuring(t, cells[cancelledDuring])
				checkWaiting(t, cells[cancelledWaiting], cells[alive])
			})
		}
	}
}

// checkAlways is what holds whatever happens to the context.
func checkAlways(t *testing.T, action int, r result) {
	t.Helper()
	assert.False(t, r.late)
	assert.LessOrEqual(t, r.arrived, r.attempts, "a request that was not counted")
	if action == resend {
		assert.LessOrEqual(t, r.acted, 1, "sent again although it may have been acted on")
	}
	unknown := !r.succeeded && action != get && r.acted > 0
	assert.Equal(t, unknown, r.is("ErrOutcomeUnknown"), "unknown if and only if a request may have been acted on")
}

func checkBefore(t *testing.T, r result) {
	t.Helper()
	assert.Equal(t, result{matches: []string{"Canceled"}}, r)
}

func checkDuring(t *testing.T, r result) {
	t.Helper()
	assert.False(t, r.succeeded)
	assert.True(t, r.is("Canceled"))
	assert.False(t, r.is("DeadlineExceeded"))
	assert.False(t, r.is("ErrInvalidResponse"), "the caller broke the answer off")
	assert.LessOrEqual(t, r.arrived, 1)
	assert.Equal(t, 1, r.attempts)
}

// checkWaiting: a call that does not wait ends as it would anyway; one that
// does would have been attempted again.
func checkWaiting(t *testing.T, r, anyway result) {
	t.Helper()
	if r.nothing {
		r.nothing = false
		assert.Equal(t, anyway, r)
		return
	}
	assert.False(t, r.succeeded)
	assert.True(t, r.is("Canceled"))
	assert.Positive(t, r.attempts)
	assert.Less(t, r.attempts, anyway.attempts)
	const maxRepeats = 8 // by the transport, or of requests that the server did not look at
	assert.LessOrEqual(t, anyway.attempts, maxAttempts+maxRepeats)
}
