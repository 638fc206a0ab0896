package losanttest

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is a request that is being handled.
type call struct {
	*Request

	route    *route            // nil if no action has this path and method
	allowed  []string          // methods that the path has
	ids      map[string]string // by the name in the template
	err      error             // error of reading the query or the body
	tooLarge bool              // the body exceeds maxBodyBytes
}

// response is an HTTP response.
type response struct {
	status int
	header http.Header
	body   []byte
}

// serve handles one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		cut(w)
		return
	}
	defer s.handlers.Done()
	c, fault := s.receive(w, r)
	var ordinary *response
	if fault.TakesEffect {
		ordinary = s.act(c)
	}
	if !s.wait(r.Context(), fault.Delay) {
		cut(w)
		return
	}
	if ordinary == nil && fault.isOrdinary() {
		ordinary = s.act(c)
	}
	if fault.Cut {
		cut(w)
		return
	}
	s.respond(w, c, fault.response(ordinary), fault.CutBody)
}

// respond writes a response. If half is true, it writes only half of the body.
func (s *Server) respond(w http.ResponseWriter, c *call, response response, half bool) {
	s.mu.Lock()
	c.StatusCode = response.status
	s.mu.Unlock()
	maps.Copy(w.Header(), response.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(response.body)))
	w.WriteHeader(response.status)
	body := response.body
	if half {
		body = body[:len(body)/2] // net/http then closes the connection
	}
	_, _ = w.Write(body) // fails if the client has disconnected
}

// receive reads a request, records it and removes its fault from the queue.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (*call, Fault) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	body, errBody := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	var tooLarge *http.MaxBytesError
	c := &call{
		Request:  &Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: query, Header: r.Header, Body: body},
		err:      errors.Join(errBody, err),
		tooLarge: errors.As(errBody, &tooLarge),
	}
	for n, route := range s.routes {
		ids, ok := match(route.template, c.Path)
		if !ok {
			continue
		}
		c.allowed = append(c.allowed, route.method)
		if route.method == r.Method {
			c.route, c.ids, c.Operation = &s.routes[n], ids, route.operation
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.add(c.Request)
	return c, s.takeFault(c.Operation)
}

// takeFault removes the first fault for operation from the queue and returns it.
// The caller must hold s.mu.
func (s *Server) takeFault(operation string) Fault {
	n := slices.IndexFunc(s.faults, func(f Fault) bool { return f.Operation == "" || f.Operation == operation })
	if n < 0 {
		return Fault{}
	}
	fault := s.faults[n]
	if s.faults[n].Times--; s.faults[n].Times == 0 {
		s.faults = slices.Delete(s.faults, n, n+1)
	}
	return fault
}

// match returns the ids in path, and whether path has the form of template.
func match(template, path string) (map[string]string, bool) {
	names, values := strings.Split(template, "/"), strings.Split(path, "/")
	if len(names) != len(values) {
		return nil, false
	}
	ids := make(map[string]string)
	for n, name := range names {
		switch {
		case strings.HasPrefix(name, "{") && values[n] != "":
			ids[strings.Trim(name, "{}")] = values[n]
		case name != values[n]:
			return nil, false
		}
	}
	return ids, true
}

// wait waits for d. It returns false if the client disconnects or Close begins
// first.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil // both channels may be ready
	case <-ctx.Done():
	case <-s.closing:
	}
	return false
}

// cut resets the connection.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // closes the connection
	}
	abort(conn)
}

// act checks a request and performs its action.
func (s *Server) act(c *call) *response {
	if refusal := s.refusal(c); refusal != nil {
		return refusal
	}
	return c.route.act(c)
}
