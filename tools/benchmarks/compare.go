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

// The sides that BenchmarkCall compares, as they are in its units.
const (
	hand    = "hand"    // net/http by hand, with a timeout
	untimed = "untimed" // net/http by hand, without
	library = "library"
)

const (
	cpuUnit    = "-cpu-sec/op" // as benchfmt normalizes -cpu-ns/op
	allocsUnit = "-allocs/op"
)

// What the project asks: ratios of processor time, and the allocations of a call
// without a network.
const (
	cpuGoal, cpuMust = 1.00, 1.03 // to hand
	untimedGoal      = 1.05       // to untimed
	stubMust         = 0.75       // to hand, without a network
	getAllocations   = 39
	postAllocations  = 49
)

// machine is what figures depend on. Figures of two machines are not compared.
type machine struct{ goVersion, goos, goarch, cpu, gomaxprocs string }

// recording is the output of BenchmarkCall: its cases in the order of the output,
// and values in the order of the rounds.
type recording struct {
	machine machine
	calls   int // of the shortest measurement
	cases   []string
	values  map[string]map[string][]float64 // by case and unit
}

// parse reads the output of go test, which may be of several runs in a row.
func parse(r io.Reader) (*recording, error) {
	rec := &recording{values: map[string]map[string][]float64{}}
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
	name := strings.TrimPrefix(path.String(), "/")
	if len(rec.cases) == 0 {
		rec.machine, rec.calls = on, line.Iters
	} else if rec.machine != on {
		return fmt.Errorf("measured on %v, others on %v", on, rec.machine)
	}
	rec.calls = min(rec.calls, line.Iters)
	if rec.values[name] == nil {
		rec.cases = append(rec.cases, name)
		rec.values[name] = map[string][]float64{}
	}
	for _, value := range line.Values {
		rec.values[name][value.Unit] = append(rec.values[name][value.Unit], value.Value)
	}
	return nil
}

// row is what one case comes to.
type row struct {
	name        string
	cpu         benchmath.Summary // of the library, in seconds
	toHand      ratio
	toUntimed   ratio
	allocations map[string]float64 // by side
}

// ratio is the processor time of the library divided by that of another side.
type ratio struct {
	benchmath.Summary

	rounds []float64 // in each round
}

func (rec *recording) compare() ([]row, error) {
	if len(rec.cases) == 0 {
		return nil, errors.New("no measurements of BenchmarkCall")
	}
	rounds := len(rec.values[rec.cases[0]][library+cpuUnit])
	rows := make([]row, 0, len(rec.cases))
	for _, name := range rec.cases {
		values := rec.values[name]
		for _, side := range []string{hand, untimed, library} {
			for _, unit := range []string{cpuUnit, allocsUnit} {
				switch measured := values[side+unit]; {
				case rounds == 0 || len(measured) != rounds:
					return nil, fmt.Errorf("%s, %s: measured %d times, others %d times", name, side+unit, len(measured), rounds)
				case slices.Min(measured) <= 0:
					return nil, fmt.Errorf("%s, %s: zero", name, side+unit)
				}
			}
		}
		r := row{
			name:        name,
			cpu:         summarize(values[library+cpuUnit]),
			toHand:      divide(values[library+cpuUnit], values[hand+cpuUnit]),
			toUntimed:   divide(values[library+cpuUnit], values[untimed+cpuUnit]),
			allocations: map[string]float64{},
		}
		for _, side := range []string{hand, untimed, library} {
			r.allocations[side] = summarize(values[side+allocsUnit]).Center
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func divide(library, by []float64) ratio {
	var r ratio
	for round := range library {
		r.rounds = append(r.rounds, library[round]/by[round])
	}
	r.Summary = summarize(r.rounds)
	return r
}

// summarize returns the median of values and its 95 % interval.
func summarize(values []float64) benchmath.Summary {
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds) // it sorts them
	return benchmath.AssumeNothing.Summary(sample, 0.95)
}

func (r row) isStub() bool { return strings.Contains(r.name, "/stub/") }

// verdict names what the row misses, or the goal if it misses nothing.
func (r row) verdict() string {
	var missed []string
	if r.isStub() {
		allowed := float64(getAllocations)
		if strings.HasPrefix(r.name, "ResendInvite/") {
			allowed = postAllocations
		}
		if r.toHand.Center > stubMust {
			missed = append(missed, fmt.Sprintf("CPU above %.2f", stubMust))
		}
		if r.allocations[library] > allowed+0.5 { // those of the runtime are counted, too
			missed = append(missed, fmt.Sprintf("more than %.0f allocations", allowed))
		}
	} else {
		if r.toHand.Center > cpuMust {
			missed = append(missed, fmt.Sprintf("CPU above the must of %.2f", cpuMust))
		} else if r.toHand.Center > cpuGoal {
			missed = append(missed, fmt.Sprintf("CPU above the goal of %.2f", cpuGoal))
		}
		if r.toUntimed.Center > untimedGoal {
			missed = append(missed, fmt.Sprintf("without timeout above %.2f", untimedGoal))
		}
	}
	if len(missed) == 0 {
		return "goal met"
	}
	return "missed: " + strings.Join(missed, "; ")
}
