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

func TestCompare(t *testing.T) {
	t.Parallel()
	rec, rows := compared(t, recorded(t))
	assert.Equal(t, machine{"go1.26.8", "linux", "amd64", "Example CPU", "2"}, rec.machine)
	assert.Equal(t, 3000, rec.calls)
	require.Len(t, rows, 4)
	assert.Equal(t, "Get/plain/goroutines=1", rows[0].name)

	cpu := rows[0].figures[cpuUnit]
	assert.InDelta(t, 112.5e-6, cpu.hand.Center, 1e-9)
	assert.InDelta(t, 50e-6, cpu.hand.Lo, 1e-9)
	assert.InDelta(t, 175e-6, cpu.hand.Hi, 1e-9)
	assert.InDelta(t, 0.925, cpu.ratio.Center, 1e-9, "of the rounds, however they differ")
	assert.InDelta(t, 0.90, cpu.ratio.Lo, 1e-9)
	assert.InDelta(t, 0.95, cpu.ratio.Hi, 1e-9)
	assert.InDeltaSlice(t, []float64{0.90, 0.91, 0.92, 0.93, 0.94, 0.95}, cpu.ratios, 1e-9)
	assert.Greater(t, cpu.test.P, 0.05, "the rounds' differences hide the difference")
	assert.Less(t, rows[0].figures[allocsUnit].test.P, 0.01)

	again, err := parse(strings.NewReader(recorded(t)))
	require.NoError(t, err)
	assert.Equal(t, again.values, rec.values, "the order of the rounds is kept")
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	_, rows := compared(t, recorded(t))
	var verdicts []string
	for _, r := range rows {
		verdicts = append(verdicts, r.verdict())
	}
	assert.Equal(t, []string{
		"CPU: goal; allocations: goal",
		"CPU: must; allocations: must",
		"CPU: missed; allocations: missed",
		"CPU: goal (uncertain: from goal to missed); allocations: goal",
	}, verdicts)
}

func TestLimitsAreIncluded(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "goal", judge(1.00, cpuGoal, cpuMust))
	assert.Equal(t, "must", judge(1.0001, cpuGoal, cpuMust))
	assert.Equal(t, "must", judge(1.05, cpuGoal, cpuMust))
	assert.Equal(t, "missed", judge(1.0501, cpuGoal, cpuMust))
}

func TestIncompleteOutput(t *testing.T) {
	t.Parallel()
	whole := recorded(t)
	without := func(words string) string {
		var kept strings.Builder
		for line := range strings.Lines(whole) {
			if !strings.Contains(line, words) {
				kept.WriteString(line)
			}
		}
		return kept.String()
	}
	for name, test := range map[string]struct{ output, want string }{
		"nothing":            {"PASS\n", "no measurements"},
		"no side sdk":        {without("ResendInvite/plain/goroutines=1/by=sdk"), "ResendInvite/plain/goroutines=1, sec-cpu/op: measured 6 times by hand and 0 times by sdk"},
		"no side hand":       {without("by=hand"), "Get/plain/goroutines=1, sec-cpu/op: measured 0 times by hand and 6 times by sdk"},
		"a round cut short":  {whole[:strings.LastIndex(whole, "BenchmarkCall/")], "measured 6 times by hand and 5 times by sdk"},
		"no processor time":  {strings.ReplaceAll(whole, "ns-cpu/op", "other/op"), "sec-cpu/op: measured 0 times"},
		"no allocations":     {strings.ReplaceAll(whole, "allocs/op", "other/op"), "allocs/op: measured 0 times"},
		"another side":       {strings.Replace(whole, "by=sdk", "by=other", 1), "neither by=hand nor by=sdk"},
		"another machine":    {strings.Replace(whole, "cpu: Example", "cpu: Other", 1), "measured on"},
		"another GOMAXPROCS": {strings.Replace(whole, "by=sdk-2", "by=sdk-4", 1), "measured on"},
		"zero by hand":       {strings.ReplaceAll(whole, "100 allocs/op", "0 allocs/op"), "nothing by hand to compare with"},
		"not a number":       {strings.Replace(whole, " ns-cpu/op", "x ns-cpu/op", 1), "parsing measurement"},
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
	assert.Contains(t, string(page), "6 rounds, each with at least 3000 calls")
	assert.Contains(t, string(page), "go1.26.8, linux/amd64, GOMAXPROCS=2, CPU: Example CPU.")
	assert.Contains(t, string(page), "(benchmarks.svg)")
	assert.Contains(t, string(page), "\n| Get/plain/goroutines=1 | 112.5 ±56% → 103.8 ±59% | **0.925** [0.900, 0.950]<br>(0.900 to 0.950), p=")
	assert.Contains(t, string(page), " 100 ±0% → 90 ±0% | **0.900** ")
	assert.NotContains(t, string(page), "Warning, CPU")
	assert.Contains(t, string(page), "Warning, allocations: all samples are equal")

	assert.NoError(t, xml.Unmarshal(picture, new(struct{})))
	for _, name := range []string{"Get/plain/goroutines=64", "ResendInvite/plain/goroutines=1", "lines: 1.00, 1.05"} {
		assert.Contains(t, string(picture), name)
	}
}

func TestTooFewRounds(t *testing.T) {
	t.Parallel()
	whole := recorded(t)
	first, _, _ := strings.Cut(whole, "PASS\n")
	page, picture, err := publish([]byte(first))
	require.NoError(t, err)
	assert.Contains(t, string(page), "Warning, CPU, µs: need >= 6 samples for confidence interval at level 0.95")
	assert.Contains(t, string(page), "CPU: goal (uncertain: from goal to missed)")
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
