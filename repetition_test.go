package losant_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
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

// TestGoAwayWithoutTLS: over unencrypted HTTP/2 net/http sends a request again
// without end.
func TestGoAwayWithoutTLS(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		var arrived atomic.Int32
		address := acceptRaw(t, func(conn net.Conn, reader *bufio.Reader) {
			_, _ = io.ReadFull(reader, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
			_, _ = conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS
			for {
				header := make([]byte, 9)
				if _, err := io.ReadFull(reader, header); err != nil {
					return
				}
				_, _ = io.ReadFull(reader, make([]byte, int(header[0])<<16|int(header[1])<<8|int(header[2])))
				if header[3] == 1 { // HEADERS
					arrived.Add(1)
					_, _ = conn.Write([]byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) // GOAWAY(0)
					_, _ = io.Copy(io.Discard, reader)
					return
				}
			}
		})
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		t.Cleanup(transport.CloseIdleConnections)
		e := requireError(t, action.call(t.Context(), newClient(t, "http://"+address, losant.WithHTTPClient(&http.Client{Transport: transport})), ref))
		assert.LessOrEqual(t, arrived.Load(), int32(9), action.name)
		assert.Equal(t, int(arrived.Load()), e.Attempts, action.name)
	}
}

// TestThrottledTogether: a server that tells 250 calls to wait sets the pace; the
// budget is not charged.
func TestThrottledTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := 0
		returned := []time.Time{}
		client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if seen++; seen <= 250 {
				return says(429, "Retry-After", "1")(r)
			}
			returned = append(returned, time.Now())
			return invited(r)
		}), losant.WithRetryPolicy(losant.RetryPolicy{}))
		started := time.Now()
		var group sync.WaitGroup
		for range 250 {
			group.Go(func() { assert.NoError(t, resend.call(t.Context(), client, ref)) })
		}
		group.Wait()
		require.Len(t, returned, 250)
		first, last := returned[0].Sub(started), returned[249].Sub(started)
		assert.GreaterOrEqual(t, first, time.Second)
		assert.Greater(t, last-first, 300*time.Millisecond, "they do not return all at once")
	})
}

// TestWaitFromTheMessage: the API sends no Retry-After. Its message says how long
// to wait, in completed seconds. The documented limit is 30 states of a device in
// 15 seconds.
func TestWaitFromTheMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var requests int
		var accepted []time.Time
		client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			requests++
			const limit, window = 30, 15 * time.Second
			if len(accepted) >= limit {
				if left := window - time.Since(accepted[len(accepted)-limit]); left > 0 {
					message := fmt.Sprintf(`{"type":"RateLimit","message":"Over rate limit, request throttled. Retry in %d seconds"}`, int(left.Seconds()))
					return &http.Response{StatusCode: http.StatusTooManyRequests, Body: io.NopCloser(strings.NewReader(message))}, nil
				}
			}
			accepted = append(accepted, time.Now())
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"success":true}`))}, nil
		}), losant.WithRetryPolicy(losant.RetryPolicy{}))
		var group sync.WaitGroup
		for n := range 60 {
			group.Go(func() {
				time.Sleep(time.Duration(n) * 10 * time.Millisecond) // in fake time
				_, err := losant.Call[losant.NoContent](t.Context(), client, losant.Request{Method: "POST", Path: []string{"state"}, Require: []string{"success"}})
				assert.NoError(t, err)
			})
		}
		group.Wait()
		assert.Len(t, accepted, 60)
		assert.LessOrEqual(t, requests, 100)
	})
}

// TestWaitOfTheMessage: only of a 429 without the header.
func TestWaitOfTheMessage(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]time.Duration{
		"Over rate limit, request throttled. Retry in 3 seconds": 4 * time.Second,
		"Retry in 0 seconds": time.Second, "retry in 1 second": 2 * time.Second,
		"Retry in -1 seconds": 0, "Retry in 99999999999 seconds": 0, "Retry soon": 0,
	} {
		client, _ := scripted(t, losant.RetryPolicy{MaxAttempts: 1}, httpJSON(429, `{"message":"`+message+`"}`))
		assert.Equal(t, want, requireError(t, get.call(t.Context(), client, ref), "ErrRateLimited").RetryAfter, message)
	}
	client, _ := scripted(t, losant.RetryPolicy{MaxAttempts: 1}, httpJSON(503, `{"message":"Retry in 3 seconds"}`))
	assert.Zero(t, requireError(t, get.call(t.Context(), client, ref), "ErrServer").RetryAfter)
}

func httpJSON(code int, text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

// TestSkewedClock: a date in Retry-After is read against the server's own clock.
func TestSkewedClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			server := time.Now().Add(skew).UTC()
			client, _ := scripted(t, losant.RetryPolicy{}, says(503, "Date", server.Format(http.TimeFormat), "Retry-After", server.Add(5*time.Second).Format(http.TimeFormat)), invited)
			var response losant.Response
			require.NoError(t, get.call(t.Context(), client, ref, losant.WithResponse(&response)))
			assert.GreaterOrEqual(t, response.Attempts[1].Wait, 5*time.Second)
			assert.Less(t, response.Attempts[1].Wait, 6*time.Second)
		})
	}
}

// TestEmptyBudgetIsNamed: the error says what stopped the retry.
func TestEmptyBudgetIsNamed(t *testing.T) {
	t.Parallel()
	client, _ := scripted(t, losant.RetryPolicy{Budget: 4}, says(503))
	e := requireError(t, get.call(t.Context(), client, ref), "ErrServer")
	assert.Equal(t, 1, e.Attempts)
	assert.Contains(t, e.Error(), "RetryPolicy.Budget")
}

// TestPanicRefundsTheBudget: a retry that never began costs nothing.
func TestPanicRefundsTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			if calls++; calls%2 == 0 && calls <= 220 {
				panic("between attempts")
			}
			return canary, nil
		})
		client := newClient(t, "https://api.example.com", losant.WithTokenSource(source), losant.WithRetryPolicy(losant.RetryPolicy{}),
			losant.WithHTTPClient(&http.Client{Transport: roundTripper(says(503))}))
		for range 110 {
			assert.Panics(t, func() { _ = get.call(t.Context(), client, ref) })
		}
		assert.Equal(t, 4, requireError(t, get.call(t.Context(), client, ref), "ErrServer").Attempts)
	})
}
