package losanttest

import (
	"net/http"
	"net/url"
	"slices"
)

// Limits for the requests that a server keeps. The package documentation states
// them.
const (
	maxRequests     = 10_000
	maxRequestBytes = 32 << 20 // for all requests together
	maxBodyBytes    = 1 << 20  // for the body of one request
)

// Request is a request that the server received.
type Request struct {
	Operation  string      // such as "InstanceOrgInvite.Get"; "" if no action has this path and method
	Method     string      // HTTP method
	Path       string      // path as sent, without the query
	Query      url.Values  // parameters; those that cannot be decoded are left out
	Header     http.Header // without Host
	Body       []byte      // the first 1 MiB of the body
	StatusCode int         // status of the response; 0 before the response, and if the connection was cut without one
	TookEffect bool        // whether the action created, resent or deleted an invitation
}

// size estimates the memory that r occupies, in bytes.
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

// recording holds the requests that a server keeps.
type recording struct {
	kept  []*Request // oldest first
	bytes int        // sum of the sizes of kept
	count int        // all requests received
}

// add appends request, and removes the oldest requests beyond the limits.
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

// Requests returns copies of the requests that the server received, oldest first.
// The server keeps the last 10,000 requests, or fewer if they exceed 32 MiB.
// Once a client has received a response, StatusCode and TookEffect of its request
// are final.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests.kept))
	for n, request := range s.requests.kept {
		requests[n] = request.clone()
	}
	return requests
}

// RequestCount returns the number of requests that the server has received,
// including those that it no longer keeps.
func (s *Server) RequestCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests.count
}
