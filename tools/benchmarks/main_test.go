package main

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func recorded(t *testing.T) string {
	t.Helper()
	output, err := os.ReadFile("testdata/recorded.txt")
	require.NoError(t, err)
	return string(output)
}

func compared(t *testing.T, output string) (*recording, []row) {
	t.Helper()
	rec, err := parse(strings.NewReader(output))
	require.NoError(t, err)
	rows, err := rec.compare()
	require.NoError(t, err)
	return rec, rows
}

func TestRatiosAreOfTheRounds(t *testing.T) {
	t.Parallel()
	rec, rows := compared(t, recorded(t))
	assert.Equal(t, machine{"go1.26.8", "linux", "amd64", "Example CPU", "2"}, rec.machine)
	assert.Equal(t, 6000, rec.calls)
	require.Len(t, rows, 5)
	assert.Equal(t, "Get/plain/goroutines=1", rows[0].name)

	ratio := rows[0].toHand
	assert.InDelta(t, 0.925, ratio.Center, 1e-6, "the rounds themselves differ by a factor of 3")
	assert.InDelta(t, 0.90, ratio.Lo, 1e-6)
	assert.InDelta(t, 0.95, ratio.Hi, 1e-6)
	assert.InDeltaSlice(t, []float64{0.90, 0.91, 0.92, 0.93, 0.94, 0.95}, ratio.rounds, 1e-6, "in their order")
	assert.InDelta(t, 1.02, rows[0].toUntimed.Center, 1e-6)
	assert.Equal(t, map[string]float64{library: 79, hand: 89, untimed: 82}, rows[0].allocations)
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	_, rows := compared(t, recorded(t))
	var verdicts []string
	for _, r := range rows {
		verdicts = append(verdicts, r.verdict())
	}
	assert.Equal(t, []string{
		"goal met",
		"missed: CPU above the goal of 1.00",
		"missed: CPU above the must of 1.03; without timeout above 1.05",
		"goal met",
		"missed: CPU above 0.75; more than 49 allocations",
	}, verdicts)
}

func TestLimitsAreIncluded(t *testing.T) {
	t.Parallel()
	var r row
	r.toHand.Center, r.toUntimed.Center = 1.00, 1.05
	assert.Equal(t, "goal met", r.verdict())
	r.toHand.Center = 1.03
	assert.Equal(t, "missed: CPU above the goal of 1.00", r.verdict())
	stub := row{name: "Get/stub/goroutines=1", allocations: map[string]float64{library: 39.05}}
	stub.toHand.Center = 0.75
	assert.Equal(t, "goal met", stub.verdict())
}

func TestIncompleteOutput(t *testing.T) {
	t.Parallel()
	whole := recorded(t)
	for name, test := range map[string]struct{ output, want string }{
		"nothing":            {"PASS\n", "no measurements"},
		"a case is missing":  {strings.Replace(whole, "BenchmarkCall/Get/stub", "Other/Get/stub", 1), "Get/stub/goroutines=1, hand-cpu-sec/op: measured 5 times, others 6 times"},
		"a side is missing":  {strings.ReplaceAll(whole, "untimed-cpu-ns/op", "other/op"), "untimed-cpu-sec/op: measured 0 times"},
		"a round cut short":  {whole[:strings.LastIndex(whole, "BenchmarkCall/")], "measured 5 times, others 6 times"},
		"no processor time":  {strings.ReplaceAll(whole, "cpu-ns/op", "other/op"), "hand-cpu-sec/op: measured 0 times"},
		"no allocations":     {strings.ReplaceAll(whole, "allocs/op", "other/op"), "hand-allocs/op: measured 0 times"},
		"another machine":    {strings.Replace(whole, "cpu: Example", "cpu: Other", 1), "measured on"},
		"another GOMAXPROCS": {strings.Replace(whole, "=64-2", "=64-4", 1), "measured on"},
		"zero by hand":       {strings.ReplaceAll(whole, "89 hand-allocs/op", "0 hand-allocs/op"), "hand-allocs/op: zero"},
		"not a number":       {strings.Replace(whole, " hand-cpu-ns/op", "x hand-cpu-ns/op", 1), "parsing measurement"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := publish([]byte(test.output))
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	page, picture, err := publish([]byte(recorded(t)))
	require.NoError(t, err)
	assert.Contains(t, string(page), "6 rounds, each with at least 6000 calls")
	assert.Contains(t, string(page), "go1.26.8, linux/amd64, GOMAXPROCS=2, CPU: Example CPU.")
	assert.Contains(t, string(page), "(benchmarks.svg)")
	assert.Contains(t, string(page), "\n| Get/plain/goroutines=1 | 130.6 | **0.925** [0.900, 0.950] | **1.020** [0.995, 1.045] | goal met |\n")
	assert.Contains(t, string(page), "\n| Get/plain/goroutines=1 | 79 | 89 | 82 |\n")
	assert.NotContains(t, string(page), "Warning")

	assert.NoError(t, xml.Unmarshal(picture, new(struct{})))
	for _, name := range []string{"Get/plain/goroutines=64", "ResendInvite/plain/goroutines=1", "lines: goal 1.00, must 1.03"} {
		assert.Contains(t, string(picture), name)
	}
}

func TestTooFewRounds(t *testing.T) {
	t.Parallel()
	whole := recorded(t)
	first, _, _ := strings.Cut(whole, "PASS\n")
	page, picture, err := publish([]byte(first))
	require.NoError(t, err)
	assert.Contains(t, string(page), "Warning: need >= 6 samples for confidence interval at level 0.95")
	assert.NotContains(t, string(picture), ">-1</text>", "an infinite error bar spoils the axis")
}

func TestTicksAreLabelledWithTheirPlace(t *testing.T) {
	t.Parallel()
	var labels []string
	for _, tick := range exactTicks(0.82, 1.187) {
		if tick.Label != "" {
			labels = append(labels, tick.Label)
		}
	}
	assert.Equal(t, []string{"0.85", "1", "1.15"}, labels)
}
