// Package losanttest is a Losant API in memory, for the tests of programs that
// use package losant. It speaks the documented contract over loopback HTTP, so
// that a test runs through the whole client, and it can fail on request.
//
//	srv := losanttest.NewServer()
//	defer srv.Close()
//	ref := srv.AddInvite(losant.OrgInvite{Email: "new.member@example.com"})
//	client, err := srv.Client()
//	// …
//	srv.Inject(losanttest.Fault{Operation: "InstanceOrgInvite.Delete", Cut: true, TakesEffect: true})
//	err = client.InstanceOrgInvite.Delete(ctx, ref)
//	// …
//	for _, request := range srv.Requests() {
//		// request.Operation, request.StatusCode, request.TookEffect
//	}
//
// A test with faults that the client retries should set the MinWait of
// losant.RetryPolicy to a millisecond, or it waits half a second at a time.
//
// # What is checked
//
// A request is checked in this order, and the first objection is the answer,
// as {"type": …, "message": …}:
//
//   - the route: 404 NotFound, or 405 MethodNotAllowed with an Allow header
//     where the path is known and the method is not; the API documents neither
//   - the bearer token: 401 Unauthorized
//   - the query, each parameter once or not at all: the flags _actions, _links
//     and _embedded, true or false, and those of the action: 400 Validation
//   - the ids, 24 hexadecimal digits of either case: 400 Validation
//   - the body, against the published schema, unknown properties refused, or
//     that there is none where the action takes none: 400 Validation
//   - that the instance, the organization and the resource exist: 404 NotFound
//
// What is not documented is not imitated: scopes, Accept-Version, losantdomain,
// limits on members or requests, and what _actions and _embedded add.
//
// # Where the API says too little
//
// The server has to do something all the same:
//
//   - ResendInvite: the API does not say what becomes of a field that is left
//     out; this server keeps it as it is. The invitation gets a new id, and the
//     old one is gone.
//   - Post, for an email that has an invitation already: it gets another one,
//     so that a test sees what was sent twice. For a refusal, inject a Fault
//     with the StatusCode 409.
//   - Post answers with the new invitation alone, and without sortField and
//     sortDirection. It keeps an email as it was written.
//   - The format of an email is what net/mail reads as a bare address, in ASCII.
//   - Get of a collection: * in the filter stands for any characters, ? for
//     one, and all others for themselves. Case does not matter, neither to the
//     filter nor to the order. Roles are in the order of the alphabet.
//   - What is otherwise equal is in the order of the ids. Those that the server
//     makes up ascend, so that is the order in which it made the invitations.
//     With desc everything is the other way round.
//   - A blank sortDirection, which only the schema of the answer has, is desc.
//
// A filter without a filterField, or the reverse, filters nothing: so the API
// has it.
package losanttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/losant-community/losant-rest-go"
)

// Server is a Losant API with one instance, which has one organization. Make
// one with [NewServer]. It is safe for concurrent use; its fields are not to
// be changed.
type Server struct {
	URL        string // the base URL, http on loopback
	Token      string // the one token that it accepts, for everything
	InstanceID string // of the one instance, 24 hexadecimal digits
	OrgID      string // of its one organization, likewise

	http    *httptest.Server
	routes  []route
	closing chan struct{} // closed when Close begins
	once    sync.Once     // for Close

	idPrefix string // of the ids that it makes up for invites

	mu       sync.Mutex // guards what follows, and what the requests point to
	ahead    time.Duration
	lastID   uint32                      // the number in the last id that it made up
	invites  map[string]losant.OrgInvite // by id in lower case
	faults   []Fault                     // their Times is what is left
	requests []*Request
	clients  []*losant.Client
}

// Request is one that arrived.
type Request struct {
	Operation  string      // "InstanceOrgInvite.Get"; "" if it is for none, as with an unknown path
	Method     string      // of HTTP
	Path       string      // as it was sent, without the query
	Query      url.Values  // what could be read of it
	Header     http.Header // without Host
	Body       []byte      // empty if there was none
	StatusCode int         // of the answer; 0: none yet, or none at all because the connection was cut
	TookEffect bool        // it changed the state, or "sent" mail
}

// NewServer starts a server on a free port of the loopback interface. Call
// Close when it is not needed any more. Like [httptest.NewServer], it panics if
// there is no port to be had.
func NewServer() *Server {
	s := &Server{
		Token:      "token-" + newID(),
		InstanceID: newID(),
		OrgID:      newID(),
		closing:    make(chan struct{}),
		idPrefix:   newID()[:16],
		invites:    make(map[string]losant.OrgInvite),
	}
	const (
		invites = "/instances/{instanceId}/orgs/{orgId}/invites"
		invite  = invites + "/{inviteId}"
	)
	s.routes = []route{
		{"InstanceOrgInvite.Get", http.MethodGet, invite, flags(), nil, s.withInvite(s.getInvite)},
		{"InstanceOrgInvite.Delete", http.MethodDelete, invite, flags(), nil, s.withInvite(s.deleteInvite)},
		{"InstanceOrgInvite.ResendInvite", http.MethodPost, invite, flags(), orgRoleInfo(), s.withInvite(s.resendInvite)},
		{"InstanceOrgInvites.Get", http.MethodGet, invites, instanceOrgInvitesQuery(), nil, s.getInvites},
		{"InstanceOrgInvites.Post", http.MethodPost, invites, flags(), orgInvitePost(), s.postInvite},
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close stops the server. A request whose answer is still delayed is cut off at
// once. It also closes the idle connections of the clients that came from
// Client. Invite, Invites and Requests still work. Closing twice does no harm.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closing)
		s.http.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, client := range s.clients {
			client.CloseIdleConnections()
		}
	})
}

// Client returns a client of this server, with its token and URL, and then
// opts. Its errors are those of [losant.NewClient].
func (s *Server) Client(opts ...losant.Option) (*losant.Client, error) {
	client, err := losant.NewClient(s.Token, append([]losant.Option{losant.WithBaseURL(s.URL)}, opts...)...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, client)
	return client, nil
}

// AddInvite puts an invitation into the organization, in the place of the one
// with the same ID if there is one, and returns its name. What is missing is
// filled in: an ID above those before, the Email invited@example.com, the Role
// view, the server's time as InviteDate, a TTL of seven days. HasExpired and
// Links are not taken from invite: the server answers with its own.
//
// It panics if the ID is given and not 24 hexadecimal digits, or if the
// InviteDate is none that RFC 3339 can write.
func (s *Server) AddInvite(invite losant.OrgInvite) losant.InstanceOrgInviteRef {
	s.mu.Lock()
	defer s.mu.Unlock()
	if invite.ID != "" && !idPattern.MatchString(invite.ID) {
		panic(fmt.Sprintf("losanttest: the invite's ID %q is not 24 hexadecimal digits", invite.ID))
	}
	if _, err := invite.InviteDate.MarshalJSON(); err != nil {
		panic(fmt.Sprintf("losanttest: the invite's InviteDate: %v", err))
	}
	if invite.Email == "" {
		invite.Email = "invited@example.com"
	}
	if invite.Role == "" {
		invite.Role = losant.OrgRoleView
	}
	invite = s.add(invite)
	return losant.InstanceOrgInviteRef{InstanceID: s.InstanceID, OrgID: s.OrgID, InviteID: invite.ID}
}

// add puts invite into the state, with the ID, InviteDate and TTL that it lacks.
func (s *Server) add(invite losant.OrgInvite) losant.OrgInvite {
	if invite.ID == "" {
		s.lastID++
		invite.ID = fmt.Sprintf("%s%08x", s.idPrefix, s.lastID)
	}
	if invite.InviteDate.IsZero() {
		invite.InviteDate = s.now()
	}
	if invite.TTL == 0 {
		const week = 7 * 24 * time.Hour
		invite.TTL = week
	}
	invite.Links = nil
	s.invites[strings.ToLower(invite.ID)] = detached(invite)
	return invite
}

// Invite returns an invitation as it is now, without Links, and whether it
// exists.
func (s *Server) Invite(ref losant.InstanceOrgInviteRef) (losant.OrgInvite, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	invite, ok := s.invites[strings.ToLower(ref.InviteID)]
	if !ok || !strings.EqualFold(ref.InstanceID, s.InstanceID) || !strings.EqualFold(ref.OrgID, s.OrgID) {
		return losant.OrgInvite{}, false
	}
	return s.current(invite), true
}

// Invites returns the invitations as they are now, without Links, sorted by
// InviteDate and then by ID. It is empty if there are none.
func (s *Server) Invites() []losant.OrgInvite {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sorted(losant.OrgInviteFieldInviteDate)
}

// Inject queues faults. Each request takes the first fault in the queue that
// matches its operation, and the fault is gone after Fault.Times requests. It
// strikes even a request that the checks would refuse.
//
// It panics if a fault contradicts itself, or names an operation that the
// server does not know.
func (s *Server) Inject(faults ...Fault) {
	for _, fault := range faults {
		if contradiction := fault.contradiction(s.routes); contradiction != "" {
			panic(fmt.Sprintf("losanttest: the fault %+v %s", fault, contradiction))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range faults {
		fault.Times = max(fault.Times, 1)
		s.faults = append(s.faults, fault)
	}
}

// Requests returns what arrived, in order. A client that has its answer finds
// its request here, with StatusCode and TookEffect as they stay.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests))
	for n, request := range s.requests {
		requests[n] = *request
		requests[n].Query = url.Values(http.Header(request.Query).Clone())
		requests[n].Header = request.Header.Clone()
		requests[n].Body = slices.Clone(request.Body)
	}
	return requests
}

// Advance turns the server's clock forward by d, so that invites expire. It
// does not touch the delays of faults.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// now is the server's time, as fine as the API writes it.
func (s *Server) now() time.Time {
	return time.Now().Add(s.ahead).UTC().Truncate(time.Millisecond)
}

// route is one action of the API.
type route struct {
	operation string // "InstanceOrgInvite.Get"
	method    string // of HTTP
	template  string // of the path
	query     map[string]check
	body      check // nil: it takes none
	act       func(*call) answer
}

// call is one request on its way.
type call struct {
	*Request
	route   *route            // nil: there is none
	allowed []string          // the methods that the path knows
	ids     map[string]string // by their name in the template
	broken  error             // why the query or the body could not be read
}

// answer is what goes back, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c, fault := s.arrived(r)
	var ordinary *answer
	if fault.TakesEffect {
		ordinary = s.act(c)
	}
	if !s.wait(r.Context(), fault.Delay) {
		cut(w)
		return
	}
	if ordinary == nil && fault.ordinary() {
		ordinary = s.act(c)
	}
	if fault.Cut {
		cut(w)
		return
	}
	a := fault.answer(ordinary)
	s.mu.Lock()
	c.StatusCode = a.status
	s.mu.Unlock()
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if fault.CutBody {
		a.body = a.body[:len(a.body)/2] // net/http then closes the connection
	}
	_, _ = w.Write(a.body) // the client may have gone
}

// arrived reads and records a request, and takes its fault from the queue.
func (s *Server) arrived(r *http.Request) (*call, Fault) {
	query, broken := url.ParseQuery(r.URL.RawQuery)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		broken = err
	}
	c := &call{
		Request: &Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: query, Header: r.Header, Body: body},
		broken:  broken,
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
	s.requests = append(s.requests, c.Request)
	n := slices.IndexFunc(s.faults, func(f Fault) bool { return f.Operation == "" || f.Operation == c.Operation })
	if n < 0 {
		return c, Fault{}
	}
	fault := s.faults[n]
	if s.faults[n].Times--; s.faults[n].Times == 0 {
		s.faults = slices.Delete(s.faults, n, n+1)
	}
	return c, fault
}

// match reports whether path is one of template, and the ids in it.
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

// wait reports whether there is still somebody to answer after d.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil // both may have happened by now
	case <-ctx.Done():
	case <-s.closing:
	}
	return false
}

// cut resets the connection.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // which ends it as well, if less rudely
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// act does what is asked for, or refuses it.
func (s *Server) act(c *call) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refusal := s.reasonInvalid(c); refusal != nil {
		return refusal
	}
	a := c.route.act(c)
	c.TookEffect = c.Method != http.MethodGet && a.status < http.StatusBadRequest
	return &a
}

// refusal makes the checks that are the same for every route.
func (s *Server) reasonInvalid(c *call) *answer {
	switch {
	case len(c.allowed) == 0:
		return apiError(http.StatusNotFound, "NotFound", "No such route")
	case c.route == nil:
		a := apiError(http.StatusMethodNotAllowed, "MethodNotAllowed", c.Method+" is not a method of this route")
		a.header.Set("Allow", strings.Join(c.allowed, ", "))
		return a
	case !s.authorized(c.Header):
		return apiError(http.StatusUnauthorized, "Unauthorized", "The bearer token is missing or not valid")
	}
	if err := c.validate(); err != nil {
		return apiError(http.StatusBadRequest, "Validation", err.Error())
	}
	if id, ok := c.ids["instanceId"]; ok && !strings.EqualFold(id, s.InstanceID) {
		return apiError(http.StatusNotFound, "NotFound", "No such instance")
	}
	if id, ok := c.ids["orgId"]; ok && !strings.EqualFold(id, s.OrgID) {
		return apiError(http.StatusNotFound, "NotFound", "No such organization")
	}
	return nil
}

func (s *Server) authorized(header http.Header) bool {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && token == s.Token
}

// validate checks the form of the query, the ids and the body.
func (c *call) validate() error {
	if c.broken != nil {
		return fmt.Errorf("the request can't be read: %w", c.broken)
	}
	for _, name := range slices.Sorted(maps.Keys(c.route.query)) {
		values := c.Query[name]
		if len(values) > 1 {
			return fmt.Errorf("%s must be there only once", name)
		}
		for _, value := range values {
			if err := c.route.query[name](name, value); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.ids)) {
		if !idPattern.MatchString(c.ids[name]) {
			return fmt.Errorf("%s must match %s", name, idPattern)
		}
	}
	if c.route.body == nil {
		if len(c.Body) > 0 {
			return fmt.Errorf("%s takes no body", c.Operation)
		}
		return nil
	}
	if mediaType, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type")); mediaType != "application/json" {
		return errors.New("the Content-Type must be application/json")
	}
	var body any
	if err := json.Unmarshal(c.Body, &body); err != nil {
		return fmt.Errorf("the body must be one JSON document: %w", err)
	}
	return c.route.body("body", body)
}

func apiError(status int, kind, message string) *answer {
	a := jsonAnswer(status, map[string]string{"type": kind, "message": message})
	return &a
}

func jsonAnswer(status int, document any) answer {
	body, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("losanttest: what was put into the server is no JSON: %v", err))
	}
	return answer{
		status: status,
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		body:   body,
	}
}

// decode reads what is known to be JSON of the right form. Of a member that is
// there twice the checks have seen the last one alone, so that one is read.
func decode(data []byte, destination any) {
	var checked any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err := decoder.Decode(&checked)
	if err == nil {
		data, err = json.Marshal(checked)
	}
	if err == nil {
		err = json.Unmarshal(data, destination)
	}
	if err != nil {
		panic(fmt.Sprintf("losanttest: the checks let through what they should not: %v", err))
	}
}

func newID() string {
	const length = 12 // bytes, as 24 digits
	id := make([]byte, length)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}
