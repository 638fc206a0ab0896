package losant_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestAllocationsOfACall uses no network. A change that needs more allocations, or
// fewer, changes the numbers here. The limits are 39 for a GET and 49 for a POST.
func TestAllocationsOfACall(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts those of the process
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	client, _ := fromMemory(t, 200, []byte(fullInviteJSON))
	for name, test := range map[string]struct {
		call func() error
		want float64
	}{
		"GET": {func() error { return errorOf(client.InstanceOrgInvite.Get(context.Background(), ref)) }, 39},
		"POST": {func() error {
			return errorOf(client.InstanceOrgInvite.ResendInvite(context.Background(), ref, losant.OrgRoleInfo{Role: losant.OrgRoleView}))
		}, 48},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // likewise
			want := test.want
			if strings.HasPrefix(runtime.Version(), "go1.25") {
				want-- // its net/http makes one allocation less
			}
			allocations := testing.AllocsPerRun(1000, func() {
				if err := test.call(); err != nil {
					t.Error(err)
				}
			})
			assert.Equal(t, want, allocations) //nolint:testifylint // the count is an integer
		})
	}
}

// calls makes n calls in each of 64 goroutines, and returns how many failed.
func calls(t *testing.T, client *losant.Client, n int) int64 {
	t.Helper()
	const goroutines = 64
	var failed, serial atomic.Int64
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for range n {
				r := ref
				r.InviteID = fmt.Sprintf("%024d", serial.Add(1))
				if get.call(t.Context(), client, r) != nil {
					failed.Add(1)
				}
			}
		})
	}
	group.Wait()
	return failed.Load()
}

// TestLoad proves what 64 goroutines that share a client cost the server: no more
// connections than goroutines, one more for each that was cut, and one more request
// for each that failed.
func TestLoad(t *testing.T) {
	t.Parallel()
	const goroutines = 64
	each := 500
	switch {
	case testing.Short():
		each = 10
	case raceEnabled:
		each = 125
	}
	for _, faulty := range []bool{false, true} {
		t.Run(fmt.Sprint("faulty=", faulty), func(t *testing.T) {
			t.Parallel()
			var arrived atomic.Int64
			var seen sync.Map
			s, opened := counted(t, func(w http.ResponseWriter, r *http.Request) {
				arrived.Add(1)
				_, repeated := seen.LoadOrStore(r.URL.Path, true)
				serial, _ := strconv.Atoi(r.URL.Path[len(r.URL.Path)-12:])
				switch {
				case faulty && !repeated && serial%20 == 0:
					cut(w, r)
				case faulty && !repeated && serial%20 == 10:
					status(503)(w, r)
				default:
					succeed(w, r)
				}
			})
			assert.Zero(t, calls(t, newClient(t, s.URL), each))
			total, lost, unavailable := goroutines*each, 0, 0
			if faulty {
				lost, unavailable = total/20, (total+10)/20
			}
			assert.Equal(t, total+lost+unavailable, int(arrived.Load()))
			// On a loaded machine net/http gives up a connection whose write it does
			// not see end within 50 ms, and opens another.
			const slow = 8
			assert.LessOrEqual(t, int(opened.Load()), goroutines+lost+slow)
		})
	}
}

func TestLoadInAnOutageIsNotMultiplied(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503))
	const each = 20
	failed := calls(t, newClient(t, s.URL), each)
	assert.Equal(t, int64(64*each), failed)
	assert.Equal(t, int32(64*each+500/5), s.arrived.Load())
}

// TestEveryFileDescriptorIsClosed makes calls that fail in many ways.
func TestEveryFileDescriptorIsClosed(t *testing.T) { //nolint:paralleltest // it counts what the process has open
	if runtime.GOOS != "linux" {
		t.Skip("it counts in /proc")
	}
	number := 30_000
	if testing.Short() || raceEnabled {
		number = 1_000
	}
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(entries)
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path[len(r.URL.Path)-2:] {
		case "00":
			cut(w, r)
		case "01":
			breakOff(w, r)
		case "02":
			status(503)(w, r)
		case "03":
			status(302, "Location", "/x")(w, r)
		case "04":
			body("<html>")(w, r)
		case "05":
			body(strings.Repeat("x", 1<<14))(w, r)
		default:
			succeed(w, r)
		}
	})
	client := newClient(t, s.URL, losant.WithMaxResponseBytes(1<<13), losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 2, MinWait: 1, MaxWait: 1}))
	run := func(n int) {
		var group sync.WaitGroup
		var left atomic.Int64
		left.Store(int64(n))
		for range 16 {
			group.Go(func() {
				for n := left.Add(-1); n >= 0; n = left.Add(-1) {
					r := ref
					r.InviteID = fmt.Sprintf("%024x", n%64)
					_ = actions[n%3].call(t.Context(), client, r)
				}
			})
		}
		group.Wait()
	}
	run(500)
	before := open()
	run(number)
	client.CloseIdleConnections()
	s.CloseClientConnections()
	assert.Eventually(t, func() bool { return open() <= before }, 30*time.Second, time.Millisecond, "from %d to %d", before, open())
}

func TestConcurrentCallsGetTheirOwnResponses(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		_, _ = fmt.Fprintf(w, `{"id":%q,"email":"%s@example.com"}`, id, id)
	}))
	t.Cleanup(s.Close)
	client := newClient(t, s.URL)
	var group sync.WaitGroup
	for n := range 32 {
		group.Go(func() {
			for m := range 20 {
				r := ref
				r.InviteID = fmt.Sprintf("%024x", n*1000+m)
				var response losant.Response
				invite, err := client.InstanceOrgInvite.Get(t.Context(), r, losant.WithResponse(&response))
				if assert.NoError(t, err) {
					assert.Equal(t, r.InviteID, invite.ID)
					assert.Equal(t, r.InviteID+"@example.com", invite.Email)
					assert.Contains(t, string(response.Body), r.InviteID)
				}
			}
		})
	}
	group.Wait()
}
