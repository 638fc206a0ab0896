package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// binary is a compiled test binary of a package.
type binary struct {
	path     string
	dir      string        // of the package, in which the tests run
	patience time.Duration // added to the time that tests may take
}

// build compiles the tests of a package into dir.
func (j *judge) build(ctx context.Context, pkg, dir string, flags ...string) (binary, []byte, error) {
	b := binary{path: filepath.Join(dir, strings.ReplaceAll(pkg, "/", "-")+".test"), dir: filepath.Join(j.root, pkg), patience: j.patience}
	arguments := append([]string{"test", "-c", "-vet=off", "-o", b.path}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(arguments, "./"+pkg)...)
	cmd.Dir = j.root
	output, err := cmd.CombinedOutput()
	return b, output, err
}

var mutantInError = regexp.MustCompile(`\bmutant(\d+)\.go:\d+`)

// buildShared compiles the tests of a package with all mutants in one binary. A
// mutant that the compiler refuses gets the verdict invalid, and the rest is
// compiled again.
func (j *judge) buildShared(ctx context.Context, pkg string, mutants []*mutant, flags ...string) (binary, error) {
	dir, err := os.MkdirTemp(j.out, "shared")
	if err != nil {
		return binary{}, err
	}
	flags = append(flags, "-overlay", filepath.Join(dir, overlayName), "-gcflags="+j.module+"/...=-e") // -e: report all errors of a package instead of ten
	for {
		byID := map[string]*mutant{}
		var valid []*mutant
		for _, m := range mutants {
			if m.verdict != invalid {
				valid = append(valid, m)
				byID[strconv.Itoa(m.id)] = m
			}
		}
		if err := overlay(j.root, dir, valid); err != nil {
			return binary{}, err
		}
		b, output, err := j.build(ctx, pkg, dir, flags...)
		if err == nil || ctx.Err() != nil {
			return b, ctx.Err()
		}
		found := false
		for _, match := range mutantInError.FindAllSubmatch(output, -1) {
			if m := byID[string(match[1])]; m != nil {
				m.verdict, found = invalid, true
			}
		}
		if !found {
			return binary{}, fmt.Errorf("the tests of %s do not compile with the mutants: %w\n%s", pkg, err, output)
		}
	}
}

// moduleName returns the path of the module at root.
func moduleName(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m")
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(output)), nil
}
