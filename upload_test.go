package losant_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// onlyReader hides every other method of a reader.
type onlyReader struct{ io.Reader }

func upload(parts ...losant.Part) losant.Request {
	return losant.Request{Method: "POST", Path: []string{"files"}, Body: &losant.Form{Parts: parts}}
}

// TestPartsOfAFormArriveUnchanged also proves that Content-Length is sent if the
// length is known.
func TestPartsOfAFormArriveUnchanged(t *testing.T) {
	t.Parallel()
	file, err := os.Open("go.mod")
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	content, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	pipe, pipeEnd, err := os.Pipe() // its Seek fails
	require.NoError(t, err)
	t.Cleanup(func() { _ = pipe.Close() })
	_, err = pipeEnd.WriteString(`a "file"`)
	require.NoError(t, err)
	require.NoError(t, pipeEnd.Close())
	for _, first := range []io.Reader{strings.NewReader(`a "file"`), onlyReader{strings.NewReader(`a "file"`)}, pipe} {
		_, known := first.(*strings.Reader)
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, known, r.ContentLength > 0)
			assert.Equal(t, "Bearer "+canary, r.Header.Get("Authorization"))
			_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
			assert.NoError(t, err)
			form := multipart.NewReader(r.Body, params["boundary"])
			for _, want := range []struct{ name, file, contentType, content string }{
				{"description", "", "", "a \"file\""},
				{`fi"le`, `C:\go "mod".txt`, "application/octet-stream", string(content[7:])},
				{"icon", "icon.svg", "image/svg+xml", "<svg/>"},
			} {
				part, err := form.NextPart()
				if !assert.NoError(t, err) {
					return
				}
				data, err := io.ReadAll(part)
				assert.NoError(t, err)
				_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
				assert.Equal(t, want.name, part.FormName())
				assert.Equal(t, want.file, disposition["filename"])
				assert.Equal(t, want.contentType, part.Header.Get("Content-Type"))
				assert.Equal(t, want.content, string(data))
			}
			_, err = form.NextPart()
			assert.ErrorIs(t, err, io.EOF)
			succeed(w, r)
		})
		_, err = file.Seek(7, io.SeekStart)
		require.NoError(t, err)
		_, err = losant.Call[losant.OrgInvite](t.Context(), newClient(t, s.URL), upload(
			losant.Part{Name: "description", Content: first},
			losant.Part{Name: `fi"le`, FileName: `C:\go "mod".txt`, Content: file},
			losant.Part{Name: "icon", FileName: "icon.svg", ContentType: "image/svg+xml", Content: strings.NewReader("<svg/>")},
		))
		require.NoError(t, err)
	}
}

// TestReadUploadIsRetriedOnlyIfNothingWasDone covers uploads of which a part was
// read. They must also be able to rewind.
func TestReadUploadIsRetriedOnlyIfNothingWasDone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		script []handler
		method string
		seeks  bool
		expected
	}{
		{"429, can rewind", []handler{status(429), succeed}, "POST", true, success(2)},
		{"429, cannot rewind", []handler{status(429), succeed}, "POST", false, failure(1, "ErrRateLimited")},
		{"503", []handler{status(503), succeed}, "POST", true, failure(1, "ErrServer", "ErrOutcomeUnknown")},
		{"503 to a PUT", []handler{status(503), succeed}, "PUT", true, failure(1, "ErrServer", "ErrOutcomeUnknown")},
		{"connection lost", []handler{cut, succeed}, "PUT", true, failure(1, "ErrOutcomeUnknown")},
		{"401", []handler{status(401), succeed}, "POST", true, failure(1, "ErrUnauthorized")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			lengths := make(chan int, 10)
			next := (&server{}).handler(row.script)
			s := &server{}
			s.Server = handle(t, func(w http.ResponseWriter, r *http.Request) {
				s.arrived.Add(1)
				data, _ := io.ReadAll(r.Body)
				lengths <- strings.Count(string(data), "x")
				next.ServeHTTP(w, r)
			})
			var content io.Reader = strings.NewReader(strings.Repeat("x", 100_000))
			if !row.seeks {
				content = onlyReader{content}
			}
			request := upload(losant.Part{Name: "x", FileName: "x", Content: content})
			request.Method = row.method
			_, err := losant.Call[any](t.Context(), newClient(t, s.URL), request)
			row.check(t, s, err)
			s.Close() // the handlers have returned
			close(lengths)
			for length := range lengths {
				assert.GreaterOrEqual(t, length, 100_000)
			}
		})
	}
}

func TestUnreadUploadIsRetriedWithoutRewinding(t *testing.T) {
	t.Parallel()
	s := serve(t, succeed)
	d := &dialer{errors: []error{errRefusedDial, errRefusedDial}}
	transport := &http.Transport{DialContext: d.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	client := newClient(t, s.URL, losant.WithHTTPClient(&http.Client{Transport: transport}))
	_, err := losant.Call[any](t.Context(), client, upload(losant.Part{Name: "x", Content: onlyReader{strings.NewReader("x")}}))
	require.NoError(t, err)
	assert.Equal(t, int32(3), d.dials.Load())
}

// TestUploadThatCannotBeRewoundIsNotRetried, although its Content is an [io.Seeker].
func TestUploadThatCannotBeRewoundIsNotRetried(t *testing.T) {
	t.Parallel()
	content := &rewindable{Reader: strings.NewReader("x")}
	api := &recorder{respond: func(r *http.Request) (*http.Response, error) {
		content.broken = true
		return says(429)(r)
	}}
	_, err := losant.Call[any](t.Context(), through(t, api), upload(losant.Part{Name: "x", Content: content}))
	assert.Equal(t, "the API's words", requireError(t, err, "ErrRateLimited").Message)
	assert.Equal(t, 1, api.count)
}

// rewindable is a reader whose Seek fails once it is broken.
type rewindable struct {
	*strings.Reader
	broken bool
}

func (r *rewindable) Seek(offset int64, whence int) (int64, error) {
	if r.broken {
		return 0, errors.New("the file was removed")
	}
	return r.Reader.Seek(offset, whence)
}

func TestAttemptTimeoutLimitsEachPauseOfAnUpload(t *testing.T) {
	t.Parallel()
	for pause, timedOut := range map[time.Duration]bool{20 * time.Second: false, 40 * time.Second: true} {
		synctest.Test(t, func(t *testing.T) {
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				for {
					_, err := r.Body.Read(make([]byte, 1<<10))
					if errors.Is(err, io.EOF) {
						return invited(r)
					}
					select {
					case <-time.After(pause):
					case <-r.Context().Done():
						return nil, r.Context().Err()
					}
				}
			})
			_, err := losant.Call[any](t.Context(), through(t, transport, losant.WithRetryPolicy(losant.RetryPolicy{})), upload(losant.Part{Name: "x", Content: strings.NewReader(strings.Repeat("x", 10_000))}))
			if timedOut {
				requireError(t, err, "ErrOutcomeUnknown")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestInvalidFormIsNotSent(t *testing.T) {
	t.Parallel()
	s := serve(t, succeed)
	fine := strings.NewReader("x")
	for _, form := range []*losant.Form{
		nil, {}, {Parts: []losant.Part{{Content: fine}}}, {Parts: []losant.Part{{Name: "x"}}}, {Parts: []losant.Part{{Name: "a\r\nb", Content: fine}}},
		{Parts: []losant.Part{{Name: "x", FileName: "a\nb", Content: fine}}}, {Parts: []losant.Part{{Name: "x", ContentType: "a\nb", Content: fine}}},
	} {
		_, err := losant.Call[any](t.Context(), newClient(t, s.URL), losant.Request{Method: "POST", Path: []string{"x"}, Body: form})
		requireError(t, err, "ErrInvalidArgument")
	}
	assert.Zero(t, s.arrived.Load())
}

// TestLateReaderGetsNothing covers a transport that still reads the body of an
// attempt during the next one.
func TestLateReaderGetsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var late io.Reader
		var attempts atomic.Int32
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			if attempts.Add(1) == 1 {
				late = r.Body
				_, _ = io.CopyN(io.Discard, late, 100)
				return says(429)(r)
			}
			n, err := late.Read(make([]byte, 100))
			require.Error(t, err)
			assert.Zero(t, n)
			data, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			assert.Equal(t, 1000, strings.Count(string(data), "\x00"))
			return invited(r)
		})
		_, err := losant.Call[any](t.Context(), through(t, transport), upload(losant.Part{Name: "x", Content: strings.NewReader(strings.Repeat("\x00", 1000))}))
		require.NoError(t, err)
	})
}

func handle(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

var errRefusedDial = &net.OpError{Op: "dial", Err: errors.New("connection refused")}
