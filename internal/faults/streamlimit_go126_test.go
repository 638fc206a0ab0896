//go:build go1.26

package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	losant "github.com/losant-community/losant-rest-go"
)

// TestCallThatWaitsForAStreamIsNotSent covers a deadline that passes while another
// call uses the only stream of an HTTP/2 connection.
func TestCallThatWaitsForAStreamIsNotSent(t *testing.T) {
	t.Parallel()
	for _, a := range actions() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			arrived, release := make(chan struct{}, 2), make(chan struct{})
			var warm atomic.Bool
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if warm.Load() {
					arrived <- struct{}{}
					<-release
				}
				w.WriteHeader(a.status)
				_, _ = io.WriteString(w, a.body)
			}))
			server.EnableHTTP2 = true
			server.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1}
			server.StartTLS()
			t.Cleanup(server.Close)
			trusted := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			transport := &http.Transport{
				ForceAttemptHTTP2: true,
				TLSClientConfig:   &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12},
				HTTP2:             &http.HTTP2Config{StrictMaxConcurrentRequests: true},
			}
			t.Cleanup(transport.CloseIdleConnections)
			client := newClient(t, server.URL, losant.WithHTTPClient(&http.Client{Transport: transport}))
			assert.NoError(t, a.call(t.Context(), client)) // then the client knows the limit
			warm.Store(true)
			first := make(chan error)
			go func() { first <- a.call(context.Background(), client) }()
			<-arrived
			var response losant.Response
			err := a.call(expiresWhileWaiting(), client, losant.WithResponse(&response))
			r := ended(err, response)
			close(release)
			assert.NoError(t, <-first)
			assert.Equal(t, "0 of 1, DeadlineExceeded", r.String(), err)
			assert.Empty(t, arrived, "the request arrived")
		})
	}
}
