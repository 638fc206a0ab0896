package main

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// testPlan says which tests run on which mutants.
type testPlan struct {
	// tests maps each package whose files are changed to the packages whose tests
	// run on its mutants, all with -short.
	tests map[string][]string

	// sharing are the files whose memory several goroutines use: what uses sync or
	// sync/atomic, and what copies memory so that it is not shared. A mutant of
	// theirs that survives runs once more with the race detector.
	sharing []string
}

// The examples are not changed: what they promise is that they run and print what
// the README shows, which .ci/run checks. internal/faults is a test program.
var plan = testPlan{
	tests: map[string][]string{
		".":                {"."},
		"internal/baseurl": {"internal/baseurl", "."},
		"internal/redact":  {"internal/redact", "."},
		"internal/retry":   {"internal/retry", ".", "internal/faults"},
		"internal/route":   {"internal/route", "."},
		"internal/text":    {"internal/text", "."},
		"internal/wire":    {"internal/wire", "."},
		"losanttest":       {"losanttest"},
	},
	sharing: []string{
		"call.go",     // clones the header for each attempt
		"form.go",     // locks while a part is read
		"options.go",  // clones the query parameters of the defaults
		"response.go", // clones the header and the body
		"stream.go",   // Close may be called during Next
		"internal/retry/attempt.go",
		"internal/retry/budget.go",
		"internal/retry/client.go",
		"internal/retry/probe.go",
		"losanttest/description.go",
		"losanttest/network.go",
		"losanttest/requests.go",
		"losanttest/server.go",
		"losanttest/state.go",
	},
}

// files returns the source files that paths name, or all of the plan.
func (p testPlan) files(root string, paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = slices.Collect(maps.Keys(p.tests))
	}
	var files []string
	for _, name := range paths {
		dir, pattern := path.Clean(filepath.ToSlash(name)), "*.go"
		if strings.HasSuffix(dir, ".go") {
			dir, pattern = path.Dir(dir), path.Base(dir)
		}
		if p.tests[dir] == nil {
			return nil, fmt.Errorf("%s is in no package of plan.go", name)
		}
		matches, err := filepath.Glob(filepath.Join(root, dir, pattern))
		if err != nil {
			return nil, err
		}
		if len(matches) == 0 {
			return nil, fmt.Errorf("%s does not exist", name)
		}
		for _, match := range matches {
			if !strings.HasSuffix(match, "_test.go") {
				files = append(files, path.Join(dir, filepath.Base(match)))
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}
