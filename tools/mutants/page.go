package main

import (
	"fmt"
	"os"
	"strings"
)

// fence begins a block of docs/mutants.md that lists known survivors, one a line,
// as the report prints them. The text above it says why they survive.
const fence = "```survivors"

// readPage returns the names of the known survivors.
func readPage(name string) (map[string]bool, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	known, inside := map[string]bool{}, false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case line == fence:
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside && known[line]:
			return nil, fmt.Errorf("%s names twice: %s", name, line)
		case inside && line != "":
			known[line] = true
		}
	}
	return known, nil
}
