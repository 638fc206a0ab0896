package losant_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
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

// handWritten is what a careful engineer writes with net/http for the same calls:
// one shared client, a timeout for the call, escaped ids, a bounded response, the
// status checked, the body closed, and types of its own. It uses no type of the library that has methods for
// JSON, since these cost time of their own.
type handWritten struct {
	client  *http.Client
	base    string
	token   string
	timeout time.Duration // by the context, which costs less than http.Client.Timeout; 0: none
}

type handInvite struct {
	ID               string              `json:"id"`
	Email            string              `json:"email"`
	Role             string              `json:"role"`
	ApplicationRoles []handGrant         `json:"applicationRoles"`
	DashboardRoles   []handGrant         `json:"dashboardRoles"`
	InviteDate       time.Time           `json:"inviteDate"`
	TTL              int64               `json:"ttl"` // milliseconds
	HasExpired       bool                `json:"hasExpired"`
	DisallowTransfer bool                `json:"disallowTransfer"`
	Links            map[string]handLink `json:"_links"`
}

type handGrant struct {
	ResourceID string `json:"resourceId"`
	Role       string `json:"role"`
}

type handLink struct {
	Href string `json:"href"`
}

type handRoles struct {
	Role             string      `json:"role,omitempty"`
	ApplicationRoles []handGrant `json:"applicationRoles,omitempty"`
	DashboardRoles   []handGrant `json:"dashboardRoles,omitempty"`
}

func (h *handWritten) do(ctx context.Context, method string, ref losant.InstanceOrgInviteRef, body any) (*handInvite, error) {
	if h.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.timeout)
		defer cancel()
	}
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(data)
	}
	target := h.base + "/instances/" + url.PathEscape(ref.InstanceID) + "/orgs/" + url.PathEscape(ref.OrgID) + "/invites/" + url.PathEscape(ref.InviteID) +
		"?_actions=false&_embedded=true&_links=true"
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Version", "^1.30.0")
	req.Header.Set("Authorization", "Bearer "+h.token)
	req.Header.Set("User-Agent", "by-hand/1.0")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("%s: %s", resp.Status, data)
	}
	invite := new(handInvite)
	if err := json.Unmarshal(data, invite); err != nil {
		return nil, err
	}
	if invite.ID == "" {
		return nil, errors.New("no id")
	}
	return invite, nil
}

const fullInviteJSON = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"new.member@example.com","role":"edit","applicationRoles":[{"resourceId":"575ec8687ae143cd83dc4a97","role":"view"}],` +
	`"dashboardRoles":[{"resourceId":"64b0f5d29c3a7e0012ab3402","role":"none"}],"inviteDate":"2026-05-13T04:00:00.000Z","ttl":4233600000,"hasExpired":true,"disallowTransfer":false,` +
	`"_type":"orgInvite","_links":{"self":{"href":"/instances/575ec8687ae143cd83dc4a95/orgs/575ec8687ae143cd83dc4a97/invites/64b0f5d29c3a7e0012ab34cd"}}}`

func serveInvite(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = io.WriteString(w, fullInviteJSON)
}

// benchmarkServer is where the server of BenchmarkCall listens. It is a process of
// its own, so that the processor time of this process is the client's alone.
type benchmarkServer struct {
	Plain, Encrypted string // URLs
	Certificate      []byte
}

const serverVariable = "LOSANT_BENCHMARK_SERVER"

// TestBenchmarkServer is the process of that server. It writes a benchmarkServer to
// its output, and ends with its input, which ends with its parent.
func TestBenchmarkServer(t *testing.T) {
	t.Parallel()
	if os.Getenv(serverVariable) == "" {
		t.Skip("BenchmarkCall runs it")
	}
	plain := httptest.NewServer(http.HandlerFunc(serveInvite))
	defer plain.Close()
	encrypted := httptest.NewUnstartedServer(http.HandlerFunc(serveInvite))
	encrypted.EnableHTTP2 = true
	encrypted.StartTLS()
	defer encrypted.Close()
	require.NoError(t, json.NewEncoder(os.Stdout).Encode(benchmarkServer{plain.URL, encrypted.URL, encrypted.Certificate().Raw}))
	_, _ = io.Copy(io.Discard, os.Stdin)
	plain.CloseClientConnections()
	encrypted.CloseClientConnections()
}

// startServer starts the server in a process that ends with the benchmark.
func startServer(b *testing.B) benchmarkServer {
	b.Helper()
	program, err := os.Executable()
	require.NoError(b, err)
	cmd := exec.CommandContext(context.Background(), program, "-test.run=^TestBenchmarkServer$")
	cmd.Env = append(os.Environ(), serverVariable+"=1")
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	require.NoError(b, err)
	output, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = input.Close()
		_, _ = io.Copy(io.Discard, output)
		assert.NoError(b, cmd.Wait())
	})
	var server benchmarkServer
	require.NoError(b, json.NewDecoder(output).Decode(&server))
	return server
}

// memory responds without a network.
func memory(req *http.Request) (*http.Response, error) {
	status := http.StatusOK
	if req.Method == http.MethodPost {
		status = http.StatusCreated
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(fullInviteJSON)), ContentLength: int64(len(fullInviteJSON)), Request: req,
	}, nil
}

// sides are the sides of BenchmarkCall: net/http by hand, with a timeout and
// without, and the library.
var sides = [3]string{"hand", "untimed", "library"}

// BenchmarkCall compares net/http by hand, with and without a timeout, and the
// library. It reports the processor time and the allocations of each side.
func BenchmarkCall(b *testing.B) {
	server := startServer(b)
	roots := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(server.Certificate)
	require.NoError(b, err)
	roots.AddCert(certificate)
	overNetwork := func() http.RoundTripper {
		transport := &http.Transport{MaxIdleConnsPerHost: 128, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		b.Cleanup(transport.CloseIdleConnections)
		return transport
	}
	for _, over := range []struct {
		name, url    string
		newTransport func() http.RoundTripper
		goroutines   []int
	}{
		{"plain", server.Plain, overNetwork, []int{1, 64}},
		{"tls-h2", server.Encrypted, overNetwork, []int{1, 64}},
		{"stub", "https://api.example.com", func() http.RoundTripper { return roundTripper(memory) }, []int{1}},
	} {
		hand := &handWritten{&http.Client{Transport: over.newTransport()}, over.url, canary, 30 * time.Second}
		bare := &handWritten{&http.Client{Transport: over.newTransport()}, over.url, canary, 0}
		client, err := losant.NewClient(canary, losant.WithBaseURL(over.url), losant.WithHTTPClient(&http.Client{Transport: over.newTransport()}))
		require.NoError(b, err)
		for _, goroutines := range over.goroutines {
			cell := over.name + "/goroutines=" + strconv.Itoa(goroutines)
			b.Run("Get/"+cell, func(b *testing.B) {
				compareSides(b, goroutines, [len(sides)]func(context.Context) error{
					func(ctx context.Context) error { return errorOf(hand.do(ctx, http.MethodGet, ref, nil)) },
					func(ctx context.Context) error { return errorOf(bare.do(ctx, http.MethodGet, ref, nil)) },
					func(ctx context.Context) error { return errorOf(client.InstanceOrgInvite.Get(ctx, ref)) },
				})
			})
			b.Run("ResendInvite/"+cell, func(b *testing.B) {
				roles := handRoles{Role: "view"}
				compareSides(b, goroutines, [len(sides)]func(context.Context) error{
					func(ctx context.Context) error { return errorOf(hand.do(ctx, http.MethodPost, ref, roles)) },
					func(ctx context.Context) error { return errorOf(bare.do(ctx, http.MethodPost, ref, roles)) },
					func(ctx context.Context) error {
						return errorOf(client.InstanceOrgInvite.ResendInvite(ctx, ref, losant.OrgRoleInfo{Role: losant.OrgRoleView}))
					},
				})
			})
		}
	}
}

func errorOf[T any](_ *T, err error) error { return err }

// compareSides makes b.N calls by each side, in short slices by turns, so that a
// slow moment of the machine meets all sides alike.
func compareSides(b *testing.B, goroutines int, calls [len(sides)]func(context.Context) error) {
	b.Helper()
	const slice = 250
	order := [...]int{0, 1, 2, 2, 1, 0}
	w := newWorkers(goroutines)
	defer close(w.shares)
	for _, call := range calls {
		w.run(b, 4*goroutines, call) // opens the connections
	}
	var cpu [len(sides)]time.Duration
	var allocations [len(sides)]uint64
	b.ResetTimer()
	for turn, left := 0, b.N; left > 0; turn++ {
		n := min(slice, left)
		for _, place := range order[turn%2*len(sides):][:len(sides)] {
			side := (place + turn/2) % len(sides) // each begins as often
			usedCPU, allocated := usage(b)
			w.run(b, n, calls[side])
			laterCPU, later := usage(b)
			cpu[side] += laterCPU - usedCPU
			allocations[side] += later - allocated
		}
		left -= n
	}
	b.ReportMetric(0, "ns/op") // of all sides together: it says nothing
	for side, name := range sides {
		b.ReportMetric(float64(cpu[side])/float64(b.N), name+"-cpu-ns/op")
		b.ReportMetric(float64(allocations[side])/float64(b.N), name+"-allocs/op")
	}
}

// workers are goroutines that make calls. They last, because the first call of a
// goroutine also pays for its stack.
type workers struct {
	number int
	shares chan func()
}

func newWorkers(number int) workers {
	w := workers{number, make(chan func())}
	for range number {
		go func() {
			for share := range w.shares {
				share()
			}
		}()
	}
	return w
}

// run makes n calls.
func (w workers) run(b *testing.B, n int, call func(context.Context) error) {
	b.Helper()
	ctx := b.Context()
	var group sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	group.Add(w.number)
	for range w.number {
		w.shares <- func() {
			defer group.Done()
			for left.Add(-1) >= 0 {
				if err := call(ctx); err != nil {
					b.Error(err)
					return
				}
			}
		}
	}
	group.Wait()
}

// usage returns the processor time and the allocations of this process so far.
func usage(b *testing.B) (time.Duration, uint64) {
	b.Helper()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	cpu, measured := processorTime()
	if !measured {
		b.Skip("this platform does not tell the processor time of a process")
	}
	return cpu, memory.Mallocs
}
