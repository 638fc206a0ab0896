package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// The units of BenchmarkCall's figures, as benchfmt normalizes them.
const (
	cpuUnit    = "sec-cpu/op"
	wallUnit   = "sec/op"
	allocsUnit = "allocs/op"
	bytesUnit  = "B/op"
)

// What the project asks: a ratio of processor time, a difference of allocations.
const (
	cpuGoal, cpuMust       = 1.00, 1.05
	allocsGoal, allocsMust = 0, 5
)

// machine is what figures depend on. Figures of two machines are not compared.
type machine struct{ goVersion, goos, goarch, cpu, gomaxprocs string }

// series names measurements of one kind.
type series struct{ name, by, unit string }

// recording is the output of BenchmarkCall: its cases in the order of the output,
// and values in the order of the rounds.
type recording struct {
	machine machine
	calls   int // of the shortest measurement
	cases   []string
	values  map[series][]float64
}

// parse reads the output of go test, which may be of several runs in a row.
func parse(r io.Reader) (*recording, error) {
	rec := &recording{values: map[series][]float64{}}
	reader := benchfmt.NewReader(r, "output")
	for reader.Scan() {
		switch line := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, line
		case *benchfmt.Result:
			if err := rec.add(line); err != nil {
				return nil, fmt.Errorf("%s: %w", line.Name, err)
			}
		}
	}
	return rec, reader.Err()
}

func (rec *recording) add(line *benchfmt.Result) error {
	fact := func(key string) string { return cmp.Or(line.GetConfig(key), "unknown "+key) }
	on := machine{fact("goversion"), fact("goos"), fact("goarch"), fact("cpu"), "1"}
	_, parts := line.Name.Parts()
	if last := len(parts) - 1; last >= 0 && parts[last][0] == '-' {
		on.gomaxprocs, parts = string(parts[last][1:]), parts[:last]
	}
	var path strings.Builder
	for _, part := range parts {
		path.Write(part)
	}
	name, by, _ := strings.Cut(strings.TrimPrefix(path.String(), "/"), "/by=")
	if by != "hand" && by != "sdk" {
		return errors.New("neither by=hand nor by=sdk")
	}
	if len(rec.cases) == 0 {
		rec.machine, rec.calls = on, line.Iters
	} else if rec.machine != on {
		return fmt.Errorf("measured on %v, others on %v", on, rec.machine)
	}
	rec.calls = min(rec.calls, line.Iters)
	if !slices.Contains(rec.cases, name) {
		rec.cases = append(rec.cases, name)
	}
	for _, value := range line.Values {
		key := series{name, by, value.Unit}
		rec.values[key] = append(rec.values[key], value.Value)
	}
	return nil
}

// figure compares both sides of one case in one unit.
type figure struct {
	hand, sdk, ratio benchmath.Summary
	test             benchmath.Comparison // Mann-Whitney
	ratios           []float64            // sdk / hand, one per round, ascending
}

// row compares both sides of one case, by unit.
type row struct {
	name    string
	figures map[string]figure
}

func (rec *recording) compare() ([]row, error) {
	if len(rec.cases) == 0 {
		return nil, errors.New("no measurements of BenchmarkCall")
	}
	rounds := len(rec.values[series{rec.cases[0], "hand", cpuUnit}])
	rows := make([]row, 0, len(rec.cases))
	for _, name := range rec.cases {
		r := row{name, map[string]figure{}}
		for _, unit := range []string{cpuUnit, wallUnit, allocsUnit, bytesUnit} {
			hand, sdk := rec.values[series{name, "hand", unit}], rec.values[series{name, "sdk", unit}]
			if rounds == 0 || len(hand) != rounds || len(sdk) != rounds {
				return nil, fmt.Errorf("%s, %s: measured %d times by hand and %d times by sdk, others %d times", name, unit, len(hand), len(sdk), rounds)
			}
			if slices.Min(hand) <= 0 {
				return nil, fmt.Errorf("%s, %s: nothing by hand to compare with", name, unit)
			}
			r.figures[unit] = compare(hand, sdk)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func compare(hand, sdk []float64) figure {
	var f figure
	for round := range hand {
		f.ratios = append(f.ratios, sdk[round]/hand[round])
	}
	// NewSample sorts what it is given, and the order is that of the rounds.
	sample := func(values []float64) *benchmath.Sample {
		return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	}
	summary := func(values []float64) benchmath.Summary { return benchmath.AssumeNothing.Summary(sample(values), 0.95) }
	f.hand, f.sdk, f.ratio = summary(hand), summary(sdk), summary(f.ratios)
	f.test = benchmath.AssumeNothing.Compare(sample(hand), sample(sdk))
	return f
}

// verdict says what the row reaches, and whether the interval of the ratio of
// processor time allows another level.
func (r row) verdict() string {
	cpu, count := r.figures[cpuUnit].ratio, r.figures[allocsUnit]
	text := "CPU: " + judge(cpu.Center, cpuGoal, cpuMust)
	if best, worst := judge(cpu.Lo, cpuGoal, cpuMust), judge(cpu.Hi, cpuGoal, cpuMust); best != worst {
		text += " (uncertain: from " + best + " to " + worst + ")"
	}
	return text + "; allocations: " + judge(count.sdk.Center-count.hand.Center, allocsGoal, allocsMust)
}

func judge(value, goal, must float64) string {
	switch {
	case value <= goal:
		return "goal"
	case value <= must:
		return "must"
	default:
		return "missed"
	}
}
