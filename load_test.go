package losant_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestAllocations counts the allocations of a Get without a network. A change
// that needs more of them, or fewer, changes the number here.
func TestAllocations(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts the whole process
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	client, _ := fromMemory(t, 200, []byte(fullInviteJSON))
	want := 39.0
	if strings.HasPrefix(runtime.Version(), "go1.25") {
		want = 38 // its net/http allocates one less
	}
	allocations := testing.AllocsPerRun(1000, func() {
		if _, err := client.InstanceOrgInvite.Get(context.Background(), ref); err != nil {
			t.Error(err)
		}
	})
	assert.Equal(t, want, allocations) //nolint:testifylint // a whole number
}

// calls runs n calls in each of 64 goroutines, and returns how many failed.
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

// TestLoad: 64 goroutines share one client. It opens no more connections than
// there are goroutines, and one more for each that a fault cut.
func TestLoad(t *testing.T) {
	t.Parallel()
	const goroutines = 64
	each := 2000
	switch {
	case testing.Short():
		each = 50
	case raceEnabled:
		each = 500 // it is about ten times slower
	}
	for _, faulty := range []bool{false, true} {
		t.Run(fmt.Sprint("faulty=", faulty), func(t *testing.T) {
			t.Parallel()
			var arrived, lost atomic.Int64
			var seen sync.Map
			s, opened := counted(t, func(w http.ResponseWriter, r *http.Request) {
				arrived.Add(1)
				_, again := seen.LoadOrStore(r.URL.Path, true)
				serial, _ := strconv.Atoi(r.URL.Path[len(r.URL.Path)-12:])
				switch {
				case faulty && !again && serial%20 == 0:
					lost.Add(1)
					cut(w, r)
				case faulty && !again && serial%20 == 10:
					status(503)(w, r)
				default:
					succeed(w, r)
				}
			})
			client := newClient(t, s.URL)
			failed := calls(t, client, each)
			assert.Zero(t, failed)
			total := int64(goroutines * each)
			t.Logf("%d calls: %d requests, %d connections, %d cut", total, arrived.Load(), opened.Load(), lost.Load())
			// On a loaded machine net/http gives up a connection whose write it does
			// not see end within 50 ms, and opens another.
			const slow = 8
			assert.LessOrEqual(t, int64(opened.Load()), goroutines+lost.Load()+slow)
			assert.GreaterOrEqual(t, arrived.Load(), total)
			assert.LessOrEqual(t, float64(arrived.Load()), 1.2*float64(total))
		})
	}
}

// TestLoadInAnOutage: with the API down altogether the traffic stays what it was.
func TestLoadInAnOutage(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503))
	const each = 100
	failed := calls(t, newClient(t, s.URL), each)
	assert.Equal(t, int64(64*each), failed)
	assert.Equal(t, int32(64*each+500/5), s.arrived.Load())
}

// TestFileDescriptors: what is opened is closed, over 100,000 calls of which
// many fail in every way.
func TestFileDescriptors(t *testing.T) { //nolint:paralleltest // it counts what the whole process has open
	if runtime.GOOS != "linux" {
		t.Skip("counts in /proc")
	}
	number := 100_000
	if testing.Short() || raceEnabled {
		number = 5_000
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
	assert.Eventually(t, func() bool { return open() <= before }, 5*time.Second, time.Millisecond, "from %d to %d", before, open())
}

// TestDialsAreBounded: a client that can't connect tries as often as it says.
func TestDialsAreBounded(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, &net.OpError{Op: "dial", Err: httpmock.NoResponderFound}
	}}
	client := newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}))
	assert.Equal(t, int64(64*10), calls(t, client, 10))
	assert.Equal(t, int32(64*10+500/5), dials.Load()) // one for each call, and what the retry budget allows
}
