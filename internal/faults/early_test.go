package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	losant "github.com/losant-community/losant-rest-go"
)

// TestEarlyResponseToAnUpload covers a server that responds while the client sends
// 8 MB. If the server reads the rest, the response arrives. If it closes the
// connection at once, a reset may discard the response.
func TestEarlyResponseToAnUpload(t *testing.T) {
	t.Parallel()
	names := strings.Repeat("x", 8<<20)
	for _, readsRest := range []bool{true, false} {
		for _, code := range []int{401, 413, 429} {
			t.Run(fmt.Sprintf("%d/reads the rest %v", code, readsRest), func(t *testing.T) {
				t.Parallel()
				s := serveRaw(t, respondEarly(code, readsRest))
				client := newClient(t, s.base, losant.WithRetryPolicy(losant.RetryPolicy{MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond}))
				var response losant.Response
				_, err := losant.Call[any](t.Context(), client, losant.Request{
					Method: http.MethodPost, Path: []string{"applications", ref().OrgID, "devices"}, Body: map[string]string{"name": names},
				}, losant.WithResponse(&response))
				r := ended(err, response)
				assert.False(t, r.succeeded)
				assert.Equal(t, int(s.arrived.Load()), r.attempts)
				if readsRest {
					attempts := map[int]int{401: 1, 413: 1, 429: 4}[code]
					assert.Equal(t, code, r.status, err)
					assert.Equal(t, attempts, r.attempts, err)
				}
				assert.Equal(t, r.status != code, r.isUnknown(), err)
			})
		}
	}
}

// respondEarly responds to the header of a request.
func respondEarly(code int, readsRest bool) func(*rawServer, int32, *net.TCPConn, *bufio.Reader) {
	return func(s *rawServer, _ int32, conn *net.TCPConn, reader *bufio.Reader) {
		if _, err := http.ReadRequest(reader); err != nil {
			return
		}
		s.arrived.Add(1)
		const body = `{"type": "Early", "message": "before the body was read"}`
		_, _ = io.WriteString(conn, responseHeader(code, len(body), "Connection: close")+body)
		if readsRest {
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, reader)
		}
	}
}
