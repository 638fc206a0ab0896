package losant_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// The edges of go-retryablehttp, each with what the library does about it. That
// it knows no method, retries a POST on 5xx and sleeps on any Retry-After is in
// TestAttempts and TestRetryAfter.

// counted is a server that counts connections.
func counted(t *testing.T, script ...answer) (*server, *atomic.Int32) {
	t.Helper()
	s, opened := &server{}, &atomic.Int32{}
	s.Server = httptest.NewUnstartedServer(s.handler(script))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, opened
}

// TestFailureKeepsConnections: go-retryablehttp closes the idle connections of
// a pool, which others may share, on every failure.
func TestFailureKeepsConnections(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]int{"exhausted": 503, "refused": 404, "cancelled": 503} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, opened := counted(t, status(code))
			transport := &closeCounter{Transport: &http.Transport{}}
			t.Cleanup(transport.Transport.CloseIdleConnections)
			client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if name == "cancelled" {
				client = newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(losant.RetryPolicy{MinWait: 1e18, MaxWait: 2e18}))
				transport.after = cancel
			}
			require.Error(t, get.call(ctx, client, ref))
			client.CloseIdleConnections()
			assert.Zero(t, transport.closed.Load(), "a pool that is the user's")
			assert.Equal(t, int32(1), opened.Load(), "every attempt over the same connection")
		})
	}
}

type closeCounter struct {
	*http.Transport
	closed atomic.Int32
	after  func()
}

func (c *closeCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.Transport.RoundTrip(r)
	if c.after != nil {
		resp.Body = &closing{ReadCloser: resp.Body, then: c.after}
	}
	return resp, err
}

func (c *closeCounter) CloseIdleConnections() { c.closed.Add(1) }

// closing does something once a body was closed.
type closing struct {
	io.ReadCloser
	then func()
}

func (c *closing) Close() error {
	err := c.ReadCloser.Close()
	c.then()
	return err
}

// TestLargeAnswersKeepTheConnection: go-retryablehttp reads no more than 4 KiB
// of an answer between attempts, and the connection is lost with the rest.
func TestLargeAnswersKeepTheConnection(t *testing.T) {
	t.Parallel()
	s, opened := counted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
	})
	requireError(t, get.call(t.Context(), newClient(t, s.URL), ref), "ErrServer")
	assert.Equal(t, int32(4), s.arrived.Load())
	assert.Equal(t, int32(1), opened.Load())
}

// TestGivingUpKeepsTheAnswer: go-retryablehttp says "giving up after N
// attempts" and throws the answer away.
func TestGivingUpKeepsTheAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503))
	e := requireError(t, get.call(t.Context(), newClient(t, s.URL), ref), "ErrServer")
	assert.Equal(t, []any{503, "Type503", "message 503", 4}, []any{e.StatusCode, e.Type, e.Message, e.Attempts})
	assert.NotContains(t, e.Error(), "giving up")
}

// TestNothingIsPrinted: go-retryablehttp logs the URL of every request, ids
// included, to stderr.
func TestNothingIsPrinted(t *testing.T) {
	t.Parallel()
	if os.Getenv("LOSANT_TEST_PRINTS") != "" {
		s := serve(t, status(503), cut, status(404))
		requireError(t, get.call(t.Context(), newClient(t, s.URL), ref), "ErrNotFound")
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingIsPrinted$")
	cmd.Env = append(os.Environ(), "LOSANT_TEST_PRINTS=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	assert.Empty(t, stderr.String())
}

// TestBodiesAreClosed: of every answer, once, and read to the end so that the
// connection can be used again.
func TestBodiesAreClosed(t *testing.T) {
	t.Parallel()
	for _, script := range [][]answer{
		{succeed}, {status(404)}, {status(503)}, {status(302, "Location", "/x")}, {breakOff}, {cut, status(500), succeed}, {body("<html>")},
		{body(strings.Repeat("x", 1<<16))}, {switchProtocols}, {status(304)},
	} {
		for _, action := range actions {
			s := serve(t, script...)
			transport := &bodyCounter{RoundTripper: &http.Transport{DisableKeepAlives: true}}
			_ = action.call(t.Context(), newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithMaxResponseBytes(1<<10)), ref)
			assert.Equal(t, transport.opened.Load(), transport.closed.Load())
		}
	}
}

type bodyCounter struct {
	http.RoundTripper
	opened, closed atomic.Int32
}

func (c *bodyCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		c.opened.Add(1)
		resp.Body = &closing{ReadCloser: resp.Body, then: func() { c.closed.Add(1) }}
	}
	return resp, err
}

// TestStaleConnections: that another connection is taken, because nothing was
// written to one that the server closed while idle, is no second request. What
// was written and got no response is one that may have been acted on.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	s := serve(t, status(404))
	client := newClient(t, s.URL)
	for range 1000 {
		var response losant.Response
		err := remove.call(t.Context(), client, ref, losant.WithResponse(&response))
		require.ErrorIs(t, err, losant.ErrNotFound)
		if len(response.Attempts) == 1 {
			require.NotErrorIs(t, err, losant.ErrOutcomeUnknown)
		}
		for _, attempt := range response.Attempts[:len(response.Attempts)-1] {
			require.NotContains(t, attempt.Err.Error(), "sent the request again")
		}
		s.CloseClientConnections()
	}
	assert.Equal(t, int32(1000), s.arrived.Load())
}

// TestHeaderIsNotChangedWhileWritten: a transport may still be writing the
// header of an attempt when the next one begins, with another token.
func TestHeaderIsNotChangedWhileWritten(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	calls := 0
	source := losant.TokenSourceFunc(func(context.Context) (string, error) {
		calls++
		return fmt.Sprint("token-number-", calls), nil
	})
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		want := fmt.Sprint("Bearer token-number-", calls)
		group.Go(func() {
			for range 1000 {
				assert.Equal(t, want, r.Header.Get("Authorization"))
			}
		})
		return says(503)(r)
	})
	requireError(t, get.call(t.Context(), newClient(t, "https://api.example.com", losant.WithTokenSource(source), losant.WithHTTPClient(&http.Client{Transport: transport})), ref), "ErrServer")
	group.Wait()
	assert.Equal(t, 4, calls)
}

// TestWaitForAConnection: the wait for a free connection does not eat into the
// time of the request, so that none is cut off for having queued.
func TestWaitForAConnection(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		wait, answer time.Duration
		sentinels    []string // nil: success
	}{
		{20 * time.Second, 20 * time.Second, nil},
		{0, 29 * time.Second, nil},
		{20 * time.Second, 31 * time.Second, []string{"ErrOutcomeUnknown"}},
		{31 * time.Second, 0, []string{"ErrOutcomeUnknown"}}, // a transport of this kind may have sent it elsewhere
	} {
		synctest.Test(t, func(t *testing.T) {
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(r.Context())
				trace.GetConn("api.example.com:443")
				for _, step := range []struct {
					takes time.Duration
					then  func()
				}{{row.wait, func() { trace.GotConn(httptrace.GotConnInfo{}) }}, {row.answer, func() {}}} {
					select {
					case <-time.After(step.takes):
						step.then()
					case <-r.Context().Done():
						return nil, r.Context().Err()
					}
				}
				return invited(r)
			})
			err := resend.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 1})), ref)
			if row.sentinels == nil {
				require.NoError(t, err)
			} else {
				requireError(t, err, row.sentinels...)
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
		})
	}
}

// TestResendOverHTTP2 sends over HTTP/2, where net/http by itself repeats a
// request after some resets if it can rewind its body.
func TestResendOverHTTP2(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		answer answer
		expected
	}{
		{"success", succeed, success(1)},
		{"stream reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, failure(1, "ErrOutcomeUnknown")},
		{"429, then success", nil, success(2)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := &server{}
			script := []answer{row.answer}
			if row.answer == nil {
				script = []answer{status(429), succeed}
			}
			var protocol atomic.Value
			next := s.handler(script)
			s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				protocol.Store(r.Proto)
				next.ServeHTTP(w, r)
			}))
			s.EnableHTTP2 = true
			s.StartTLS()
			t.Cleanup(s.Close)
			err := resend.call(t.Context(), newClient(t, s.URL, losant.WithHTTPClient(s.Client())), ref)
			row.check(t, s, err)
			assert.Equal(t, "HTTP/2.0", protocol.Load())
		})
	}
}

// TestResendCanNotBeRewound: without GetBody, net/http has nothing to send
// again; go-retryablehttp still has.
func TestResendCanNotBeRewound(t *testing.T) {
	t.Parallel()
	var bodies []string
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		assert.Nil(t, r.GetBody)
		assert.Empty(t, r.Header["Idempotency-Key"])
		assert.Empty(t, r.Header["X-Idempotency-Key"])
		data, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		bodies = append(bodies, string(data))
		if len(bodies) < 3 {
			return says(429)(r)
		}
		return invited(r)
	})
	require.NoError(t, resend.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport})), ref))
	assert.Equal(t, []string{`{"role":"view"}`, `{"role":"view"}`, `{"role":"view"}`}, bodies)
}

// TestOwnTransport: the connections of the library's own transport serve 64
// goroutines, and are closed when asked.
func TestOwnTransport(t *testing.T) {
	t.Parallel()
	const goroutines = 64
	s, opened := counted(t, succeed)
	client := newClient(t, s.URL)
	round := func() {
		var group sync.WaitGroup
		for range goroutines {
			group.Go(func() {
				for range 5 {
					assert.NoError(t, get.call(t.Context(), client, ref))
				}
			})
		}
		group.Wait()
	}
	round()
	after := opened.Load()
	round()
	round()
	assert.LessOrEqual(t, opened.Load()-after, int32(goroutines), "connections are used again")
	before := opened.Load()
	client.CloseIdleConnections()
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, before+1, opened.Load(), "they were closed")
}

// TestProxyRefusal: a proxy that refuses the tunnel has sent nothing on.
func TestProxyRefusal(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodConnect, r.Method)
		assert.Empty(t, r.Header.Get("Authorization"))
		http.Error(w, "no", http.StatusBadGateway)
	})
	proxy, err := url.Parse(s.URL)
	require.NoError(t, err)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	t.Cleanup(transport.CloseIdleConnections)
	err = resend.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: transport})), ref)
	assert.Equal(t, 4, requireError(t, err).Attempts)
}

// TestConcurrentCalls: one client, many goroutines, each gets its own answer.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		_, _ = fmt.Fprintf(w, `{"id":%q,"email":"%s@example.com"}`, asked, asked)
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

var _ error = (*losant.Error)(nil)

// TestErrorsAsPointer: errors.As works with the pointer, the only form that is
// an error.
func TestErrorsAsPointer(t *testing.T) {
	t.Parallel()
	_, err := losant.NewClient("")
	var e *losant.Error
	assert.ErrorAs(t, err, &e)
}
