// Command benchmarks compares the library with net/http by hand: it runs
// BenchmarkCall of the library's module and writes docs/benchmarks.md and
// docs/benchmarks.svg. Run it in its own folder: go -C tools/benchmarks run .
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image/color"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func main() {
	rounds := flag.Int("rounds", 20, "how often to run the benchmark")
	benchtime := flag.String("benchtime", "6000x", "`duration or count` of one measurement, as of go test")
	input := flag.String("input", "", "recorded output, a `file`, to use instead of running the benchmark")
	flag.Parse()
	output, err := os.ReadFile(*input)
	if *input == "" {
		output, err = measure(*rounds, *benchtime)
	}
	if err != nil {
		log.Fatal(err)
	}
	page, picture, err := publish(output)
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(os.WriteFile("../../docs/benchmarks.md", page, 0o600), os.WriteFile("../../docs/benchmarks.svg", picture, 0o600)); err != nil {
		log.Fatal(err)
	}
}

// measure runs every case once per round, each round in a process of its own. It
// shows the output, too.
func measure(rounds int, benchtime string) ([]byte, error) {
	var output bytes.Buffer
	shown := io.MultiWriter(&output, os.Stdout)
	library := func(args ...string) error {
		cmd := exec.CommandContext(context.Background(), "go", args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = "../..", shown, os.Stderr
		return cmd.Run()
	}
	for round := range rounds {
		fmt.Fprint(shown, "goversion: ")
		if err := library("env", "GOVERSION"); err != nil {
			return nil, fmt.Errorf("go env: %w", err)
		}
		if err := library("test", "-run", "^$", "-bench", "^BenchmarkCall$", "-count", "1", "-benchtime", benchtime, "."); err != nil {
			return nil, fmt.Errorf("go test in round %d: %w", round+1, err)
		}
	}
	return output.Bytes(), nil
}

// publish turns recorded output into the report and its plot.
func publish(output []byte) (page, picture []byte, err error) {
	rec, err := parse(bytes.NewReader(output))
	if err != nil {
		return nil, nil, err
	}
	rows, err := rec.compare()
	if err != nil {
		return nil, nil, err
	}
	picture, err = plotRatios(rows)
	return report(rec, rows), picture, err
}

const introduction = `# What a call costs

BenchmarkCall compares a call of the library with the same call written with net/http.
This page is made with

    go -C tools/benchmarks run .

The measure is the processor time (CPU) of the client. The server is a process of
its own and is not counted. There are three sides:

- The library, with its defaults.
- *With timeout*: code that a careful engineer would write. It uses one http.Client,
  puts a timeout into the context of each call, limits the size of the response,
  checks the status, and decodes with json.Unmarshal into a plain struct of its own.
  It does not retry.
- *Without timeout*: the same code without the timeout.

The sides take turns of 250 calls. %d rounds, each with at least %d calls per case
and side; %s, %s/%s, GOMAXPROCS=%s, CPU: %s. A ratio is the
median of the rounds, with its 95 %% interval. The stub cases use no network: a
transport responds from memory.

| measure | goal | must |
|---|---|---|
| CPU, divided by that of the code with timeout | %.2f | %.2f |
| CPU, divided by that of the code without timeout | %.2f | |
| stub: CPU, divided by that of the code with timeout | | %.2f |
| stub: allocations of a Get, of a ResendInvite | | %d, %d |

![Ratio of processor time per case](benchmarks.svg)

## Processor time

| case | CPU, µs | / with timeout | / without timeout | result |
|---|---|---|---|---|
`

func report(rec *recording, rows []row) []byte {
	on := rec.machine
	var out bytes.Buffer
	fmt.Fprintf(&out, introduction, len(rows[0].toHand.rounds), rec.calls,
		on.goVersion, on.goos, on.goarch, on.gomaxprocs, on.cpu, cpuGoal, cpuMust, untimedGoal, stubMust, getAllocations, postAllocations)
	var warnings []string
	for _, r := range rows {
		fmt.Fprintf(&out, "| %s | %.1f | **%.3f** [%.3f, %.3f] | **%.3f** [%.3f, %.3f] | %s |\n", r.name, r.cpu.Center*1e6,
			r.toHand.Center, r.toHand.Lo, r.toHand.Hi, r.toUntimed.Center, r.toUntimed.Lo, r.toUntimed.Hi, r.verdict())
		for _, warning := range r.toHand.Warnings {
			warnings = append(warnings, "\nWarning: "+warning.Error()+"\n")
		}
	}
	slices.Sort(warnings)
	out.WriteString(strings.Join(slices.Compact(warnings), ""))
	out.WriteString("\n## Allocations per call\n\n| case | library | with timeout | without timeout |\n|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&out, "| %s | %.0f | %.0f | %.0f |\n", r.name, r.allocations[library], r.allocations[hand], r.allocations[untimed])
	}
	return out.Bytes()
}

// plotRatios plots the ratios of processor time, as SVG.
func plotRatios(rows []row) ([]byte, error) {
	var names []string
	var rounds, medians plotter.XYs
	bars := &plotter.XErrorBars{LineStyle: plotter.DefaultLineStyle, CapWidth: plotter.DefaultCapWidth}
	for _, r := range slices.Backward(rows) {
		y := float64(len(names))
		names = append(names, r.name)
		for _, ratio := range r.toHand.rounds {
			rounds = append(rounds, plotter.XY{X: ratio, Y: y})
		}
		median := plotter.XY{X: r.toHand.Center, Y: y}
		medians = append(medians, median)
		if !math.IsInf(r.toHand.Hi, 1) {
			bars.XYs = append(bars.XYs, median)
			bars.XErrors = append(bars.XErrors, struct{ Low, High float64 }{r.toHand.Lo - median.X, r.toHand.Hi - median.X})
		}
	}
	low, high := -0.5, float64(len(rows))-0.5
	goal := &plotter.Line{XYs: plotter.XYs{{X: cpuGoal, Y: low}, {X: cpuGoal, Y: high}}}
	must := &plotter.Line{XYs: plotter.XYs{{X: cpuMust, Y: low}, {X: cpuMust, Y: high}}}
	goal.LineStyle = draw.LineStyle{Color: color.RGBA{R: 200, A: 255}, Width: 1}
	must.LineStyle = draw.LineStyle{Color: color.RGBA{R: 200, A: 255}, Width: 1, Dashes: []vg.Length{4, 3}}
	single := &plotter.Scatter{XYs: rounds, GlyphStyle: draw.GlyphStyle{Color: color.Gray{Y: 170}, Radius: 2, Shape: draw.CircleGlyph{}}}
	median := &plotter.Scatter{XYs: medians, GlyphStyle: draw.GlyphStyle{Color: color.Black, Radius: 3.5, Shape: draw.CircleGlyph{}}}
	p := plot.New()
	p.Add(goal, must, single, median, bars)
	p.Title.Text = "Processor time per call: library / net/http by hand with a timeout"
	p.X.Label.Text = fmt.Sprintf("grey: rounds; black: median, 95 %% interval; lines: goal %.2f, must %.2f", cpuGoal, cpuMust)
	p.X.Label.TextStyle.Font.Size = 9
	p.X.Tick.Marker = plot.TickerFunc(exactTicks)
	p.NominalY(names...)
	p.Y.Padding = 25 // other fonts are wider
	for _, style := range []*font.Font{&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font} {
		style.Variant = "Sans"
	}
	writer, err := p.WriterTo(8*vg.Inch, vg.Length(1.2+0.35*float64(len(rows)))*vg.Inch, "svg")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = writer.WriteTo(&out)
	// Arial has the widths of Liberation Sans, which few machines have.
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,sans-serif;")), err
}

// exactTicks are the default ticks, which are labelled 1.1 where they are at 1.15.
func exactTicks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i, tick := range ticks {
		if tick.Label != "" {
			ticks[i].Label = fmt.Sprint(math.Round(tick.Value*1000) / 1000)
		}
	}
	return ticks
}
