package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

const (
	hostile  = "eve\x1b[2J\r\n\u202e\u009b31m\xff\x00@example.com"
	harmless = "eve@example.com" // the server's email, which the proxy replaces with hostile
)

// addHostile adds an expired invite. It returns the URL of a proxy that replaces the
// email of the invite with hostile.
func addHostile(t *testing.T, api *losanttest.Server) string {
	t.Helper()
	api.AddInvite(losant.OrgInvite{Email: harmless, Role: losant.OrgRoleView, InviteDate: time.Unix(0, 0)})
	quoted, err := json.Marshal(hostile)
	require.NoError(t, err)
	target, err := url.Parse(api.URL)
	require.NoError(t, err)
	transport := &http.Transport{}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(resp *http.Response) error {
			data, err := io.ReadAll(resp.Body)
			data = bytes.ReplaceAll(data, []byte(`"`+harmless+`"`), quoted)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
			resp.Header.Set("Content-Length", strconv.Itoa(len(data)))
			return err
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // cuts the connection, as the server did
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		proxy.Close()
	})
	return proxy.URL
}
