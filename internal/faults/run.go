// Command faults makes each fault happen to each method of InstanceOrgInvite, with
// contexts that end and contexts that do not, and prints the results as a table:
//
//	go run ./internal/faults > docs/faults.md
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"

	losant "github.com/losant-community/losant-rest-go"
)

func main() {
	log.SetOutput(io.Discard) // where net/http reports the broken connections
	shared, err := newFixtures()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	found, err := runRows(shared, rows())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(markdown(rows()))
	if wrong := append(unexpected(rows(), found), contradictions(rows(), found)...); len(wrong) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(wrong, "\n"))
		os.Exit(1)
	}
}

const (
	host        = "api.losant.test"
	maxAttempts = 4
)

// ref returns the invite of the calls.
func ref() losant.InstanceOrgInviteRef {
	return losant.InstanceOrgInviteRef{
		InstanceID: "575ec8687ae143cd83dc4a95",
		OrgID:      "575ec8687ae143cd83dc4a97",
		InviteID:   "575ec8687ae143cd83dc4a94",
	}
}

// action is one method of the service and its successful response.
type action struct {
	name   string
	status int
	body   string
	method func(context.Context, *losant.Client, losant.InstanceOrgInviteRef, ...losant.RequestOption) error
}

// call makes a call with the one invite.
func (a action) call(ctx context.Context, client *losant.Client, opts ...losant.RequestOption) error {
	return a.method(ctx, client, ref(), opts...)
}

const (
	get = iota
	remove
	resend
)

const inviteJSON = `{"id": "64b0f5d29c3a7e0012ab34cd", "email": "new.member@example.com", "role": "edit"}`

func actions() []action {
	type invite = losant.InstanceOrgInviteRef
	return []action{
		get: {"Get", http.StatusOK, inviteJSON, func(ctx context.Context, c *losant.Client, i invite, opts ...losant.RequestOption) error {
			return checkInvite(c.InstanceOrgInvite.Get(ctx, i, opts...))
		}},
		remove: {"Delete", http.StatusOK, `{"success": true}`, func(ctx context.Context, c *losant.Client, i invite, opts ...losant.RequestOption) error {
			return c.InstanceOrgInvite.Delete(ctx, i, opts...)
		}},
		resend: {"ResendInvite", http.StatusCreated, inviteJSON, func(ctx context.Context, c *losant.Client, i invite, opts ...losant.RequestOption) error {
			return checkInvite(c.InstanceOrgInvite.ResendInvite(ctx, i, losant.OrgRoleInfo{Role: losant.OrgRoleView}, opts...))
		}},
	}
}

var errNeitherOrBoth = errors.New("neither an invite nor an error, or both")

// checkInvite returns err, or errNeitherOrBoth unless exactly one of the two is set.
func checkInvite(invite *losant.OrgInvite, err error) error {
	if (invite == nil) == (err == nil) || invite != nil && invite.ID == "" {
		return errNeitherOrBoth
	}
	return err
}

// results are the cells of a row.
type results [3][modes]result

// job is a cell to run, its expectation, and the place of its result.
type job struct {
	row string
	*cell
	expected string
	result   *result
}

// runRows runs the cells of all rows. Those that mostly sleep run before the
// others, which keep the machine busy and could delay them beyond their timeouts.
// If a cell is still delayed, it runs once more, with a longer timeout.
func runRows(shared *fixtures, rows []row) ([]results, error) {
	found := make([]results, len(rows))
	var sleeping, busy []job
	for n, row := range rows {
		f := row.fault()
		for a, action := range actions() {
			for m, expected := range row.expect(a) {
				j := job{row.name, newCell(shared, f, action, mode(m)), expected, &found[n][a][m]}
				if f.timed || f.maxWait > 0 || f.pings {
					sleeping = append(sleeping, j)
				} else {
					busy = append(busy, j)
				}
			}
		}
	}
	err := runAll(sleeping, 128)
	var delayed []job
	for _, j := range sleeping {
		if (j.fault.timed || j.fault.pings) && j.result.String() != j.expected {
			j.cell = newCell(shared, j.fault, j.action, j.mode)
			j.timeout = longTimeout
			delayed = append(delayed, j)
		}
	}
	return found, errors.Join(err, runAll(delayed, 32), runAll(busy, 2*runtime.NumCPU()))
}

func runAll(jobs []job, limit int) error {
	var (
		queue = make(chan struct{}, limit)
		group sync.WaitGroup
		errs  = make([]error, len(jobs))
	)
	for n, j := range jobs {
		queue <- struct{}{}
		group.Go(func() {
			defer func() { <-queue }()
			r, err := j.run()
			if err != nil {
				errs[n] = fmt.Errorf("%s, %s, %v: %w", j.row, j.action.name, j.mode, err)
			}
			*j.result = r
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
