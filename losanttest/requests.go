package losanttest

import (
	"net/http"
	"net/url"
	"slices"
)

// The bounds of what a server keeps of the requests. The package documentation
// states them.
const (
	maxRequests     = 10_000
	maxRequestBytes = 32 << 20 // of all requests together
	maxBodyBytes    = 1 << 20  // of one request
)

// Request is a request that the server received.
type Request struct {
	Operation  string      // such as "InstanceOrgInvite.Get"; "" if no action has the path and the method
	Method     string      // the HTTP method
	Path       string      // as sent, without the query
	Query      url.Values  // what could be decoded of the query
	Header     http.Header // without Host
	Body       []byte      // at most the first 1 MiB; empty if there was none
	StatusCode int         // of the response; 0 if there is none yet, or the connection was cut
	TookEffect bool        // it changed the state, or "sent" an email
}

// size estimates the memory that r takes, in bytes.
func (r *Request) size() int {
	const overhead = 512
	size := overhead + len(r.Path) + len(r.Body)
	for _, values := range []map[string][]string{r.Query, r.Header} {
		for name, list := range values {
			size += len(name)
			for _, value := range list {
				size += overhead/16 + len(value)
			}
		}
	}
	return size
}

func (r *Request) clone() Request {
	c := *r
	c.Query = url.Values(http.Header(r.Query).Clone())
	c.Header = r.Header.Clone()
	c.Body = slices.Clone(r.Body)
	return c
}

// recording is the requests that a server keeps.
type recording struct {
	kept  []*Request
	bytes int // of those kept
	count int // of all
}

// add appends r, and drops the oldest requests beyond the bounds.
func (r *recording) add(request *Request) {
	r.count++
	r.kept = append(r.kept, request)
	r.bytes += request.size()
	for len(r.kept) > maxRequests || r.bytes > maxRequestBytes && len(r.kept) > 1 {
		r.bytes -= r.kept[0].size()
		r.kept[0] = nil
		r.kept = r.kept[1:]
	}
}

// Requests returns the requests that the server received, oldest first. A
// client that has its response finds its request here, with the final
// StatusCode and TookEffect. The server keeps the last 10,000 requests, and
// fewer if they exceed 32 MiB; RequestCount counts them all.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests.kept))
	for n, request := range s.requests.kept {
		requests[n] = request.clone()
	}
	return requests
}

// RequestCount returns how many requests the server has received, including
// those that it no longer keeps.
func (s *Server) RequestCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests.count
}
