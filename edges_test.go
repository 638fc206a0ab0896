package losant_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// The edges of promises that are tested elsewhere: the first value beyond a
// bound, the last one within, the default.

// through is a client over a transport of the test's own.
func through(t *testing.T, transport http.RoundTripper, opts ...losant.Option) *losant.Client {
	t.Helper()
	return newClient(t, "https://api.example.com", append([]losant.Option{losant.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
}

// TestLargestAnswer: an answer as large as the bound is read, one that is a byte
// larger is none, although its length is not announced and the rest is a space.
func TestLargestAnswer(t *testing.T) {
	t.Parallel()
	for most, opts := range map[int][]losant.Option{
		8 << 20:             nil,
		len(inviteJSON):     {losant.WithMaxResponseBytes(int64(len(inviteJSON)))},
		len(inviteJSON) * 2: {losant.WithMaxResponseBytes(int64(len(inviteJSON) * 2))},
	} {
		whole := inviteJSON + strings.Repeat(" ", most-len(inviteJSON))
		client := through(t, scriptedTransport(
			func(*http.Request) (*http.Response, error) { return reply(200, whole), nil },
			func(*http.Request) (*http.Response, error) { return reply(200, whole+" "), nil },
		), opts...)
		require.NoError(t, get.call(t.Context(), client, ref))
		e := requireError(t, get.call(t.Context(), client, ref), "ErrInvalidResponse")
		assert.Contains(t, e.Message, "more than "+strconv.Itoa(most)+" bytes")
		assert.Equal(t, 1, e.Attempts)
	}
}

// TestExtremeBoundsOfAnswers: one byte, and as much as there is.
func TestExtremeBoundsOfAnswers(t *testing.T) {
	t.Parallel()
	transport := roundTripper(func(*http.Request) (*http.Response, error) { return reply(200, inviteJSON), nil })
	require.NoError(t, get.call(t.Context(), through(t, transport, losant.WithMaxResponseBytes(math.MaxInt64)), ref))
	requireError(t, get.call(t.Context(), through(t, transport, losant.WithMaxResponseBytes(1)), ref), "ErrInvalidResponse")
}

// TestBrokenDocumentInAWholeAnswer: what the API itself left unfinished is not
// asked for again. Only where nothing but the end of the connection ends the
// answer could the rest be lost; see TestBodyThatEndsWithItsConnection.
func TestBrokenDocumentInAWholeAnswer(t *testing.T) {
	t.Parallel()
	broken := inviteJSON[:20]
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, _ = io.WriteString(zip, broken)
	_ = zip.Close()
	for name, rest := range map[string]string{
		"length":  fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(broken), broken),
		"chunks":  fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(broken), broken),
		"gzip":    "Content-Encoding: gzip\r\n\r\n" + compressed.String(),
		"nothing": "Content-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				conn := hijack(w)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n"+rest)
				_ = conn.Close()
			}, succeed)
			failure(1, "ErrInvalidResponse").check(t, s, get.call(t.Context(), newClient(t, s.URL), ref))
		})
	}
}

// TestAttemptIsOver: the context of an attempt does not outlive it, so that
// nothing of it does.
func TestAttemptIsOver(t *testing.T) {
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

// TestContextThatEndsAfterTheAnswer: an answer that is whole, and final, is not
// called cancelled for what comes after it.
func TestContextThatEndsAfterTheAnswer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := says(404)(r)
		resp.Body = &closing{ReadCloser: resp.Body, then: cancel}
		return resp, err
	}))
	e := requireError(t, get.call(ctx, client, ref), "ErrNotFound")
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.NotErrorIs(t, e, context.Canceled)
	assert.Equal(t, "the API's words", e.Message)
}

// TestRetryAfterIsOfTheLastAnswer: of no earlier one, and of none that makes no
// sense.
func TestRetryAfterIsOfTheLastAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := scripted(t, losant.RetryPolicy{MaxAttempts: 2}, says(503, "Retry-After", "7"), httpmock.NewErrorResponder(io.ErrUnexpectedEOF))
		e := requireError(t, get.call(t.Context(), client, ref))
		assert.Equal(t, 2, e.Attempts)
		assert.Zero(t, e.RetryAfter)
	})
	client, _ := scripted(t, quick, says(403, "Retry-After", "soon"))
	assert.Zero(t, requireError(t, get.call(t.Context(), client, ref), "ErrForbidden").RetryAfter)
}

// TestDefaultWaits: MinWait is 500 ms, MaxWait 30 s.
func TestDefaultWaits(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{"0": 500 * time.Millisecond, "30": 30 * time.Second, "31": 0} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := scripted(t, losant.RetryPolicy{}, says(503, "Retry-After", value), invited)
			var response losant.Response
			_ = get.call(t.Context(), client, ref, losant.WithResponse(&response))
			if want == 0 {
				assert.Len(t, response.Attempts, 1)
				return
			}
			assert.GreaterOrEqual(t, response.Attempts[1].Wait, want)
			assert.LessOrEqual(t, response.Attempts[1].Wait, want+500*time.Millisecond)
		})
	}
}

// TestPricesOfTheBudget: it begins with 500, an attempt after the first costs 5,
// and a call that is answered at once pays 1 back.
func TestPricesOfTheBudget(t *testing.T) {
	t.Parallel()
	for name, once := range map[string]httpmock.Responder{"success": invited, "refusal": says(404), "refused token": says(401)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				attempts, next := 0, says(503)
				client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					attempts++
					return next(r)
				}), losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 2}))
				call := func(answer httpmock.Responder) int {
					attempts, next = 0, answer
					_ = get.call(t.Context(), client, ref)
					return attempts
				}
				for range 500 / 5 {
					require.Equal(t, 2, call(says(503)))
				}
				for range 4 {
					require.Equal(t, 1, call(once))
				}
				require.Equal(t, 1, call(says(503)), "4 are not enough")
				require.Equal(t, 1, call(once))
				require.Equal(t, 2, call(says(503)), "5 are")
				require.Equal(t, 1, call(says(503)), "and then they are spent")
			})
		})
	}
}

// TestSourceIsAskedOnceMore: after a 401, and no third time if it fails.
func TestSourceIsAskedOnceMore(t *testing.T) {
	t.Parallel()
	s := serve(t, accept("fresh-token"))
	broken, calls := errors.New("vault is sealed"), 0
	source := losant.TokenSourceFunc(func(context.Context) (string, error) {
		calls++
		if calls == 2 {
			return "", broken
		}
		return []string{"stale-token", "", "fresh-token"}[calls-1], nil
	})
	err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
	failure(1, "ErrUnauthorized").check(t, s, err)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, 2, calls)
}

// TestLogOfRetriesOnly: a 401 that no attempt follows is none of the retries; one
// that is followed is, without a wait.
func TestLogOfRetriesOnly(t *testing.T) {
	t.Parallel()
	for _, tokens := range [][]string{{"stale-token"}, {"stale-token", "fresh-token"}} {
		var out bytes.Buffer
		s := serve(t, accept("fresh-token"))
		_ = get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(&rotating{tokens: tokens}), losant.WithLogger(slog.New(slog.NewTextHandler(&out, nil)))), ref)
		assert.Equal(t, len(tokens)-1, strings.Count(out.String(), "losant: retry"))
		assert.Equal(t, len(tokens)-1, strings.Count(out.String(), "wait=0s"))
	}
}

// TestOwnTransportTakes64Connections: as many calls are under way at once.
func TestOwnTransportTakes64Connections(t *testing.T) {
	t.Parallel()
	const goroutines = 64
	var arrived atomic.Int32
	all := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if arrived.Add(1) == goroutines {
			close(all)
		}
		select {
		case <-all:
			succeed(w, r)
		case <-r.Context().Done():
		}
	})
	policy := quick
	policy.MaxAttempts, policy.AttemptTimeout = 1, 5*time.Second
	client := newClient(t, s.URL, losant.WithRetryPolicy(policy))
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() { assert.NoError(t, get.call(t.Context(), client, ref)) })
	}
	group.Wait()
}

// TestOwnTransportOffersHTTP2 to a server, which chooses.
func TestOwnTransportOffersHTTP2(t *testing.T) {
	t.Parallel()
	offered := make(chan []string, 1)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = silentLog
	s.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered <- slices.Clone(hello.SupportedProtos)
		return nil, nil //nolint:nilnil // the server's own stays
	}}
	s.StartTLS()
	t.Cleanup(s.Close)
	requireError(t, get.call(t.Context(), newClient(t, s.URL), ref)) // its certificate is nobody's
	assert.Contains(t, <-offered, "h2")
}

// TestFlags: each of the three is sent as it was set, whatever the others are.
func TestFlags(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		actions, links, embedded := n&1 != 0, n&2 != 0, n&4 != 0
		var got url.Values
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r.URL.Query()
			return invited(r)
		}))
		require.NoError(t, get.call(t.Context(), client, ref, losant.WithActions(actions), losant.WithLinks(links), losant.WithEmbedded(embedded)))
		assert.Equal(t, url.Values{"_actions": {strconv.FormatBool(actions)}, "_links": {strconv.FormatBool(links)}, "_embedded": {strconv.FormatBool(embedded)}}, got)
	}
}

// TestTildeIsPrintable: the last character of ASCII that a header may carry is in
// semver ranges and in tokens.
func TestTildeIsPrintable(t *testing.T) {
	t.Parallel()
	var got http.Header
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = r.Header
		return invited(r)
	})
	client, err := losant.NewClient("to~ken", losant.WithAPIVersion("~1.30.0"), losant.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	require.NoError(t, get.call(t.Context(), client, ref))
	assert.Equal(t, []string{"Bearer to~ken", "~1.30.0"}, []string{got.Get("Authorization"), got.Get("Accept-Version")})
}

// TestOperationOfACall is named after the method and the words of the path, and
// what is no word of a route stands as {id}.
func TestOperationOfACall(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("a", 32)
	for segment, want := range map[string]string{"zones": "/zones", longest: "/" + longest, longest + "a": "/{id}", "Zones": "/{id}", "zone5": "/{id}"} {
		var got losant.Operation
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			got, _ = losant.OperationFromContext(r.Context())
			return invited(r)
		}))
		_, err := losant.Call[any](t.Context(), client, losant.Request{Method: "GET", Path: []string{segment}})
		require.NoError(t, err)
		assert.Equal(t, losant.Operation{Name: "GET " + want, Method: "GET", PathTemplate: want}, got)
	}
	_, err := losant.Call[any](t.Context(), through(t, nothing{}), losant.Request{Method: "GET"})
	assert.Equal(t, "GET /", requireError(t, err, "ErrInvalidArgument").Operation, "even of a call without a path")
}

// TestServerErrorsAre5xx: all of them, and nothing else.
func TestServerErrorsAre5xx(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bool{0: false, 499: false, 500: true, 599: true, 600: false} {
		assert.Equal(t, want, errors.Is(&losant.Error{StatusCode: code}, losant.ErrServer), code)
	}
}

// TestLogOfErrorWithoutAnswer has no attributes for what there was not.
func TestLogOfErrorWithoutAnswer(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("failed", "err", &losant.Error{Operation: "X.Y"})
	assert.Contains(t, out.String(), "err.operation=X.Y err.error=\"losant: X.Y: the call failed\" err.outcome_unknown=false\n")
}

// TestCauseOfInvalidResponse: why a body made no sense is told, and can be found.
func TestCauseOfInvalidResponse(t *testing.T) {
	t.Parallel()
	err := answered(t, get, 200, `{"id":5}`)
	var cause *json.UnmarshalTypeError
	require.ErrorAs(t, err, &cause)
	assert.Equal(t, `the response is invalid: `+cause.Error()+`: {"id":5}`, requireError(t, err, "ErrInvalidResponse").Message)
}

// TestWordsOfTheAPI are read from 300 on; a success has none, and one letter is a
// body.
func TestWordsOfTheAPI(t *testing.T) {
	t.Parallel()
	const words = `{"type":"T","message":"the API's words"}`
	for code, want := range map[int][]string{300: {"T", "the API's words"}, 301: {"T", "the API's words"}} {
		e := requireError(t, answered(t, get, code, words))
		assert.Equal(t, want, []string{e.Type, e.Message}, code)
	}
	assert.Empty(t, requireError(t, answered(t, get, 299, words), "ErrInvalidResponse").Type)
	assert.Equal(t, `unexpected body "x"`, requireError(t, answered(t, get, 404, "x"), "ErrInvalidResponse").Message)
}

// TestShortTokensAreNotSearchedFor: six characters may be a secret; fewer are
// none, and may be a part of any word.
func TestShortTokensAreNotSearchedFor(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{"invit": "no such invitation", "invita": "no such [token]tion"} {
		source := losant.TokenSourceFunc(func(context.Context) (string, error) { return token, nil })
		client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
			return reply(404, `{"message":"no such invitation"}`), nil
		}), losant.WithTokenSource(source))
		assert.Equal(t, want, requireError(t, get.call(t.Context(), client, ref), "ErrNotFound").Message)
	}
}

// TestCauseOfAnotherCallKeepsWhatEnded: the deadline, or the cancellation, and
// not both.
func TestCauseOfAnotherCallKeepsWhatEnded(t *testing.T) {
	t.Parallel()
	other := &losant.Error{Operation: "Other", StatusCode: 404}
	expired, stop := context.WithTimeoutCause(t.Context(), 0, other)
	defer stop()
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(other)
	for ctx, ended := range map[context.Context][2]error{
		expired:   {context.DeadlineExceeded, context.Canceled},
		cancelled: {context.Canceled, context.DeadlineExceeded},
	} {
		e := requireError(t, get.call(ctx, newClient(t, "https://api.example.com"), ref))
		require.ErrorIs(t, e, ended[0])
		require.NotErrorIs(t, e, ended[1])
	}
}

// TestAttemptsOfAnotherCall: the record of an attempt does not match the sentinels
// of the call for which the context ended, and the rest of the cause it does.
func TestAttemptsOfAnotherCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel(fmt.Errorf("%w after %w", &losant.Error{StatusCode: 404}, &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF}))
		return nil, r.Context().Err()
	}))
	var response losant.Response
	requireError(t, get.call(ctx, client, ref, losant.WithResponse(&response)))
	require.Len(t, response.Attempts, 1)
	err := response.Attempts[0].Err
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, losant.ErrNotFound)
	var (
		ours    *losant.Error
		network *net.OpError
		dns     *net.DNSError
	)
	require.ErrorAs(t, err, &network)
	assert.Equal(t, "dial", network.Op)
	assert.NotErrorAs(t, err, &ours)
	assert.NotErrorAs(t, err, &dns)
}

// TestRedactedErrorIsAnError: what it matches is what it was, and no more.
func TestRedactedErrorIsAnError(t *testing.T) {
	t.Parallel()
	err := resend.call(t.Context(), through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("%s: %w", r.Header.Get("Authorization"), io.ErrUnexpectedEOF)
	})), ref)
	e := requireError(t, err, "ErrOutcomeUnknown")
	assert.Equal(t, "Bearer [token]: unexpected EOF", e.Message)
	require.ErrorIs(t, e, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, e, io.EOF)
	var address *url.Error
	assert.NotErrorAs(t, e, &address)
}

// TestLastDate is written with the milliseconds of all others.
func TestLastDate(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(losant.OrgInvite{InviteDate: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)})
	require.NoError(t, err)
	assert.Contains(t, string(data), `"9999-12-31T23:59:59.000Z"`)
}

// TestTTLIsRounded to the nearest nanosecond, however long the number is.
func TestTTLIsRounded(t *testing.T) {
	t.Parallel()
	started := time.Now()
	for number, want := range map[string]time.Duration{
		"0.0000004": 0, "0.0000007": 1, "-0.0000007": -1, "0.0000015": 2, "1." + strings.Repeat("0", 4<<20) + "1": time.Millisecond,
	} {
		var invite losant.OrgInvite
		require.NoError(t, json.Unmarshal([]byte(`{"ttl":`+number+`}`), &invite))
		assert.Equal(t, want, invite.TTL, "%.40s", number)
	}
	if !raceEnabled { // with which everything takes long
		assert.Less(t, time.Since(started), 5*time.Second)
	}
}

// TestLongestBaseURL has a path of 1 KiB.
func TestLongestBaseURL(t *testing.T) {
	t.Parallel()
	longest := "https://api.example.com/" + strings.Repeat("a", 1<<10-1)
	_, err := losant.NewClient(canary, losant.WithBaseURL(longest))
	require.NoError(t, err)
	_, err = losant.NewClient(canary, losant.WithBaseURL(longest+"a"))
	requireError(t, err, "ErrInvalidArgument")
}
