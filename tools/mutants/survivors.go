package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// readSurvivors returns the mutants that the page of survivors names: its indented
// lines, each in the form of mutant.String.
func readSurvivors(page string) (map[string]bool, error) {
	known := map[string]bool{}
	text, err := os.ReadFile(page)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	for line := range strings.Lines(string(text)) {
		if key, indented := strings.CutPrefix(line, "    "); indented {
			known[strings.TrimSpace(key)] = true
		}
	}
	return known, err
}

// keysNotIn returns the keys of a that b does not have.
func keysNotIn(a, b map[string]bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range a {
			if strings.Contains(key, " -> ") && !b[key] && !yield(key) {
				return
			}
		}
	}
}

var (
	diffFile = regexp.MustCompile(`^\+\+\+ b/(.*)$`)
	diffHunk = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)
)

// changedLines returns, by file, the lines of the working tree that differ from a
// commit.
func changedLines(ctx context.Context, root, commit string) (map[string]map[int]bool, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", "diff", "--unified=0", "--no-ext-diff", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", commit, "--", "*.go")
	cmd.Dir, cmd.Stderr = root, &stderr
	diff, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git diff %s: %w: %s", commit, err, bytes.TrimSpace(stderr.Bytes()))
	}
	changed, file := map[string]map[int]bool{}, ""
	scanner := bufio.NewScanner(bytes.NewReader(diff))
	scanner.Buffer(nil, len(diff)+1)
	for scanner.Scan() {
		if match := diffFile.FindStringSubmatch(scanner.Text()); match != nil {
			file = match[1]
			changed[file] = map[int]bool{}
		}
		match := diffHunk.FindStringSubmatch(scanner.Text())
		if match == nil {
			continue
		}
		first, _ := strconv.Atoi(match[1])
		count := 1
		if match[2] != "" {
			count, _ = strconv.Atoi(match[2])
		}
		for line := first; line < first+count; line++ {
			changed[file][line] = true
		}
	}
	return changed, scanner.Err()
}
