package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// verdict is what became of a mutant.
type verdict string

const (
	pending   verdict = ""
	killed    verdict = "killed"
	timedOut  verdict = "timed out" // noticed, too: a test never ended
	survived  verdict = "survived"
	unreached verdict = "unreached" // survives, since no test runs the line
	invalid   verdict = "invalid"   // does not compile
)

func (v verdict) survives() bool { return v == survived || v == unreached }

// judge runs tests on mutants.
type judge struct {
	check

	module string
	out    string            // the folder of the binaries
	suites map[string]*suite // by package
	mu     sync.Mutex        // guards the verdicts
	done   int
}

// judgeAll gives each mutant its verdict.
func (c check) judgeAll(ctx context.Context, mutants []*mutant) error {
	out, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(out) }()
	j := judge{check: c, out: out, suites: map[string]*suite{}}
	if j.module, err = moduleName(ctx, c.root); err != nil {
		return err
	}
	if err := j.prepare(ctx, mutants); err != nil {
		return err
	}
	rest := func(want func(*mutant) bool) []*mutant {
		return slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return !want(m) })
	}
	fmt.Fprintln(c.log, "running the tests that reach each mutant")
	err = j.each(ctx, rest(func(m *mutant) bool { return m.verdict == pending }), j.judge)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.log, "running survivors again, compiled alone")
	err = j.each(ctx, rest(func(m *mutant) bool { return m.verdict == survived && j.needsAlone(m) }), j.judgeAlone)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.log, "running survivors again with the race detector")
	return j.race(ctx, rest(func(m *mutant) bool { return m.verdict == survived && slices.Contains(c.plan.sharing, m.file) }))
}

// prepare builds the test binaries and learns what each test reaches.
func (j *judge) prepare(ctx context.Context, mutants []*mutant) error {
	switchable := slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return !m.isSwitchable() })
	for _, pkg := range j.packages(mutants) {
		fmt.Fprintf(j.log, "building and measuring the tests of %s\n", pkg)
		s, err := j.collect(ctx, pkg)
		if err != nil {
			return err
		}
		if s.shared, err = j.buildShared(ctx, pkg, switchable); err != nil {
			return err
		}
		if err := s.findExact(ctx); err != nil {
			return err
		}
		for _, t := range s.Tests {
			switch {
			case t.Failed:
				fmt.Fprintf(j.log, "%s of %s fails without a mutant and is not used\n", t.Name, pkg)
			case t.exact:
				fmt.Fprintf(j.log, "%s of %s runs on mutants that are compiled alone\n", t.Name, pkg)
			}
		}
		j.suites[pkg] = s
	}
	return nil
}

// packages returns the packages whose tests run on the mutants.
func (j *judge) packages(mutants []*mutant) []string {
	var all []string
	for _, m := range mutants {
		for _, pkg := range j.plan.tests[m.pkg()] {
			if !slices.Contains(all, pkg) {
				all = append(all, pkg)
			}
		}
	}
	return all
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// findExact finds the tests that fail in the binary with all mutants although none
// is active: those that count allocations, because a function with a switch is not
// inlined.
func (s *suite) findExact(ctx context.Context) error {
	result, output := s.shared.run(ctx, s.Tests, 0, 10, "-test.failfast=false")
	if result != killed {
		return ctx.Err()
	}
	failed := map[string]bool{}
	for _, match := range failedTest.FindAllSubmatch(output, -1) {
		failed[string(match[1])] = true
	}
	for _, t := range s.Tests {
		t.exact = !t.Failed && failed[t.Name]
	}
	return nil
}

// needsAlone reports whether a test that runs only on a mutant that is compiled
// alone reaches it.
func (j *judge) needsAlone(m *mutant) bool {
	for _, pkg := range j.plan.tests[m.pkg()] {
		if slices.ContainsFunc(j.suites[pkg].reaching(m), func(t *test) bool { return t.exact }) {
			return m.isSwitchable() // others were compiled alone
		}
	}
	return false
}

// each calls f for each mutant and stores its verdict.
func (j *judge) each(ctx context.Context, mutants []*mutant, f func(context.Context, *mutant) (verdict, error)) error {
	j.done = 0
	return each(ctx, j.workers, len(mutants), func(n int) error {
		m := mutants[n]
		v, err := f(ctx, m)
		if err != nil || ctx.Err() != nil {
			return cmp.Or(ctx.Err(), err)
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		m.verdict = v
		if v.survives() {
			fmt.Fprintf(j.log, "%s: %s:%d %s\n", v, m.file, m.line, m.name())
		}
		if j.done++; j.done%50 == 0 {
			fmt.Fprintf(j.log, "%d of %d\n", j.done, len(mutants))
		}
		return nil
	})
}

// judge runs the tests that reach a mutant, the fastest first.
func (j *judge) judge(ctx context.Context, m *mutant) (verdict, error) {
	if !m.isSwitchable() {
		return j.judgeAlone(ctx, m)
	}
	result := unreached
	for _, pkg := range j.plan.tests[m.pkg()] {
		s := j.suites[pkg]
		tests := slices.DeleteFunc(s.reaching(m), func(t *test) bool { return t.exact })
		if v, _ := s.shared.judge(ctx, tests, m.id, 1); v != unreached {
			result = v
		}
		if !result.survives() {
			return result, nil
		}
	}
	if result == unreached && j.needsAlone(m) {
		return survived, nil // so far
	}
	return result, nil
}

// judgeAlone compiles a mutant alone, and runs the tests that need it so.
func (j *judge) judgeAlone(ctx context.Context, m *mutant) (verdict, error) {
	dir, err := os.MkdirTemp(j.out, "alone")
	if err != nil {
		return pending, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := overlayAlone(j.root, dir, m); err != nil {
		return pending, err
	}
	result := unreached
	for _, pkg := range j.plan.tests[m.pkg()] {
		tests := j.suites[pkg].reaching(m)
		if m.isSwitchable() { // the other tests have passed
			tests = slices.DeleteFunc(tests, func(t *test) bool { return !t.exact })
		}
		if len(tests) == 0 {
			continue
		}
		b, _, err := j.build(ctx, pkg, dir, "-overlay", filepath.Join(dir, overlayName))
		if err != nil {
			return invalid, nil
		}
		if v, _ := b.judge(ctx, tests, 0, 1); v != unreached {
			result = v
		}
		if !result.survives() {
			break
		}
	}
	return result, nil
}

// race runs the tests on mutants with the race detector. Only a data race kills
// them: other failures may come from tests that are slow with it.
func (j *judge) race(ctx context.Context, mutants []*mutant) error {
	mutants = slices.DeleteFunc(mutants, func(m *mutant) bool { return !m.isSwitchable() })
	binaries := map[string]binary{}
	for _, pkg := range j.packages(mutants) {
		b, err := j.buildShared(ctx, pkg, mutants, "-race")
		if err != nil {
			return err
		}
		binaries[pkg] = b
	}
	return j.each(ctx, mutants, func(ctx context.Context, m *mutant) (verdict, error) {
		for _, pkg := range j.plan.tests[m.pkg()] {
			tests := slices.DeleteFunc(j.suites[pkg].reaching(m), func(t *test) bool { return t.exact })
			if _, output := binaries[pkg].judge(ctx, tests, m.id, 10); bytes.Contains(output, []byte("WARNING: DATA RACE")) {
				return killed, nil
			}
		}
		return survived, nil
	})
}

// judge runs tests on one mutant: a few that are fast, then the rest of the fast
// ones, then the slow ones, since most mutants fail the first. It returns the output
// of the last tests that it ran.
func (b binary) judge(ctx context.Context, tests []*test, id int, slowdown time.Duration) (verdict, []byte) {
	tests = slices.DeleteFunc(slices.Clone(tests), func(t *test) bool { return t.Failed })
	slices.SortStableFunc(tests, func(a, b *test) int { return cmp.Compare(a.Took, b.Took) })
	const few, fast = 8, time.Second
	slow := 0
	for slow < len(tests) && tests[slow].Took < fast {
		slow++
	}
	result, output := unreached, []byte(nil)
	for _, group := range [][]*test{tests[:min(few, slow)], tests[min(few, slow):slow], tests[slow:]} {
		if len(group) == 0 {
			continue
		}
		if result, output = b.run(ctx, group, id, slowdown); result != survived {
			break
		}
	}
	return result, output
}

// run runs tests in one process. They may take a few times as long as without a
// mutant, and that times slowdown.
func (b binary) run(ctx context.Context, tests []*test, id int, slowdown time.Duration, flags ...string) (verdict, []byte) {
	limit := b.patience
	for _, t := range tests {
		limit += 4 * t.Took
	}
	limit *= slowdown
	ctx, cancel := context.WithTimeout(ctx, limit+time.Minute)
	defer cancel()
	flags = append([]string{"-test.short", "-test.failfast", "-test.run", pattern(tests...), "-test.timeout", limit.String()}, flags...)
	cmd := exec.CommandContext(ctx, b.path, flags...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), active+"="+strconv.Itoa(id))
	cmd.WaitDelay = time.Second
	output, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return survived, output
	case bytes.Contains(output, []byte("panic: test timed out")), ctx.Err() != nil:
		return timedOut, output
	default:
		return killed, output
	}
}

// pattern returns the value of -test.run for these tests.
func pattern(tests ...*test) string {
	names := make([]string, len(tests))
	for n, t := range tests {
		names[n] = t.Name
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// each calls f with the numbers below n from several goroutines, and returns the
// first error.
func each(ctx context.Context, workers, n int, f func(int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	numbers := make(chan int)
	for range workers {
		group.Go(func() {
			for n := range numbers {
				if err := f(n); err != nil {
					cancel(err)
				}
			}
		})
	}
	for n := range n {
		select {
		case numbers <- n:
		case <-ctx.Done():
		}
	}
	close(numbers)
	group.Wait()
	return context.Cause(ctx)
}
