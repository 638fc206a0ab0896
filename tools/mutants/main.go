// Command mutants changes the library in one small place at a time and runs the
// tests on each change, which is called a mutant. A mutant that no test fails on
// survives: it shows a line whose effect is not tested. The command lists the
// survivors and fails if there is one that docs/mutants.md does not name.
//
//	go -C tools/mutants run .                          # everything
//	go -C tools/mutants run . internal/retry call.go   # folders and files
//	go -C tools/mutants run . -since HEAD~1            # the lines that changed
//
// The files, in the order of a run: plan.go (which tests run on which mutants),
// mutate.go (the changes), coverage.go (which tests reach a line), instrument.go
// and build.go (one test binary with many mutants), run.go (a mutant's verdict),
// page.go and report.go (the survivors).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"
)

const page = "docs/mutants.md" // names the known survivors

var errSurvivors = errors.New("there are survivors that " + page + " does not name")

func main() {
	log.SetFlags(0)
	workers := flag.Int("workers", runtime.NumCPU(), "how many mutants `run` at once")
	since := flag.String("since", "", "only the lines that changed since this git `ref`")
	flag.Parse()
	root, err := filepath.Abs("../..")
	if err != nil {
		log.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c := check{
		root: root, plan: plan, since: *since, paths: flag.Args(), workers: *workers, patience: 10 * time.Second,
		cache: filepath.Join(cache, "losant-rest-go-mutants"), page: filepath.Join(root, page), log: os.Stderr,
	}
	if err := c.run(ctx, os.Stdout); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // stop was called
	}
}

// check is one run of the command.
type check struct {
	root     string   // of the module that is changed
	plan     testPlan // the tests to run
	since    string   // a git ref, or ""
	paths    []string // files and folders, relative to root; none means all
	workers  int
	patience time.Duration // see binary
	cache    string        // the folder of what is kept for the next run
	page     string        // the file that names the known survivors
	log      io.Writer     // progress
}

// run writes the report to out. It returns errSurvivors if the page does not name
// every survivor.
func (c check) run(ctx context.Context, out io.Writer) error {
	mutants, err := c.mutants(ctx)
	if err != nil {
		return err
	}
	known, err := readPage(c.page)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.log, "%d mutants\n", len(mutants))
	if len(mutants) > 0 {
		if err := c.judgeAll(ctx, mutants); err != nil && ctx.Err() == nil {
			return err
		}
	}
	r := newReport(mutants, known, c.since == "" && ctx.Err() == nil)
	r.write(out)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(r.unnamed) > 0:
		return errSurvivors
	}
	return nil
}

// mutants returns the mutants of the chosen files and lines.
func (c check) mutants(ctx context.Context) ([]*mutant, error) {
	files, err := c.plan.files(c.root, c.paths)
	if err != nil {
		return nil, err
	}
	var changed lines
	if c.since != "" {
		if changed, err = changedLines(ctx, c.root, c.since); err != nil {
			return nil, err
		}
	}
	var all []*mutant
	for _, file := range files {
		mutants, err := mutate(c.root, file)
		if err != nil {
			return nil, err
		}
		for _, m := range mutants {
			if c.since == "" || changed.overlap(m) {
				m.id = len(all) + 1
				all = append(all, m)
			}
		}
	}
	return all, nil
}
