// Command callpath measures how much code a call runs through: it makes one GET
// through a transport that responds from memory, and prints the functions and the
// lines of the library that the call adds to those of making a client.
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
	call := flag.Int("calls", -1, "make so many calls, and measure nothing")
	flag.Parse()
	if *call >= 0 {
		if err := makeCalls(*call); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := measure(); err != nil {
		log.Fatal(err)
	}
}

type stub struct{}

func (stub) RoundTrip(*http.Request) (*http.Response, error) {
	const invite = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"new.member@example.com","role":"edit","inviteDate":"2026-01-01T00:00:00.000Z","ttl":604800000}`
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, Header: http.Header{}, ContentLength: int64(len(invite)), Body: io.NopCloser(strings.NewReader(invite))}, nil
}

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

// covered returns the blocks that the program runs through with n calls, as
// "file:line.column,line.column".
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
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[2] != "0" {
			if name := strings.TrimPrefix(fields[0], module); !strings.HasPrefix(name, "tools/") {
				blocks[name] = true
			}
		}
	}
	return blocks, nil
}

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

// report prints the functions in which there are lines, and the sums.
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
