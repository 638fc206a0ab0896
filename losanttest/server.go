package losanttest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// Server is an in-memory Losant API with one instance, which has one
// organization. Create it with [New] or [NewServer]. It is safe for concurrent
// use. Its fields must not be changed.
type Server struct {
	URL        string // the base URL, http://
	Token      string // the only valid token; it permits all actions
	InstanceID string // id of the instance, 24 hexadecimal digits
	OrgID      string // id of the organization, 24 hexadecimal digits

	config  config
	network network
	http    *http.Server
	routes  []route

	once     sync.Once      // for Close
	closing  chan struct{}  // closed when Close begins
	serving  sync.WaitGroup // the goroutine that accepts connections
	conns    sync.WaitGroup // open connections
	handlers sync.WaitGroup // requests in progress; closed prevents an Add while Close waits

	idPrefix string // of the ids of new invitations

	mu       sync.Mutex // guards the fields below, and the fields of the requests
	closed   bool
	ahead    time.Duration               // sum of all calls of Advance
	lastID   uint32                      // suffix of the last id that was created
	invites  map[string]losant.OrgInvite // by id in lower case
	faults   []Fault                     // Times is the number of requests that remain
	requests recording
	clients  []*losant.Client // created by Client
}

// TB is the part of [testing.TB] that [New] uses. It is declared here so that this
// package does not import package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// New starts a server that closes when the test, subtest or benchmark t ends. If
// it cannot listen on the loopback interface, it calls t.Fatalf.
func New(t TB, opts ...Option) *Server {
	t.Helper()
	s, err := start(opts)
	if err != nil {
		t.Fatalf("losanttest: cannot listen on the loopback interface: %v", err)
		return nil // a TB of the caller may return from Fatalf
	}
	t.Cleanup(s.Close)
	return s
}

// NewServer starts a server. The caller must call Close when finished with it. In
// a test, use [New] instead. Like [net/http/httptest.NewServer], NewServer panics
// if it cannot listen on the loopback interface.
func NewServer(opts ...Option) *Server {
	s, err := start(opts)
	if err != nil {
		panic(fmt.Sprintf("losanttest: cannot listen on the loopback interface: %v", err))
	}
	return s
}

func start(opts []Option) (*Server, error) {
	s := &Server{
		Token:      "token-" + newID(),
		InstanceID: newID(),
		OrgID:      newID(),
		closing:    make(chan struct{}),
		idPrefix:   newID()[:16],
		invites:    make(map[string]losant.OrgInvite),
	}
	for _, opt := range opts {
		opt(&s.config)
	}
	s.network = listenInMemory()
	if !s.config.inMemory {
		var err error
		if s.network, err = listenOnLoopback(); err != nil {
			return nil, err
		}
	}
	s.URL = s.network.url()
	s.routes = routes(s.actions())
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ConnState: s.connState}
	s.serving.Go(func() { _ = s.http.Serve(s.network) }) // always returns ErrServerClosed
	return s, nil
}

// actions returns the handlers of the actions, by operation.
func (s *Server) actions() map[string]func(*call) *response {
	return map[string]func(*call) *response{
		"InstanceOrgInvite.Get":          s.getInvite,
		"InstanceOrgInvite.Delete":       s.deleteInvite,
		"InstanceOrgInvite.ResendInvite": s.resendInvite,
		"InstanceOrgInvites.Get":         s.getInvites,
		"InstanceOrgInvites.Post":        s.postInvite,
	}
}

// connState counts the open connections. It closes new connections after Close has
// begun, because http.Server.Close can miss a connection that is accepted while it
// runs.
func (s *Server) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateHijacked, http.StateClosed:
		s.conns.Done()
	case http.StateActive, http.StateIdle:
	case http.StateNew:
		s.conns.Add(1)
		select {
		case <-s.closing:
			_ = conn.Close()
		default:
		}
	}
}

// Close stops the server and closes the idle connections of clients that Client
// returned. It does not wait for clients: it closes the connections of requests in
// progress, including requests in the Delay of a Fault, and returns within one
// second. No action takes effect after Close returns. Invite, Invites and Requests
// can still be called. Further calls of Close do nothing.
func (s *Server) Close() {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.closing)
		_ = s.http.Close() // an error of the listener has no consequence
		s.handlers.Wait()
		s.serving.Wait()
		s.conns.Wait() // after a 413, net/http keeps its goroutine for half a second
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, client := range s.clients {
			client.CloseIdleConnections()
		}
	})
}

// begin reports whether a request may be handled. It returns false after Close
// has begun. If it returns true, the caller must call s.handlers.Done.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// Client returns a new client with the server's Token and URL. If the server
// listens in memory, the client also uses its Transport. The options are applied
// after these settings. Client returns the errors of [losant.NewClient].
func (s *Server) Client(opts ...losant.Option) (*losant.Client, error) {
	own := []losant.Option{losant.WithBaseURL(s.URL)}
	if s.config.inMemory {
		own = append(own, losant.WithHTTPClient(&http.Client{Transport: s.Transport()}))
	}
	client, err := losant.NewClient(s.Token, append(own, opts...)...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, client)
	return client, nil
}

// Transport returns a new transport that connects to this server for every host
// in a URL. It uses no proxy. Pass it to [losant.WithHTTPClient] in a program that
// creates its own client.
func (s *Server) Transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.network.dial(ctx) },
	}
}

// newID returns a random id.
func newID() string {
	const length = 12 // bytes: 24 hexadecimal digits
	id := make([]byte, length)
	_, _ = rand.Read(id) // never returns an error
	return hex.EncodeToString(id)
}
