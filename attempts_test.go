package losant_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// The table of attempts is in internal/retry/outcome.go, and the fault table
// (internal/faults) proves every row of it. The tests of this file prove what that
// table does not show: records, causes, limits, and transports that break their
// contract.

// expected is the result of a call: the number of requests that arrive at the
// server, and the sentinels of the error. Without sentinels the call succeeds.
type expected struct {
	arrived   int32
	sentinels []string
}

func success(arrived int32) expected { return expected{arrived: arrived} }

func failure(arrived int32, sentinels ...string) expected {
	return expected{arrived, append([]string{}, sentinels...)}
}

func (e expected) check(t *testing.T, s *server, err error) {
	t.Helper()
	if e.sentinels == nil {
		require.NoError(t, err)
	} else {
		requireError(t, err, e.sentinels...)
	}
	assert.Equal(t, e.arrived, s.arrived.Load(), "requests arrived")
}

// dialer fails as many dials as it has errors.
type dialer struct {
	errors []error
	dials  atomic.Int32
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	n := int(d.dials.Add(1))
	if n <= len(d.errors) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: d.errors[n-1]}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// TestEveryFailedDialIsRecorded also proves that the cause is reachable with
// errors.Is.
func TestEveryFailedDialIsRecorded(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	notFound := &net.DNSError{Err: "no such host", Name: "api", IsNotFound: true}
	for _, row := range []struct {
		name   string
		errors []error
		dials  int
		expected
	}{
		{"retried", []error{refused, refused}, 3, success(1)},
		{"exhausted", []error{refused, refused, refused, refused}, 4, failure(0)},
		{"permanent", []error{notFound}, 1, failure(0)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, succeed)
			d := &dialer{errors: row.errors}
			transport := &http.Transport{DialContext: d.DialContext}
			t.Cleanup(transport.CloseIdleConnections)
			var response losant.Response
			err := resend.call(t.Context(), newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport})), ref, losant.WithResponse(&response))
			row.check(t, s, err)
			require.Len(t, response.Attempts, row.dials)
			for n, cause := range row.errors {
				assert.ErrorIs(t, response.Attempts[n].Err, cause)
				assert.Zero(t, response.Attempts[n].StatusCode)
			}
			if err != nil {
				assert.ErrorIs(t, err, row.errors[len(row.errors)-1])
				assert.Equal(t, row.dials, requireError(t, err).Attempts)
			}
		})
	}
}

// TestCertificateErrorIsReachable proves that errors.As finds the cause.
func TestCertificateErrorIsReachable(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(succeed))
	s.Config.ErrorLog = silentLog
	s.StartTLS()
	t.Cleanup(s.Close)
	err := get.call(t.Context(), newClient(t, s.URL), ref)
	var certificate *tls.CertificateVerificationError
	require.ErrorAs(t, requireError(t, err), &certificate)
}

// nothing is a transport that returns neither a response nor an error.
type nothing struct{}

func (nothing) RoundTrip(*http.Request) (*http.Response, error) { return nil, nil }

func TestTransportThatReturnsNothingLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	err := resend.call(t.Context(), newClient(t, "https://api.example.com", losant.WithHTTPClient(&http.Client{Transport: nothing{}})), ref)
	requireError(t, err, "ErrOutcomeUnknown")
}

func TestMaxAttemptsLimitsTheRequests(t *testing.T) {
	t.Parallel()
	for _, maxAttempts := range []int{1, 2, 7} {
		for _, action := range actions {
			t.Run(strconv.Itoa(maxAttempts)+"/"+action.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, status(429))
				policy := quick
				policy.MaxAttempts = maxAttempts
				e := requireError(t, action.call(t.Context(), newClient(t, s.URL, losant.WithRetryPolicy(policy)), ref), "ErrRateLimited")
				assert.Equal(t, maxAttempts, e.Attempts)
				assert.Equal(t, int32(maxAttempts), s.arrived.Load())
			})
		}
	}
}

// TestContextOfAnAttemptEndsWithIt proves that nothing that hangs on the context of
// an attempt outlives the attempt.
func TestContextOfAnAttemptEndsWithIt(t *testing.T) {
	t.Parallel()
	var attempts []context.Context
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		for _, earlier := range attempts {
			assert.ErrorIs(t, earlier.Err(), context.Canceled)
		}
		attempts = append(attempts, r.Context())
		return says(503)(r)
	}))
	requireError(t, get.call(t.Context(), client, ref), "ErrServer")
	require.Len(t, attempts, 4)
	assert.ErrorIs(t, attempts[3].Err(), context.Canceled)
}

// TestErrorHoldsTheLastResponse is necessary because go-retryablehttp says "giving
// up after N attempts" and discards the response.
func TestErrorHoldsTheLastResponse(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503))
	e := requireError(t, get.call(t.Context(), newClient(t, s.URL), ref), "ErrServer")
	assert.Equal(t, []any{503, "Type503", "message 503", 4}, []any{e.StatusCode, e.Type, e.Message, e.Attempts})
	assert.NotContains(t, e.Error(), "giving up")
}

// TestNothingIsWrittenToStderr is necessary because go-retryablehttp logs the URL
// of every request, ids included.
func TestNothingIsWrittenToStderr(t *testing.T) {
	t.Parallel()
	if os.Getenv("LOSANT_TEST_PRINTS") != "" {
		s := serve(t, status(503), cut, status(404))
		requireError(t, get.call(t.Context(), newClient(t, s.URL), ref), "ErrNotFound")
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingIsWrittenToStderr$")
	cmd.Env = append(os.Environ(), "LOSANT_TEST_PRINTS=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	assert.Empty(t, stderr.String())
}

// TestPostIsRetriedWithoutGetBody proves that net/http cannot repeat a POST by
// itself, and that go-retryablehttp still can.
func TestPostIsRetriedWithoutGetBody(t *testing.T) {
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

// TestEachAttemptHasItsOwnHeader is necessary because a transport may still be
// writing the header of an attempt when the next one begins, with another token.
func TestEachAttemptHasItsOwnHeader(t *testing.T) {
	t.Parallel()
	tokens := 0
	source := losant.TokenSourceFunc(func(context.Context) (string, error) {
		tokens++
		return fmt.Sprint("token-number-", tokens), nil
	})
	var headers []http.Header
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		headers = append(headers, r.Header)
		return says(503)(r)
	}), losant.WithTokenSource(source))
	requireError(t, get.call(t.Context(), client, ref), "ErrServer")
	require.Len(t, headers, 4)
	for n, header := range headers {
		assert.Equal(t, fmt.Sprint("Bearer token-number-", n+1), header.Get("Authorization"))
	}
}

func switchProtocols(w http.ResponseWriter, _ *http.Request) {
	conn := hijack(w)
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
	_, _ = conn.Read(make([]byte, 1)) // until the client goes
}
