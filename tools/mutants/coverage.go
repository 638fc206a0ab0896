package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// suite is the tests of one package, and what each of them reaches.
type suite struct {
	Tests  []*test  `json:"tests"`
	Blocks []*block `json:"blocks"`

	shared binary // with all mutants
}

// test is one top-level test, example or fuzz target (which runs its seeds).
type test struct {
	Name   string        `json:"name"`
	Took   time.Duration `json:"took"` // alone, with -short
	Failed bool          `json:"failed"`

	exact bool // passes only in a binary without the other mutants
}

// block is a run of statements, and the tests that reach it.
type block struct {
	span

	Tests []int `json:"tests"`
}

// span is a part of a file.
type span struct {
	File       string `json:"file"`
	Line       int    `json:"line"`
	Column     int    `json:"column"`
	LastLine   int    `json:"lastLine"`
	LastColumn int    `json:"lastColumn"` // the first one that is not a part
}

func (s span) contains(file string, line, column int) bool {
	return s.File == file &&
		(s.Line < line || s.Line == line && s.Column <= column) &&
		(line < s.LastLine || line == s.LastLine && column < s.LastColumn)
}

// reaching returns the tests that run the code of a mutant: those of the innermost
// block around it. The conditions of a switch are in no block: for them, it is
// enough that the function runs. Outside functions, all tests count.
func (s *suite) reaching(m *mutant) []*test {
	reached := make([]bool, len(s.Tests))
	var innermost *block
	for _, b := range s.Blocks {
		if b.contains(m.file, m.line, m.column) && (innermost == nil || innermost.contains(b.File, b.Line, b.Column)) {
			innermost = b
		}
	}
	for _, b := range s.Blocks {
		if b == innermost || innermost == nil && b.File == m.file && m.first <= b.Line && b.LastLine <= m.final {
			for _, n := range b.Tests {
				reached[n] = true
			}
		}
	}
	var tests []*test
	for n, t := range s.Tests {
		if reached[n] || m.decl == nil {
			tests = append(tests, t)
		}
	}
	return tests
}

// collect runs each test of a package alone and records what it reaches. The result
// is cached under the hash of the test binary, unless a test fails.
func (j *judge) collect(ctx context.Context, pkg string) (*suite, error) {
	b, output, err := j.build(ctx, pkg, j.out, "-cover", "-coverpkg=./...")
	if err != nil {
		return nil, fmt.Errorf("the tests of %s do not compile: %w\n%s", pkg, err, output)
	}
	cache, err := j.cacheFile(b.path)
	if err != nil {
		return nil, err
	}
	var s suite
	if data, err := os.ReadFile(cache); err == nil && json.Unmarshal(data, &s) == nil {
		return &s, nil
	}
	list := exec.CommandContext(ctx, b.path, "-test.list", ".")
	list.Dir = b.dir
	names, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("the tests of %s cannot be listed: %w", pkg, err)
	}
	for _, name := range strings.Fields(string(names)) {
		s.Tests = append(s.Tests, &test{Name: name})
	}
	spans := make([]map[span]bool, len(s.Tests))
	err = each(ctx, j.workers, len(s.Tests), func(n int) (err error) {
		spans[n], err = s.Tests[n].measure(ctx, b, j.module)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.merge(spans)
	if slices.ContainsFunc(s.Tests, func(t *test) bool { return t.Failed }) {
		return &s, nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &s, os.WriteFile(cache, data, 0o600)
}

// merge adds the blocks from the spans of each test, which are true if the test
// reached them.
func (s *suite) merge(spans []map[span]bool) {
	blocks := map[span]*block{}
	for n := range s.Tests {
		for span, reached := range spans[n] {
			if blocks[span] == nil {
				blocks[span] = &block{span: span}
				s.Blocks = append(s.Blocks, blocks[span])
			}
			if reached {
				blocks[span].Tests = append(blocks[span].Tests, n)
			}
		}
	}
}

// cacheFile returns where the coverage of a test binary is cached.
func (j *judge) cacheFile(binary string) (string, error) {
	data, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	return filepath.Join(j.cache, fmt.Sprintf("%x.json", sha256.Sum256(data))), os.MkdirAll(j.cache, 0o700)
}

// measure runs the test once and returns the spans of the module, which are true
// if the test reached them.
func (t *test) measure(ctx context.Context, b binary, module string) (map[span]bool, error) {
	profile := b.path + "-" + t.Name
	cmd := exec.CommandContext(ctx, b.path, "-test.short", "-test.run", pattern(t), "-test.coverprofile", profile)
	cmd.Dir = b.dir
	started := time.Now()
	err := cmd.Run()
	t.Took = time.Since(started)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		t.Failed = true
		return nil, nil
	}
	data, err := os.ReadFile(profile)
	if err != nil {
		return nil, err
	}
	spans := map[span]bool{}
	for line := range bytes.Lines(data) {
		name, rest, _ := strings.Cut(string(line), ":")
		if name == "mode" {
			continue
		}
		s := span{File: strings.TrimPrefix(name, module+"/")}
		var statements, count int
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &s.Line, &s.Column, &s.LastLine, &s.LastColumn, &statements, &count); err != nil {
			return nil, fmt.Errorf("coverage of %s: %w", t.Name, err)
		}
		spans[s] = spans[s] || count > 0
	}
	return spans, os.Remove(profile)
}
