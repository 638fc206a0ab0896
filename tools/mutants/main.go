// Command mutants changes the library in one small place at a time and runs the
// tests on each change. A change that no test notices survives: a promise is not
// proven, or the change makes no difference.
//
//	go -C tools/mutants run .                     # everything: hours
//	go -C tools/mutants run . -since main         # the lines that differ from a commit: minutes
//	go -C tools/mutants run . auth.go losanttest  # files and folders
//	go -C tools/mutants run . -every 10           # a sample
//
// It prints the survivors. Those that docs/mutants.md names, with the reason, are
// accepted; for any other, the exit code is 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	workers := flag.Int("workers", 2, "number of mutants that are tested at once")
	since := flag.String("since", "", "mutate only the lines that differ from this `commit`")
	every := flag.Int("every", 1, "test only one mutant in `n`, as a sample")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	accepted, err := run(ctx, "../..", *since, *every, *workers, flag.Args(), os.Stdout)
	stop()
	if err != nil {
		log.Fatal("mutants: ", err)
	}
	if !accepted {
		os.Exit(1)
	}
}

// run tests the mutants of the module in root. It reports whether all survivors are
// accepted.
func run(ctx context.Context, root, since string, every, workers int, names []string, out io.Writer) (bool, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return false, err
	}
	files, err := sources(root, names)
	if err != nil {
		return false, err
	}
	known, err := readSurvivors(filepath.Join(root, "docs", "mutants.md"))
	if err != nil {
		return false, err
	}
	var all []mutant
	for _, file := range files {
		some, err := mutantsOf(root, file)
		if err != nil {
			return false, err
		}
		all = append(all, some...)
	}
	if since != "" {
		lines, err := changedLines(ctx, root, since)
		if err != nil {
			return false, err
		}
		all = slices.DeleteFunc(all, func(m mutant) bool { return !lines[m.file][m.line] })
	}
	if every > 1 {
		all = slices.DeleteFunc(all, func(m mutant) bool { return m.start%every != 0 })
	}
	t := tester{root, testsOf, time.Minute, workers, out}
	results, err := t.testAll(ctx, all)
	if err != nil {
		return false, err
	}
	return report(out, results, known, since == "" && every <= 1 && len(names) == 0 && ctx.Err() == nil), nil
}

// sources returns the files to mutate, relative to root: those of the library and of
// losanttest. internal/faults is itself a test, and the examples are not imported by
// anybody.
func sources(root string, names []string) ([]string, error) {
	patterns := []string{"*.go", "internal/*/*.go", "losanttest/*.go"}
	if len(names) > 0 {
		patterns = nil
		for _, name := range names {
			if strings.HasSuffix(name, ".go") {
				patterns = append(patterns, name)
			} else {
				patterns = append(patterns, filepath.Join(name, "*.go"))
			}
		}
	}
	var files []string
	for _, pattern := range patterns {
		matches, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		if len(names) > 0 && len(matches) == 0 {
			return nil, fmt.Errorf("%s: no such file", pattern)
		}
		for _, match := range matches {
			file, err := filepath.Rel(root, match)
			if err != nil {
				return nil, err
			}
			file = filepath.ToSlash(file)
			if !strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(file, "internal/faults/") {
				files = append(files, file)
			}
		}
	}
	return files, nil
}

// report prints the survivors that are not accepted, and how many mutants of each
// package survived. If the run was complete, it also prints the accepted ones that
// no longer survive.
func report(out io.Writer, results []result, known map[string]bool, complete bool) bool {
	counts, packages, unnamed, seen := map[string]map[verdict]int{}, []string{}, []string{}, map[string]bool{}
	for _, r := range results {
		name := folder(r.file)
		if counts[name] == nil {
			counts[name] = map[verdict]int{}
			packages = append(packages, name)
		}
		counts[name][r.verdict]++
		if key := r.String(); r.verdict == survived {
			seen[key] = true
			if !known[key] {
				unnamed = append(unnamed, fmt.Sprintf("    %s    (line %d)", key, r.line))
			}
		}
	}
	slices.Sort(packages)
	for _, name := range packages {
		c := counts[name]
		total := c[killed] + c[timedOut] + c[survived]
		fmt.Fprintf(out, "%s: %d mutants, %d noticed by a test, %d by its time limit, %d survived\n", name, total, c[killed], c[timedOut], c[survived])
	}
	if len(unnamed) > 0 {
		fmt.Fprintf(out, "\nSurvivors that docs/mutants.md does not name:\n\n%s\n", strings.Join(unnamed, "\n"))
	}
	if complete {
		for _, key := range slices.Sorted(keysNotIn(known, seen)) {
			fmt.Fprintf(out, "docs/mutants.md names a mutant that no longer survives: %s\n", key)
		}
	}
	return len(unnamed) == 0
}
