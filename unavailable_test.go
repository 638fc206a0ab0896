package losant_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestErrNotFoundNeedsTheAPIsBody: a 404 or 410 of a proxy does not say that a
// resource is absent.
func TestErrNotFoundNeedsTheAPIsBody(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{404: "ErrNotFound", 410: "ErrGone"} {
		for body, shaped := range map[string]bool{
			`{"type":"NotFound","message":"x"}`: true, " \r\n{}": true, "": false, "default backend - 404": false, "<html>": false, `"x"`: false, "[]": false, "null": false,
			`{"type":"NotFound"`: false, `{"type":"NotFound"}x`: false, `{type}`: false,
		} {
			for _, action := range actions {
				sentinel := "ErrInvalidResponse"
				if shaped {
					sentinel = want
				}
				e := requireError(t, errorFrom(t, action, code, body), sentinel)
				assert.Equal(t, code, e.StatusCode)
			}
		}
	}
}

// TestErrUnavailable: no response, 408, 429 and 5xx match it, and nothing else does.
// ErrServer is all of 5xx.
func TestErrUnavailable(t *testing.T) {
	t.Parallel()
	for code := 300; code <= 600; code++ {
		want := code == 408 || code == 429 || code >= 500 && code <= 599
		assert.Equal(t, want, errors.Is(&losant.Error{StatusCode: code}, losant.ErrUnavailable), code)
		assert.Equal(t, code >= 500 && code <= 599, errors.Is(&losant.Error{StatusCode: code}, losant.ErrServer), code)
		assert.Equal(t, want, errors.Is(errorFrom(t, resend, code, "{}"), losant.ErrUnavailable), code)
	}
	require.NotErrorIs(t, &losant.Error{}, losant.ErrUnavailable)
	require.ErrorIs(t, &losant.Error{Err: losant.ErrUnavailable}, losant.ErrUnavailable)
	require.NotErrorIs(t, errorFrom(t, get, 200, "<html>"), losant.ErrUnavailable)

	dial := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
	}
	for name, row := range map[string]struct {
		err  error
		want bool
	}{
		"refused":              {errors.New("connection refused"), true},
		"DNS failure":          {&net.DNSError{Err: "server misbehaving", IsTemporary: true}, true},
		"no such host":         {&net.DNSError{Err: "no such host", IsNotFound: true}, true},
		"a bad certificate":    {&tls.CertificateVerificationError{Err: errors.New("signed by an unknown authority")}, false},
		"no TLS at the server": {tls.RecordHeaderError{Msg: "not TLS"}, false},
	} {
		transport := &http.Transport{DialContext: dial(row.err)}
		for _, action := range actions {
			err := action.call(t.Context(), through(t, transport), ref)
			requireError(t, err)
			assert.Equal(t, row.want, errors.Is(err, losant.ErrUnavailable), "%s: %v", name, err)
		}
	}
}

// TestErrUnavailableAfterATimeout: an attempt that reaches AttemptTimeout matches it; a
// call whose context ends does not.
func TestErrUnavailableAfterATimeout(t *testing.T) {
	t.Parallel()
	s := serve(t, silence)
	policy := quick
	policy.MaxAttempts, policy.AttemptTimeout = 1, 20*time.Millisecond
	err := resend.call(t.Context(), through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done() // the transport does not report whether it sent the request
		return nil, r.Context().Err()
	}), losant.WithRetryPolicy(policy)), ref)
	require.ErrorIs(t, err, losant.ErrUnavailable)
	require.ErrorIs(t, err, losant.ErrOutcomeUnknown)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err = get.call(ctx, newClient(t, s.URL), ref)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, losant.ErrUnavailable)

	over, stop := context.WithCancel(t.Context())
	stop()
	require.NotErrorIs(t, get.call(over, newClient(t, s.URL), ref), losant.ErrUnavailable)

	// The context ends while the call waits for its next attempt.
	waiting, end := context.WithCancel(t.Context())
	dials := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		time.AfterFunc(time.Millisecond, end)
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}}
	patient := losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Minute, MaxWait: time.Hour})
	err = get.call(waiting, newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: dials}), patient), ref)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, losant.ErrUnavailable)

	// The context ends after the last attempt, so it is not why the call failed.
	late, cancel := context.WithCancel(t.Context())
	logger := slog.New(onRecord{slog.DiscardHandler, "losant: attempt", cancel})
	policy = losant.RetryPolicy{MaxAttempts: 1}
	err = get.call(late, through(t, dials, losant.WithRetryPolicy(policy), losant.WithLogger(logger)), ref)
	require.ErrorIs(t, late.Err(), context.Canceled)
	require.NotErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, losant.ErrUnavailable)
}

// TestTruncatedResponseIsNotErrUnavailable, because a response was received.
func TestTruncatedResponseIsNotErrUnavailable(t *testing.T) {
	t.Parallel()
	err := remove.call(t.Context(), newClient(t, serve(t, breakOff).URL), ref)
	requireError(t, err, "ErrInvalidResponse", "ErrOutcomeUnknown")
	require.NotErrorIs(t, err, losant.ErrUnavailable)
	assert.ErrorContains(t, err, "200 OK, but the response is incomplete: unexpected EOF (DELETE ")
}
