package main

import (
	"errors"
	"flag"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // where net/http reports the broken connections
	// net/http reads the environment once. The other tests call loopback, for which
	// no proxy is used, or have a transport of their own.
	proxy := httptest.NewServer(&environment)
	err := errors.Join(
		os.Setenv("HTTPS_PROXY", proxy.URL), os.Setenv("NO_PROXY", ""),
		flag.Set("test.parallel", "8"), // most tests wait for a timeout; the command line overrides it
	)
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(withProxy{m, proxy})
}

// withProxy closes the proxy after the tests.
type withProxy struct {
	*testing.M
	proxy *httptest.Server
}

func (w withProxy) Run() int {
	defer w.proxy.Close()
	return w.M.Run()
}

// TestFaults runs every cell of the table.
func TestFaults(t *testing.T) {
	t.Parallel()
	shared, err := newFixtures()
	require.NoError(t, err)
	table := rows()
	found, err := runRows(shared, table)
	require.NoError(t, err)
	for _, line := range unexpected(table, found) {
		t.Error(line)
	}
	for _, line := range contradictions(table, found) {
		t.Error(line)
	}
}

// TestPageIsCurrent fails if docs/faults.md does not show the table.
func TestPageIsCurrent(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/faults.md")
	require.NoError(t, err)
	assert.Equal(t, string(document), markdown(rows()), "run: go run ./internal/faults > docs/faults.md")
}

// TestRowsAreDistinct finds rows with the same name, and proofs without a section.
func TestRowsAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range rows() {
		assert.False(t, seen[row.name], row.name)
		seen[row.name] = true
		f := row.fault()
		assert.NotContains(t, f.proofs(), "()", row.name)
	}
}
