package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// report is the result of a run.
type report struct {
	unnamed []*mutant // survivors that the page does not name
	stale   []string  // names on the page that did not survive
	scores  map[string]score
}

type score map[verdict]int

// newReport compares the verdicts with the known survivors. If complete, all
// mutants of their files ran, and a known one that is not among them is gone.
func newReport(mutants []*mutant, known map[string]bool, complete bool) report {
	r := report{scores: map[string]score{}}
	seen, files := map[string]bool{}, map[string]bool{}
	for _, m := range mutants {
		if r.scores[m.pkg()] == nil {
			r.scores[m.pkg()] = score{}
		}
		r.scores[m.pkg()][m.verdict]++
		files[m.file] = true
		switch {
		case m.verdict == pending:
			seen[m.name()] = true
		case m.verdict.survives():
			seen[m.name()] = true
			if !known[m.name()] {
				r.unnamed = append(r.unnamed, m)
			}
		case known[m.name()]:
			seen[m.name()] = true
			r.stale = append(r.stale, m.name())
		}
	}
	for name := range known {
		file, _, _ := strings.Cut(name, " ")
		if complete && files[file] && !seen[name] {
			r.stale = append(r.stale, name)
		}
	}
	slices.Sort(r.stale)
	return r
}

// write prints the report: mutants by file and line, then the scores by package.
func (r report) write(w io.Writer) {
	for _, m := range r.unnamed {
		fmt.Fprintf(w, "%s:%d %s\n%s\n", m.file, m.line, m.verdict, m.name())
	}
	for _, name := range r.stale {
		fmt.Fprintf(w, "no longer survives, remove from %s:\n%s\n", page, name)
	}
	fmt.Fprintf(w, "%-18s %7s %7s %9s %9s %9s %7s %6s\n", "package", "mutants", "killed", "timed out", "survived", "unreached", "invalid", "score")
	total := score{}
	for _, pkg := range slices.Sorted(maps.Keys(r.scores)) {
		r.scores[pkg].write(w, pkg)
		for v, n := range r.scores[pkg] {
			total[v] += n
		}
	}
	total.write(w, "all")
}

// write prints one line. The score is the share of the valid mutants that a test
// noticed.
func (s score) write(w io.Writer, name string) {
	all := 0
	for _, n := range s {
		all += n
	}
	noticed := s[killed] + s[timedOut]
	judged := noticed + s[survived] + s[unreached]
	fmt.Fprintf(w, "%-18s %7d %7d %9d %9d %9d %7d %5.1f%%", name, all, s[killed], s[timedOut], s[survived], s[unreached], s[invalid], 100*float64(noticed)/float64(max(judged, 1)))
	if s[pending] > 0 {
		fmt.Fprintf(w, " (%d did not run)", s[pending])
	}
	fmt.Fprintln(w)
}
