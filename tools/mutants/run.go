package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// verdict says what the tests make of a mutant.
type verdict int

const (
	survived verdict = iota
	killed
	timedOut
	invalid // it does not compile
)

type result struct {
	mutant
	verdict verdict
}

// testRun is one run of go test.
type testRun struct {
	pkg  string
	race bool
}

// testRuns says, by folder, which tests a mutant must survive, in this order. The
// race detector finds what only concurrent calls notice: a lock, an atomic or a copy
// that is missing.
var testRuns = map[string][]testRun{
	".":              {{pkg: "."}, {pkg: "./internal/faults"}, {pkg: ".", race: true}},
	"internal/retry": {{pkg: "./internal/retry"}, {pkg: "./internal/faults"}, {pkg: "."}, {pkg: "./internal/retry", race: true}, {pkg: ".", race: true}},
	"losanttest":     {{pkg: "./losanttest"}, {pkg: "."}, {pkg: "./losanttest", race: true}},
}

// testsOf returns the runs for a folder. Any other package has no goroutines.
func testsOf(folder string) []testRun {
	if runs, ok := testRuns[folder]; ok {
		return runs
	}
	return []testRun{{pkg: "./" + folder}, {pkg: "."}}
}

func folder(file string) string { return path.Dir(file) }

// tester runs the tests of the module in root.
type tester struct {
	root    string
	testsOf func(folder string) []testRun
	limit   time.Duration // of one run, without its build
	workers int           // runs at once
	out     io.Writer
}

// testAll tests the mutants, and prints the survivors as it finds them. If ctx ends,
// it returns the results until then.
func (t *tester) testAll(ctx context.Context, all []mutant) ([]result, error) {
	var (
		group    sync.WaitGroup
		mu       sync.Mutex
		results  []result
		failures error
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan mutant)
	for range t.workers {
		group.Go(func() {
			for m := range work {
				v, err := t.test(ctx, m)
				mu.Lock()
				switch {
				case ctx.Err() != nil:
				case err != nil:
					failures = err
					cancel()
				default:
					results = append(results, result{m, v})
					if v == survived {
						fmt.Fprintf(t.out, "%d of %d: survived: %s\n", len(results), len(all), m)
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range all {
		select {
		case work <- m:
		case <-ctx.Done():
		}
	}
	close(work)
	group.Wait()
	return results, failures
}

// test runs the tests on one mutant until one of them notices it. The changed file
// replaces the original in an overlay of the go command, so that the working tree
// stays as it is.
func (t *tester) test(ctx context.Context, m mutant) (verdict, error) {
	scratch, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return survived, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	overlay, err := writeOverlay(t.root, scratch, m)
	if err != nil {
		return survived, err
	}
	for _, run := range t.testsOf(folder(m.file)) {
		if v := t.goTest(ctx, overlay, run); v != survived {
			return v, nil
		}
	}
	return survived, nil
}

func writeOverlay(root, scratch string, m mutant) (string, error) {
	original, changed, overlay := filepath.Join(root, m.file), filepath.Join(scratch, "changed.go"), filepath.Join(scratch, "overlay.json")
	src, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(changed, []byte(string(src[:m.start])+m.with+string(src[m.end:])), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// goTest runs go test once. The time limit stops a mutant that loops.
func (t *tester) goTest(ctx context.Context, overlay string, run testRun) verdict {
	const build = 2 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, build+t.limit)
	defer cancel()
	args := []string{"test", "-overlay", overlay, "-short", "-failfast", "-vet=off", "-timeout", t.limit.String()}
	if run.race {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, run.pkg)...)
	cmd.Dir = t.root
	output, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return survived
	case ctx.Err() != nil || bytes.Contains(output, []byte("panic: test timed out")):
		return timedOut
	case strings.Contains(string(output), "[build failed]") || strings.Contains(string(output), "[setup failed]"):
		return invalid
	default:
		return killed
	}
}
