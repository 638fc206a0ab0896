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

// Server is a Losant API with one instance, which has one organization. Make
// one with [New] or [NewServer]. It is safe for concurrent use. Do not change
// its fields.
type Server struct {
	URL        string // the base URL, http://
	Token      string // the only token that it accepts, for all actions
	InstanceID string // of the only instance, 24 hexadecimal digits
	OrgID      string // of its only organization, 24 hexadecimal digits

	config  config
	network network
	http    *http.Server
	routes  []route

	once     sync.Once     // for Close
	closing  chan struct{} // closed when Close begins
	serving  sync.WaitGroup
	handlers sync.WaitGroup // guarded by closed, so that none is added while Close waits

	idPrefix string // of the ids of invitations that it makes

	mu       sync.Mutex // guards the rest, and the fields of the requests
	closed   bool
	ahead    time.Duration
	lastID   uint32                      // the number in the last id that it made
	invites  map[string]losant.OrgInvite // by id in lower case
	faults   []Fault                     // their Times is what is left
	requests recording
	clients  []*losant.Client // that it made
}

// TB is what [New] needs of a [testing.TB]. It is an interface of its own so that
// programs other than tests can use this package without package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// New starts a server that closes when the test t, or the subtest or benchmark,
// ends. It fails t if there is no free port on the loopback interface.
func New(t TB, opts ...Option) *Server {
	t.Helper()
	s, err := start(opts)
	if err != nil {
		t.Fatalf("losanttest: no free port on the loopback interface: %v", err)
		return nil // a t that goes on after Fatalf
	}
	t.Cleanup(s.Close)
	return s
}

// NewServer starts a server. The caller must call Close when done; in a test,
// use [New]. Like [net/http/httptest.NewServer], it panics if there is no free
// port on the loopback interface.
func NewServer(opts ...Option) *Server {
	s, err := start(opts)
	if err != nil {
		panic(fmt.Sprintf("losanttest: no free port on the loopback interface: %v", err))
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
	s.serving.Go(func() { _ = s.http.Serve(s.network) }) // ErrServerClosed
	return s, nil
}

// actions returns what carries out each action of the description.
func (s *Server) actions() map[string]func(*call) *response {
	return map[string]func(*call) *response{
		"InstanceOrgInvite.Get":          s.getInvite,
		"InstanceOrgInvite.Delete":       s.deleteInvite,
		"InstanceOrgInvite.ResendInvite": s.resendInvite,
		"InstanceOrgInvites.Get":         s.getInvites,
		"InstanceOrgInvites.Post":        s.postInvite,
	}
}

// connState closes a connection that was accepted while Close was already
// closing all connections.
func (s *Server) connState(conn net.Conn, state http.ConnState) {
	if state != http.StateNew {
		return
	}
	select {
	case <-s.closing:
		_ = conn.Close()
	default:
	}
}

// Close stops the server, and closes the idle connections of clients from
// Client. It returns within one second, whatever clients do: it cuts requests in
// progress off, also in the Delay of a Fault. After Close returns, no action is
// carried out; Invite, Invites and Requests still work. Further calls do nothing.
func (s *Server) Close() {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.closing)
		_ = s.http.Close() // of the listener: there is nothing to do about it
		s.handlers.Wait()
		s.serving.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, client := range s.clients {
			client.CloseIdleConnections()
		}
	})
}

// begin reports whether a request may begin, which it may not after Close has
// begun. If so, the caller must call s.handlers.Done at its end.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handlers.Add(1)
	return true
}

// Client returns a client of this server, with its Token and URL, and, if the
// server is in memory, with a Transport. opts come after these. The errors are
// those of [losant.NewClient].
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

// Transport returns a new transport whose connections all lead to this server,
// whatever the host in the URL is. It uses no proxy. It is for clients that a
// program makes itself, as with [losant.WithHTTPClient].
func (s *Server) Transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.network.dial(ctx) },
	}
}

// newID returns a random id.
func newID() string {
	const length = 12 // bytes, as 24 digits
	id := make([]byte, length)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}
