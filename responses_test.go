package losant_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

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

// TestSuccessThatIsNone: 2xx alone is not success, nor are names in another case
// or names that occur twice.
func TestSuccessThatIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "null", "true", "1", `""`, "[]", "[" + inviteJSON + "]", "{}", `{"id":""}`, `{"id":null}`, `{"id":5}`, `{"success":false}`, `{"success":null}`,
		`{"success":"true"}`, `{"success":1}`, "{", inviteJSON[:len(inviteJSON)-1], inviteJSON + "{}", inviteJSON + "x", inviteJSON + "\x00", "\ufeff" + inviteJSON,
		`{"success":false,"SUCCESS":true}`, `{"SUCCESS":true}`, `{"success":true,"success":false}`, `{"success":false,"success":true}`, `{"success":true,"success":true}`, `{"success":true}x`,
		`{"ID":"` + id + `"}`, `{"id":"","ID":"` + id + `"}`, `{"id":"` + id + `","id":"` + id + `"}`, `{"id":"` + id + `","\u0069d":""}`, `{"id":"` + id + `","role":[]`,
		"<html>sign in</html>", `{"error":"x"}`, strings.Repeat("[", 20_000), `{"a":` + strings.Repeat(`{"a":`, 20_000),
	} {
		for _, action := range actions {
			e := &losant.Error{}
			err := answered(t, action, 200, text)
			require.ErrorAs(t, err, &e, "%s of %.80q", action.name, text)
			want := []string{"ErrInvalidResponse", "ErrOutcomeUnknown"}
			if action.method == http.MethodGet {
				want = want[:1]
			}
			requireError(t, err, want...)
			assert.Equal(t, 200, e.StatusCode)
			assert.Equal(t, 1, e.Attempts)
			assertPrintable(t, err.Error())
		}
	}
	for _, code := range []int{200, 201, 203} {
		require.NoError(t, answered(t, get, code, " \t\r\n"+inviteJSON+"\n"))
		require.NoError(t, answered(t, remove, code, `{"success":true,"more":1,"SUCCESS":false}`))
	}
}

// TestNoContent: a 204 is a success of a Delete, and of nothing else.
func TestNoContent(t *testing.T) {
	t.Parallel()
	require.NoError(t, answered(t, remove, 204, ""))
	requireError(t, answered(t, remove, 204, `{"success":false}`), "ErrInvalidResponse", "ErrOutcomeUnknown")
	requireError(t, answered(t, remove, 200, ""), "ErrInvalidResponse", "ErrOutcomeUnknown")
	requireError(t, answered(t, get, 204, ""), "ErrInvalidResponse")
	requireError(t, answered(t, resend, 204, ""), "ErrInvalidResponse", "ErrOutcomeUnknown")
}

// TestMaxResponseBytes: no more is read, of success or of failure, whether the
// size is announced, hidden by compression or never ends.
func TestMaxResponseBytes(t *testing.T) {
	t.Parallel()
	const most = 1 << 10
	whole := inviteJSON[:len(inviteJSON)-1] + `,"pad":"` + strings.Repeat("x", most-len(inviteJSON)-len(`,"pad":""`)) + `"}`
	require.Len(t, whole, most)
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, _ = zip.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = zip.Close()
	endless := func(code int) answer {
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
		name   string
		answer answer
		expected
	}{
		{"as many", body(whole), success(1)},
		{"one more", body(whole + " "), failure(1, "ErrInvalidResponse")},
		{"64 MiB announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(64<<20))
			endless(200)(w, r)
		}, failure(1, "ErrInvalidResponse")},
		{"without end", endless(200), failure(1, "ErrInvalidResponse")},
		{"an error without end", endless(404), failure(1, "ErrInvalidResponse")},
		{"an error of 64 MiB announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(64<<20))
			endless(404)(w, r)
		}, failure(1, "ErrInvalidResponse")},
		{"compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(compressed.Bytes())
		}, failure(1, "ErrInvalidResponse")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, row.answer)
			var response losant.Response
			err := get.call(t.Context(), newClient(t, s.URL, losant.WithMaxResponseBytes(most)), ref, losant.WithResponse(&response))
			row.check(t, s, err)
			assert.LessOrEqual(t, len(response.Body), most)
			if strings.Contains(row.name, "announced") {
				assert.Empty(t, response.Body, "what is announced as too large is not even begun")
				assert.NotContains(t, err.Error(), "empty body")
			}
		})
	}
}

// TestBodyThatEndsWithItsConnection: without a length a broken body looks whole.
func TestBodyThatEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	until := func(body string) answer {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn := hijack(w)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"+body)
			_ = conn.Close()
		}
	}
	s := serve(t, until(inviteJSON[:20]), until(inviteJSON))
	require.NoError(t, get.call(t.Context(), newClient(t, s.URL), ref))
	assert.Equal(t, int32(2), s.arrived.Load())
	for _, whole := range []string{"<html>", inviteJSON + inviteJSON, "{]"} {
		s = serve(t, until(whole))
		failure(1, "ErrInvalidResponse").check(t, s, get.call(t.Context(), newClient(t, s.URL), ref))
	}
}

// TestWithResponse: what came back is there on success and on failure, and
// nothing of an earlier call stays.
func TestWithResponse(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503, "X-Request-Id", "first"), cut, succeed, // net/http itself comes back from the cut
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
		assert.Equal(t, n == 1, attempt.Wait > 0, "the one that was lost was waited for")
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
	assert.Equal(t, response, second, "both are filled")

	_, err = client.InstanceOrgInvite.Get(t.Context(), losant.InstanceOrgInviteRef{}, nil, losant.WithResponse(&response))
	requireError(t, err, "ErrInvalidArgument")
	assert.Equal(t, losant.Response{}, response)
}
