package losant_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestResponseUpToMaxResponseBytesIsRead: a body of exactly the limit is read, and
// one of a byte more is invalid, even if its length is not announced.
func TestResponseUpToMaxResponseBytesIsRead(t *testing.T) {
	t.Parallel()
	for limit, opts := range map[int][]losant.Option{
		8 << 20:             nil,
		len(inviteJSON):     {losant.WithMaxResponseBytes(int64(len(inviteJSON)))},
		len(inviteJSON) * 2: {losant.WithMaxResponseBytes(int64(len(inviteJSON) * 2))},
	} {
		largest := inviteJSON + strings.Repeat(" ", limit-len(inviteJSON))
		client := through(t, mock(httpmock.NewStringResponder(200, largest).Then(httpmock.NewStringResponder(200, largest+" "))), opts...)
		require.NoError(t, get.call(t.Context(), client, ref))
		e := requireError(t, get.call(t.Context(), client, ref), "ErrInvalidResponse")
		assert.Regexp(t, "^the response is too large: it has more than "+strconv.Itoa(limit)+" bytes", e.Message)
		assert.Equal(t, 1, e.Attempts)
	}
	transport := mock(httpmock.NewStringResponder(200, inviteJSON))
	require.NoError(t, get.call(t.Context(), through(t, transport, losant.WithMaxResponseBytes(math.MaxInt64)), ref))
	requireError(t, get.call(t.Context(), through(t, transport, losant.WithMaxResponseBytes(1)), ref), "ErrInvalidResponse")
}

// TestErrorSaysWhyAResponseIsIncomplete, in the words of the transport.
func TestErrorSaysWhyAResponseIsIncomplete(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		code int
		err  error
		want string
	}{
		{200, io.ErrUnexpectedEOF, "the response is incomplete: unexpected EOF"},
		{200, net.ErrClosed, "the response is incomplete: use of closed network connection"},
		{200, errors.New("bad checksum"), "the response is invalid: bad checksum"},
		{404, io.ErrUnexpectedEOF, "the response is incomplete: unexpected EOF"},
		{400, io.ErrUnexpectedEOF, "unexpected EOF"},
	} {
		client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: row.code, Body: io.NopCloser(iotest.ErrReader(row.err))}, nil
		}))
		var e *losant.Error
		require.ErrorAs(t, resend.call(t.Context(), client, ref), &e)
		assert.Equal(t, row.want, e.Message, row.code)
		require.ErrorIs(t, e, row.err)
	}
}

// TestInvalidJSONInCompleteResponseIsNotRetried: the response is complete, so a
// retry would return the same. The exception is in
// TestTruncatedBodyWithoutLengthIsRetried.
func TestInvalidJSONInCompleteResponseIsNotRetried(t *testing.T) {
	t.Parallel()
	invalid := inviteJSON[:20]
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, _ = io.WriteString(zip, invalid)
	_ = zip.Close()
	for name, rest := range map[string]string{
		"length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(invalid), invalid),
		"chunks": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(invalid), invalid),
		"gzip":   "Content-Encoding: gzip\r\n\r\n" + compressed.String(),
		"empty":  "Content-Length: 0\r\n\r\n",
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

// TestInvalidBodyOf2xxIsInvalidResponse: the status alone is no success. Names in
// another case do not count, and the decisive ones must occur once.
func TestInvalidBodyOf2xxIsInvalidResponse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "null", "true", "1", `""`, "[]", "[" + inviteJSON + "]", "{}", `{"id":""}`, `{"id":null}`, `{"id":5}`, `{"success":false}`, `{"success":null}`,
		`{"success":"true"}`, `{"success":1}`, "{", inviteJSON[:len(inviteJSON)-1], inviteJSON + "{}", inviteJSON + "x", inviteJSON + "\x00", "\ufeff" + inviteJSON,
		`{"success":false,"SUCCESS":true}`, `{"SUCCESS":true}`, `{"success":true,"success":false}`, `{"success":false,"success":true}`, `{"success":true,"success":true}`, `{"success":true}x`,
		`{"ID":"` + id + `"}`, `{"id":"","ID":"` + id + `"}`, `{"id":"` + id + `","id":"` + id + `"}`, `{"id":"` + id + `","\u0069d":""}`, `{"id":"` + id + `","role":[]`,
		"<html>sign in</html>", `{"error":"x"}`, strings.Repeat("[", 20_000), `{"a":` + strings.Repeat(`{"a":`, 20_000),
	} {
		for _, action := range actions {
			err := errorFrom(t, action, 200, text)
			require.Error(t, err, "%s of %.80q", action.name, text)
			want := []string{"ErrInvalidResponse", "ErrOutcomeUnknown"}
			if action.method == http.MethodGet {
				want = want[:1]
			}
			e := requireError(t, err, want...)
			assert.Equal(t, 200, e.StatusCode)
			assert.Equal(t, 1, e.Attempts)
			assertPrintable(t, err.Error())
		}
	}
}

// TestSuccess: 200, 201 and 203 with the resource, which white space may surround.
func TestSuccess(t *testing.T) {
	t.Parallel()
	for _, code := range []int{200, 201, 203} {
		require.NoError(t, errorFrom(t, get, code, " \t\r\n"+inviteJSON+"\n"))
		require.NoError(t, errorFrom(t, remove, code, `{"success":true,"more":1,"SUCCESS":false}`))
	}
}

// TestUndocumented2xxIsInvalidResponse, although it has the resource.
func TestUndocumented2xxIsInvalidResponse(t *testing.T) {
	t.Parallel()
	for _, code := range []int{202, 205, 206, 299} {
		requireError(t, errorFrom(t, get, code, inviteJSON), "ErrInvalidResponse")
		requireError(t, errorFrom(t, resend, code, inviteJSON), "ErrInvalidResponse", "ErrOutcomeUnknown")
		requireError(t, errorFrom(t, remove, code, `{"success":true}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	}
}

// Test204IsSuccessOfDeleteOnly, and only without a body.
func Test204IsSuccessOfDeleteOnly(t *testing.T) {
	t.Parallel()
	require.NoError(t, errorFrom(t, remove, 204, ""))
	require.NoError(t, errorFrom(t, remove, 204, "\n"))
	requireError(t, errorFrom(t, remove, 204, `{"success":false}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	requireError(t, errorFrom(t, remove, 200, ""), "ErrInvalidResponse", "ErrOutcomeUnknown")
	requireError(t, errorFrom(t, get, 204, ""), "ErrInvalidResponse")
	requireError(t, errorFrom(t, resend, 204, ""), "ErrInvalidResponse", "ErrOutcomeUnknown")
}

// TestLargeResponseIsNotReadBeyondTheLimit: of a success or an error, whose size is
// announced, hidden by compression, or unlimited.
func TestLargeResponseIsNotReadBeyondTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 1 << 10
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, _ = zip.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = zip.Close()
	endless := func(code int) handler {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			for {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<12)); err != nil {
					return
				}
			}
		}
	}
	for _, row := range []struct {
		name      string
		announced bool
		handler   handler
	}{
		{"64 MiB announced", true, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(64<<20))
			endless(200)(w, r)
		}},
		{"unlimited", false, endless(200)},
		{"unlimited error", false, endless(404)},
		{"error of 64 MiB announced", true, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(64<<20))
			endless(404)(w, r)
		}},
		{"compressed", false, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(compressed.Bytes())
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, row.handler)
			var response losant.Response
			err := get.call(t.Context(), newClient(t, s.URL, losant.WithMaxResponseBytes(limit)), ref, losant.WithResponse(&response))
			failure(1, "ErrInvalidResponse").check(t, s, err)
			assert.NotContains(t, err.Error(), "empty body")
			assert.LessOrEqual(t, len(response.Body), limit)
			assert.Equal(t, row.announced, len(response.Body) == 0, "a body that is announced as too large is not read at all")
		})
	}
}

// TestTruncatedBodyWithoutLengthIsRetried: where the end of the connection is the
// end of the body, only the JSON shows that a part is missing.
func TestTruncatedBodyWithoutLengthIsRetried(t *testing.T) {
	t.Parallel()
	until := func(body string) handler {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn := hijack(w)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"+body)
			_ = conn.Close()
		}
	}
	s := serve(t, until(inviteJSON[:20]), until(inviteJSON))
	require.NoError(t, get.call(t.Context(), newClient(t, s.URL), ref))
	assert.Equal(t, int32(2), s.arrived.Load())
	for _, complete := range []string{"<html>", inviteJSON + inviteJSON, "{]"} {
		s = serve(t, until(complete))
		failure(1, "ErrInvalidResponse").check(t, s, get.call(t.Context(), newClient(t, s.URL), ref))
	}
}

// TestWithResponse: it holds the last response and every attempt, of a success and
// of a failure, and nothing of an earlier call.
func TestWithResponse(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503, "X-Request-Id", "first"), cut, succeed, // net/http itself retries after the cut
		status(404, "X-Request-Id", "last"))
	client := newClient(t, s.URL)
	response := losant.Response{StatusCode: 999, Body: []byte("stale")}
	_, err := client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, 200, response.StatusCode)
	assert.JSONEq(t, inviteJSON, string(response.Body))
	require.Len(t, response.Attempts, 3)
	assert.Equal(t, []int{503, 0, 200}, []int{response.Attempts[0].StatusCode, response.Attempts[1].StatusCode, response.Attempts[2].StatusCode})
	require.Error(t, response.Attempts[1].Err)
	assert.Zero(t, response.Attempts[0].Wait)
	for n, attempt := range response.Attempts {
		assert.Equal(t, n != 1, attempt.Duration > 0)
		assert.Equal(t, n == 1, attempt.Wait > 0, "only the attempt after the 503 was waited for")
	}

	_, err = client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response))
	requireError(t, err, "ErrNotFound")
	assert.Equal(t, 404, response.StatusCode)
	assert.Equal(t, "last", response.Header.Get("X-Request-Id"))
	assert.JSONEq(t, `{"type":"Type404","message":"message 404"}`, string(response.Body))
	assert.Len(t, response.Attempts, 1)

	second := losant.Response{}
	_, err = client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithResponse(&response), losant.WithResponse(&second), losant.WithResponse(&second))
	requireError(t, err, "ErrNotFound")
	response.Attempts[0].Duration, second.Attempts[0].Duration = 0, 0
	assert.Equal(t, response, second, "both options are filled")

	_, err = client.InstanceOrgInvite.Get(t.Context(), losant.InstanceOrgInviteRef{}, nil, losant.WithResponse(&response))
	requireError(t, err, "ErrInvalidArgument")
	assert.Equal(t, losant.Response{}, response)
}

// TestResponseIsNotChangedByLaterCalls, although the client uses its buffers again.
func TestResponseIsNotChangedByLaterCalls(t *testing.T) {
	t.Parallel()
	const calls = 20
	api := &recorder{}
	api.respond = func(*http.Request) (*http.Response, error) {
		return httpmock.NewStringResponse(200, fmt.Sprintf(`{"id":"%024d"}`, api.count)), nil
	}
	client := through(t, api)
	var responses [calls]losant.Response
	for n := range responses {
		require.NoError(t, get.call(t.Context(), client, ref, losant.WithResponse(&responses[n])))
	}
	for n, response := range responses {
		assert.JSONEq(t, fmt.Sprintf(`{"id":"%024d"}`, n+1), string(response.Body))
	}
}
