//go:build go1.26

package losant_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestQueuedForAStream: a request that waits for a stream when its time ends was
// not sent.
func TestQueuedForAStream(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			t.Parallel()
			var arrived atomic.Int32
			release := make(chan struct{})
			s, transport := serveHTTP2(t, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if arrived.Add(1) == 2 {
					<-release
				}
				succeed(w, r)
			}))
			transport.HTTP2 = &http.HTTP2Config{StrictMaxConcurrentRequests: true}
			client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}))
			require.NoError(t, get.call(t.Context(), client, ref), "now the limit of streams is known")
			var group sync.WaitGroup
			group.Go(func() { assert.NoError(t, get.call(t.Context(), client, ref)) })
			require.Eventually(t, func() bool { return arrived.Load() == 2 }, 10*time.Second, time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err := action.call(ctx, client, ref)
			requireError(t, err)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			close(release)
			group.Wait()
			assert.Equal(t, int32(2), arrived.Load())
		})
	}
}
