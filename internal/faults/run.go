// Command faults makes every kind of fault happen to every action of the
// library, with contexts that live and contexts that end, and prints what comes
// of it as a table:
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
	"sync/atomic"

	losant "github.com/losant-community/losant-rest-go"
)

func main() {
	log.SetOutput(io.Discard) // net/http complains there about the servers
	l, err := newLab()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	results, err := l.run(rows())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(markdown(rows(), results))
	if unexpected := unexpected(rows(), results); len(unexpected) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(unexpected, "\n"))
		os.Exit(1)
	}
}

const (
	host        = "api.losant.test"
	maxAttempts = 4
)

// ref is what the calls are about.
func ref() losant.InstanceOrgInviteRef {
	return losant.InstanceOrgInviteRef{
		InstanceID: "575ec8687ae143cd83dc4a95",
		OrgID:      "575ec8687ae143cd83dc4a97",
		InviteID:   "575ec8687ae143cd83dc4a94",
	}
}

// action is one method of the service, and its success.
type action struct {
	name   string
	status int
	body   string
	call   func(context.Context, *losant.Client, ...losant.RequestOption) error
}

const (
	get = iota
	remove
	resend
)

const inviteJSON = `{"id": "64b0f5d29c3a7e0012ab34cd", "email": "new.member@example.com", "role": "edit"}`

func actions() []action {
	return []action{
		get: {"Get", http.StatusOK, inviteJSON, func(ctx context.Context, c *losant.Client, opts ...losant.RequestOption) error {
			return whole(c.InstanceOrgInvite.Get(ctx, ref(), opts...))
		}},
		remove: {"Delete", http.StatusOK, `{"success": true}`, func(ctx context.Context, c *losant.Client, opts ...losant.RequestOption) error {
			return c.InstanceOrgInvite.Delete(ctx, ref(), opts...)
		}},
		resend: {"ResendInvite", http.StatusCreated, inviteJSON, func(ctx context.Context, c *losant.Client, opts ...losant.RequestOption) error {
			return whole(c.InstanceOrgInvite.ResendInvite(ctx, ref(), losant.OrgRoleInfo{Role: losant.OrgRoleView}, opts...))
		}},
	}
}

var errHalf = errors.New("neither an invite nor an error, or both")

func whole(invite *losant.OrgInvite, err error) error {
	if (invite == nil) == (err == nil) || invite != nil && invite.ID == "" {
		return errHalf
	}
	return err
}

// mode is what happens to the context of a call.
type mode int

const (
	alive mode = iota
	cancelledBefore
	cancelledDuring  // the attempt
	cancelledWaiting // for the next one
	modes
)

// results are the cells of a row.
type results [3][modes]result

// run runs the cells of all rows. Those that mostly sleep run before the others,
// which keep the machine busy, so that time does not decide what comes of them.
func (l *lab) run(rows []row) ([]results, error) {
	all := make([]results, len(rows))
	var failures atomic.Pointer[error]
	for _, sleeping := range []bool{true, false} {
		lanes := make(chan struct{}, 2*runtime.NumCPU())
		if sleeping {
			lanes = make(chan struct{}, 16)
		}
		var group sync.WaitGroup
		for n, row := range rows {
			f := fault{dials: []dial{connect}, connections: []greeting{plain}, requests: []step{succeed}}
			row.setUp(&f)
			if (f.timed || f.maxWait > 0) != sleeping {
				continue
			}
			for a, action := range actions() {
				for m := range modes {
					lanes <- struct{}{}
					group.Go(func() {
						defer func() { <-lanes }()
						c := &cell{
							lab: l, fault: f, action: action, mode: m,
							returned: make(chan struct{}), header: make(chan struct{}, 1), dropped: make(chan struct{}, 1),
						}
						r, err := c.run()
						if err != nil {
							err = fmt.Errorf("%s, %s: %w", row.name, action.name, err)
							failures.CompareAndSwap(nil, &err)
						}
						all[n][a][m] = r
					})
				}
			}
		}
		group.Wait()
	}
	if err := failures.Load(); err != nil {
		return nil, *err
	}
	return all, nil
}

// unexpected lists the cells that are not as their row expects.
func unexpected(rows []row, all []results) []string {
	var list []string
	for n, row := range rows {
		for a, expected := range [...]string{get: row.get, remove: row.remove, resend: row.resend} {
			if got := all[n][a][alive].String(); got != expected {
				list = append(list, fmt.Sprintf("%s, %s: expected %q, got %q", row.name, actions()[a].name, expected, got))
			}
		}
	}
	return list
}
