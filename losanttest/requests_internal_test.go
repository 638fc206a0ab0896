package losanttest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// statusReader is a client that calls Requests as soon as it receives the body.
type statusReader struct {
	*httptest.ResponseRecorder

	srv *Server
	got int
}

func (r *statusReader) Write(data []byte) (int, error) {
	r.got = r.srv.Requests()[0].StatusCode
	return r.ResponseRecorder.Write(data)
}

func TestStatusIsRecordedBeforeTheResponseIsSent(t *testing.T) {
	t.Parallel()
	srv := New(t)
	client := &statusReader{ResponseRecorder: httptest.NewRecorder(), srv: srv}
	srv.serve(client, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, client.got)
}
