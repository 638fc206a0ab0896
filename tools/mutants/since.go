package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// lines are the lines of each file that changed.
type lines map[string][]lineRange

type lineRange struct{ first, last int }

// overlap reports whether a mutant changes one of the lines.
func (l lines) overlap(m *mutant) bool {
	for _, r := range l[m.file] {
		if m.line <= r.last && r.first <= m.last {
			return true
		}
	}
	return false
}

var hunk = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)

// changedLines returns the lines of root that changed since ref, committed or not.
func changedLines(ctx context.Context, root, ref string) (lines, error) {
	cmd := exec.CommandContext(ctx, "git", "diff", "--unified=0", "--no-color", "--no-ext-diff", "--relative", "--end-of-options", ref, "--", "*.go")
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git diff %s: %w", ref, err)
	}
	changed, file := lines{}, ""
	for line := range strings.Lines(string(output)) {
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			file = strings.TrimSpace(name)
			continue
		}
		match := hunk.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		first, _ := strconv.Atoi(match[1])
		count := 1
		if match[2] != "" {
			count, _ = strconv.Atoi(match[2])
		}
		changed[file] = append(changed[file], lineRange{first, first + count - 1})
	}
	return changed, nil
}
