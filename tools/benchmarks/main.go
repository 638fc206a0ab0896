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
	rounds := flag.Int("rounds", 12, "how often to run the benchmark")
	benchtime := flag.String("benchtime", "3000x", "`duration or count` of one measurement, as of go test")
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

// measure runs every case once per round, so that a slow phase of the machine
// meets both sides. It shows the output, too.
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
		if err := library("test", "-run", "^$", "-bench", "^BenchmarkCall$", "-benchmem", "-count", "1", "-benchtime", benchtime, "."); err != nil {
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

The library ("sdk") against careful use of net/http ("hand"), as BenchmarkCall
measures them. Made with:

    go -C tools/benchmarks run .

%d rounds, each with at least %d calls per case and side; in a round, both sides of
a case follow each other. %s, %s/%s, GOMAXPROCS=%s, CPU: %s.

The goal: processor time (CPU) per call at most %.2f x by hand, and %d more
allocations at most. The must: %.2f x, and %d more; what exceeds it is "missed".

The server runs in the same process and is counted on both sides, so the
difference between hand and sdk is the library's, and a ratio makes it look
smaller than it is. A ratio is the median of sdk / hand within a round, [its 95 %%
interval] and (the least to the greatest); ± is the 95 %% interval of a median, p
is Mann-Whitney's, and CPU is uncertain where the interval allows another verdict.

![Ratio of processor time per case](benchmarks.svg)

`

func report(rec *recording, rows []row) []byte {
	on := rec.machine
	var out bytes.Buffer
	fmt.Fprintf(&out, introduction, len(rows[0].figures[cpuUnit].ratios), rec.calls,
		on.goVersion, on.goos, on.goarch, on.gomaxprocs, on.cpu, cpuGoal, allocsGoal, cpuMust, allocsMust)
	columns := []struct {
		title, unit string
		scale       float64
		digits      int
	}{{"CPU, µs", cpuUnit, 1e6, 1}, {"time, µs", wallUnit, 1e6, 1}, {"allocations", allocsUnit, 1, 0}, {"bytes", bytesUnit, 1, 0}}
	out.WriteString("| case |")
	for _, column := range columns {
		fmt.Fprintf(&out, " %s: hand → sdk | sdk / hand |", column.title)
	}
	fmt.Fprintf(&out, " verdict |\n|%s\n", strings.Repeat("---|", 2+2*len(columns)))
	var warnings []string
	for _, r := range rows {
		fmt.Fprintf(&out, "| %s |", r.name)
		for _, column := range columns {
			f := r.figures[column.unit]
			fmt.Fprintf(&out, " %.*f ±%s → %.*f ±%s | **%.3f** [%.3f, %.3f]<br>(%.3f to %.3f), p=%.3f |",
				column.digits, f.hand.Center*column.scale, f.hand.PctRangeString(),
				column.digits, f.sdk.Center*column.scale, f.sdk.PctRangeString(),
				f.ratio.Center, f.ratio.Lo, f.ratio.Hi, slices.Min(f.ratios), slices.Max(f.ratios), f.test.P)
			for _, warning := range slices.Concat(f.ratio.Warnings, f.test.Warnings) {
				warnings = append(warnings, "\nWarning, "+column.title+": "+warning.Error()+"\n")
			}
		}
		fmt.Fprintf(&out, " %s |\n", r.verdict())
	}
	slices.Sort(warnings)
	out.WriteString(strings.Join(slices.Compact(warnings), ""))
	return out.Bytes()
}

// plotRatios plots the ratios of processor time, as SVG.
func plotRatios(rows []row) ([]byte, error) {
	var names []string
	var rounds, medians plotter.XYs
	bars := &plotter.XErrorBars{LineStyle: plotter.DefaultLineStyle, CapWidth: plotter.DefaultCapWidth}
	for _, r := range slices.Backward(rows) {
		f, y := r.figures[cpuUnit], float64(len(names))
		names = append(names, r.name)
		for _, ratio := range f.ratios {
			rounds = append(rounds, plotter.XY{X: ratio, Y: y})
		}
		median := plotter.XY{X: f.ratio.Center, Y: y}
		medians = append(medians, median)
		if !math.IsInf(f.ratio.Hi, 1) {
			bars.XYs = append(bars.XYs, median)
			bars.XErrors = append(bars.XErrors, struct{ Low, High float64 }{f.ratio.Lo - median.X, f.ratio.Hi - median.X})
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
	p.Title.Text = "Processor time per call, sdk / hand"
	p.X.Label.Text = fmt.Sprintf("grey: rounds; black: median, 95 %% interval; lines: %.2f, %.2f", cpuGoal, cpuMust)
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
