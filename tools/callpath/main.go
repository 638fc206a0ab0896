// Command callpath measures how much code a call executes. It makes one GET with a
// transport that responds from memory, and prints the functions and the number of
// lines that the call executes, without those that only making a client executes.
//
//	go run ./tools/callpath
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	losant "github.com/losant-community/losant-rest-go"
)

const module = "github.com/losant-community/losant-rest-go/"

func main() {
	calls := flag.Int("calls", -1, "make this many calls instead of measuring (callpath runs itself so)")
	flag.Parse()
	if *calls >= 0 {
		if err := makeCalls(*calls); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := measure(); err != nil {
		log.Fatal(err)
	}
}

// stub is a transport that responds from memory.
type stub struct{}

func (stub) RoundTrip(*http.Request) (*http.Response, error) {
	const invite = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"new.member@example.com","role":"edit","inviteDate":"2026-01-01T00:00:00.000Z","ttl":604800000}`
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, Header: http.Header{}, ContentLength: int64(len(invite)), Body: io.NopCloser(strings.NewReader(invite))}, nil
}

// makeCalls makes a client and n calls.
func makeCalls(n int) error {
	client, err := losant.NewClient("a-token", losant.WithHTTPClient(&http.Client{Transport: stub{}}))
	if err != nil {
		return err
	}
	const id = "575ec8687ae143cd83dc4a95"
	for range n {
		if _, err := client.InstanceOrgInvite.Get(context.Background(), losant.InstanceOrgInviteRef{InstanceID: id, OrgID: id, InviteID: id}); err != nil {
			return err
		}
	}
	return nil
}

// covered returns the blocks of the library that this program executes with n
// calls, as "file:line.column,line.column".
func covered(n int) (map[string]bool, error) {
	scratch, err := os.MkdirTemp("", "callpath")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	run := exec.CommandContext(context.Background(), "go", "run", "-cover", "-coverpkg=.,./internal/...,./tools/callpath", "./tools/callpath", "-calls", strconv.Itoa(n))
	run.Env = append(os.Environ(), "GOCOVERDIR="+scratch)
	if out, err := run.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	profile := filepath.Join(scratch, "profile")
	if out, err := exec.CommandContext(context.Background(), "go", "tool", "covdata", "textfmt", "-i", scratch, "-o", profile).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	file, err := os.Open(profile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	blocks := map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[2] != "0" {
			if name := strings.TrimPrefix(fields[0], module); !strings.HasPrefix(name, "tools/") {
				blocks[name] = true
			}
		}
	}
	return blocks, lines.Err()
}

// measure prints what one call adds to none.
func measure() error {
	none, err := covered(0)
	if err != nil {
		return err
	}
	one, err := covered(1)
	if err != nil {
		return err
	}
	lines := map[string]map[int]bool{} // by file
	for block := range one {
		if none[block] {
			continue
		}
		name, position, _ := strings.Cut(block, ":")
		var first, last, column int
		if _, err := fmt.Sscanf(position, "%d.%d,%d.%d", &first, &column, &last, &column); err != nil {
			return err
		}
		if lines[name] == nil {
			lines[name] = map[int]bool{}
		}
		for line := first; line <= last; line++ {
			lines[name][line] = true
		}
	}
	return report(lines)
}

// report prints the functions that contain the lines, and the totals.
func report(lines map[string]map[int]bool) error {
	functions, total := map[string][]string{}, 0
	for name, numbers := range lines {
		total += len(numbers)
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return err
		}
		part := "root"
		if strings.HasPrefix(name, "internal/") {
			part = "internal"
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			for line := fset.Position(function.Pos()).Line; line <= fset.Position(function.End()).Line; line++ {
				if numbers[line] {
					functions[part] = append(functions[part], name+" "+function.Name.Name)
					break
				}
			}
		}
	}
	for _, part := range []string{"root", "internal"} {
		slices.Sort(functions[part])
		fmt.Println(part+":", len(functions[part]), "functions")
		for _, function := range functions[part] {
			fmt.Println("   ", function)
		}
	}
	fmt.Println(total, "lines")
	return nil
}
