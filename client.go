// Package losant is a client for the Losant REST API.
//
// A [Client] has one field per resource of the API, each an interface with one
// method per action:
//
//	client, err := losant.NewClient(token)
//	invite, err := client.InstanceOrgInvite.Get(ctx, ref)
//
// A method returns a nil error if and only if the API did what was asked and
// its answer is whole; every other end is an [*Error]. What can be repeated
// without doing a thing twice is repeated, as [RetryPolicy] says. A Client is
// safe for concurrent use, and one is enough for a program.
//
// This package is not made by Losant.
package losant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go/internal/baseurl"
	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/route"
	"github.com/losant-community/losant-rest-go/internal/text"
)

const version = "0.1.0"

// Client calls the Losant REST API. Make one with [NewClient]. The fields can
// be replaced by fakes in tests, before the client is used.
type Client struct {
	InstanceOrgInvite  InstanceOrgInviteService  // one invitation to an organization of an instance
	InstanceOrgInvites InstanceOrgInvitesService // the invitations to an organization of an instance

	base        url.URL // its path has no slash at the end
	apiVersion  string
	userAgent   string
	credentials credentials
	defaults    []RequestOption
	loop        *retry.Loop
	own         *http.Transport // nil: the user's is used
}

// NewClient returns a client that sends token, a Losant API token, with every
// request. It does not contact the API. Its errors match [ErrInvalidArgument].
func NewClient(token string, opts ...Option) (*Client, error) {
	c, err := newClient(token, opts)
	if err != nil {
		return nil, invalid("NewClient", err)
	}
	c.InstanceOrgInvite = &instanceOrgInviteService{c}
	c.InstanceOrgInvites = &instanceOrgInvitesService{c}
	return c, nil
}

func newClient(token string, opts []Option) (*Client, error) {
	s := settings{
		baseURL:          "https://api.losant.com",
		apiVersion:       "^1.30.0",
		userAgent:        "losant-rest-go/" + version + " (" + runtime.Version() + ")",
		maxResponseBytes: 8 << 20,
	}
	for _, option := range opts {
		if option == nil {
			return nil, errors.New("an option is nil")
		}
		if err := option(&s); err != nil {
			return nil, err
		}
	}
	if s.credentials.authorization == nil {
		if err := checkToken(token); err != nil {
			return nil, err
		}
		s.credentials = fixedToken(token)
	}
	base, err := baseurl.Parse(s.baseURL, s.insecureHTTP)
	if err != nil {
		return nil, err
	}
	policy, err := retry.Policy(s.policy).Complete()
	if err != nil {
		return nil, err
	}
	c := &Client{base: *base, apiVersion: s.apiVersion, userAgent: s.userAgent, credentials: s.credentials, defaults: s.defaults}
	if s.httpClient == nil {
		c.own = newTransport()
		s.httpClient = &http.Client{Transport: c.own}
	}
	if t := s.httpClient.Timeout; t > 0 {
		policy.AttemptTimeout = min(policy.AttemptTimeout, t)
	}
	c.loop = retry.New(policy, s.maxResponseBytes, c.hooks(s.httpClient, s.logger))
	return c, nil
}

// newTransport differs from http.DefaultTransport in that it does not depend on
// what the program did to that, and keeps all of its connections, so that 64
// goroutines do not open new ones all the time. Without the bound net/http opens
// more of them than there are goroutines; without pings it would keep using an
// HTTP/2 connection that has gone dead.
func newTransport() *http.Transport {
	const connections = 64
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
		MaxConnsPerHost:       connections,
		MaxIdleConnsPerHost:   connections,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// CloseIdleConnections closes the connections that the client keeps open and
// does not use now. The client stays usable. With [WithHTTPClient] it does
// nothing: the connections are not the client's.
func (c *Client) CloseIdleConnections() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Format makes every verb of fmt print the base URL alone: fmt would otherwise
// read connections that other goroutines are changing.
func (c Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "losant.Client("+c.base.String()+")")
}

// The life of a call, from a service's method to its answer.

// request is what a service's method says about its call.
type request struct {
	operation string // "InstanceOrgInvite.Get"
	method    string // of HTTP
	path      route.Path
	query     url.Values
	body      any   // sent as JSON; nil: none
	err       error // why the call makes no sense
}

// answer is what a success is decoded into. It refuses an object that is not
// the thing asked for.
type answer interface{ whole() error }

// call sends r and returns the answer as a T.
func call[T any, P interface {
	*T
	answer
}](ctx context.Context, c *Client, r request, opts []RequestOption) (*T, error) {
	t := new(T)
	if err := c.send(ctx, r, P(t), opts); err != nil {
		return nil, err
	}
	return t, nil
}

// send sends r, as often as the policy allows, and decodes the answer into a.
func (c *Client) send(ctx context.Context, r request, a answer, opts []RequestOption) error {
	x := &exchange{}
	defer x.Release()
	if err := c.newRequest(ctx, x, r, opts); err != nil {
		return err
	}
	c.loop.Do(x)
	x.options.fill(&x.Call)
	if x.Outcome != retry.Succeeded {
		return newError(x, nil)
	}
	if err := decode(x.Body, a); err != nil {
		return newError(x, err)
	}
	return nil
}

// newRequest makes the request of the exchange, whole, or refuses it.
func (c *Client) newRequest(ctx context.Context, x *exchange, r request, opts []RequestOption) error {
	if err := x.options.apply(c.defaults, opts); err != nil {
		return invalid(r.operation, err)
	}
	if ctx == nil {
		return invalid(r.operation, errors.New("the context is nil"))
	}
	if err := cmp.Or(r.err, r.path.Err); err != nil {
		return invalid(r.operation, err)
	}
	content, err := encode(r.body)
	if err != nil {
		return invalid(r.operation, err)
	}
	x.caller = ctx
	x.operation = Operation{Name: r.operation, Method: r.method, PathTemplate: r.path.Template}
	x.url = c.base
	x.url.Path += r.path.Expanded
	if r.path.Escaped != "" {
		x.url.RawPath = c.base.Path + r.path.Escaped
	}
	x.url.RawQuery = x.options.query()
	if query := r.query.Encode(); query != "" {
		x.url.RawQuery += "&" + query
	}
	x.Method, x.URL, x.Content = r.method, &x.url, content
	x.KeepRecord = len(x.options.responses) > 0
	if err := c.credentials.authorize(x); err != nil {
		return newCredentialsError(x, err)
	}
	x.Header = c.newHeader(x)
	x.Start(ctx)
	return nil
}

// encode writes a body as JSON, or refuses one that makes no sense.
func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	content, err := json.Marshal(body)
	if string(content) == "null" {
		return nil, errors.New("the body is null")
	}
	return content, err
}

// newHeader makes the header of a request.
func (c *Client) newHeader(x *exchange) http.Header {
	const most = 6
	header := make(http.Header, most)
	values := make([]string, 0, most) // one array for all the values of one request
	set := func(name, value string) {
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	set("Accept", "application/json")
	set("Accept-Version", c.apiVersion)
	set("Authorization", x.authorization)
	set("User-Agent", c.userAgent)
	if x.Content != nil {
		set("Content-Type", "application/json")
	}
	if x.options.losantDomain != "" {
		set("Losantdomain", x.options.losantDomain)
	}
	return header
}

// decode reads a success. A body that is not one JSON object is none.
func decode(body []byte, a answer) error {
	openings := "{"
	if _, ok := a.(interface{ mayBeArray() }); ok {
		openings = "{["
	}
	if begin := bytes.TrimLeft(body, " \t\r\n"); len(begin) == 0 || strings.IndexByte(openings, begin[0]) < 0 {
		return errors.New("it is not a JSON object")
	}
	unmarshal := func(data []byte) error { return json.Unmarshal(data, a) }
	if own, ok := a.(json.Unmarshaler); ok {
		unmarshal = own.UnmarshalJSON // json.Unmarshal would scan the body twice more
	}
	if err := unmarshal(body); err != nil {
		return err
	}
	return a.whole()
}

// exchange is the state of one call. It is also the context of its requests, so
// that the hooks of the loop, and whoever asks for the Operation, find it.
type exchange struct {
	retry.Call
	caller        context.Context
	operation     Operation
	options       requestOptions
	url           url.URL
	authorization string   // the header's value in the last request
	renewed       string   // the one for the next request, if it is known already
	spent         []string // those of the requests before
}

type exchangeKey struct{}

// Value makes the exchange findable.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Call.Value(key)
}

func exchangeIn(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// Format keeps the token from whoever prints the context of a request.
func (x *exchange) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "losant: "+x.operation.Name) }

// hooks are what the loop asks of the client while it runs a call.
func (c *Client) hooks(hc *http.Client, logger *slog.Logger) retry.Hooks {
	hooks := retry.Hooks{
		Transport: func() http.RoundTripper {
			if hc.Transport == nil {
				return http.DefaultTransport
			}
			return hc.Transport
		},
		Prepare: func(ctx context.Context) error {
			x := exchangeIn(ctx)
			if err := c.credentials.authorize(x); err != nil {
				return err
			}
			x.Header = x.Header.Clone()
			x.Header.Set("Authorization", x.authorization)
			return nil
		},
		Rejected: func(ctx context.Context) { c.credentials.reject(exchangeIn(ctx)) },
		Renew:    func(ctx context.Context) (bool, error) { return c.credentials.renew(exchangeIn(ctx)) },
		Redact:   func(ctx context.Context, err error) error { return exchangeIn(ctx).redactError(err) },
	}
	if logger != nil {
		hooks.Attempted = func(ctx context.Context, a retry.Attempt) {
			logAttempt(ctx, logger, slog.LevelDebug, "losant: attempt", a)
		}
		hooks.Retrying = func(ctx context.Context, last retry.Attempt, wait time.Duration) {
			logAttempt(ctx, logger, slog.LevelWarn, "losant: retry", last, slog.Duration("wait", wait))
		}
	}
	return hooks
}

func logAttempt(ctx context.Context, logger *slog.Logger, level slog.Level, message string, a retry.Attempt, more ...slog.Attr) {
	if !logger.Enabled(ctx, level) {
		return
	}
	x := exchangeIn(ctx)
	attrs := append([]slog.Attr{
		slog.String("operation", x.operation.Name),
		slog.String("method", x.operation.Method),
		slog.String("path", x.operation.PathTemplate),
		slog.Int("status", a.StatusCode),
		slog.Duration("duration", a.Duration),
		slog.Int("attempt", x.Attempts),
	}, more...)
	if a.Err != nil {
		// The error of a transport may hold the URL, and with it ids and more.
		words := a.Err.Error()
		for _, private := range []string{x.url.RequestURI(), x.url.EscapedPath(), x.url.Path, x.url.RawQuery} {
			words = strings.ReplaceAll(words, private, x.operation.PathTemplate)
		}
		attrs = append(attrs, slog.String("error", text.Printable(words)))
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}

// Request describes a call of an action that this package has no method for;
// see [Call].
type Request struct {
	// Operation names the action in errors and logs, and for transports:
	// "Device.Get". By default, Method and the path with {id} for the ids.
	Operation string
	Method    string     // GET, POST, PUT, PATCH or DELETE
	Path      []string   // the segments of the path, not escaped: "applications", id, "devices"
	Query     url.Values // besides _actions, _links and _embedded, which are options
	Body      any        // sent as JSON, which can be a json.RawMessage; nil: none, but a POST or PATCH sends {}
}

// Call calls any action of the API, on the road that the methods of this package
// take: the same checks, token, attempts, errors and options. The answer, a JSON
// object or array, is decoded into a T as [encoding/json] does it; that what was
// asked for is in it, is for the caller to see. An answer without a body is
// [ErrInvalidResponse].
//
// Attempts go by the method: a GET like a Get of this package, a DELETE or PUT
// like its Delete, a POST or PATCH like its ResendInvite, which is not repeated
// if it may have had an effect.
//
// A segment of the path is escaped. If it is empty, or has a dot segment or a
// control character in it, or if anything else of the request makes no sense,
// the error matches [ErrInvalidArgument] and nothing is sent. It is not checked
// for being an id: that, too, is for the caller.
func Call[T any](ctx context.Context, client *Client, r Request, opts ...RequestOption) (*T, error) {
	described := r.request()
	if client == nil || client.loop == nil {
		return nil, invalid(described.operation, errors.New("the client is not one of NewClient"))
	}
	answer, err := call[anything[T]](ctx, client, described, opts)
	if err != nil {
		return nil, err
	}
	return &answer.value, nil
}

// request is the request as a method would describe it.
func (r Request) request() request {
	path := route.Join(r.Path)
	if path.Template == "" {
		path.Template = "/"
	}
	out := request{
		operation: cmp.Or(r.Operation, text.Cut(r.Method+" "+path.Template, 100)),
		method:    r.Method,
		path:      path,
		query:     r.Query,
		body:      r.Body,
	}
	switch r.Method {
	case http.MethodGet:
		if r.Body != nil {
			out.err = errors.New("a GET has no body")
		}
	case http.MethodPost, http.MethodPatch:
		if r.Body == nil {
			// net/http could send a request without a body again by itself.
			out.body = struct{}{}
		}
	case http.MethodPut, http.MethodDelete:
	default:
		out.operation = cmp.Or(r.Operation, "Call")
		out.err = fmt.Errorf("the method %q is not GET, POST, PUT, PATCH or DELETE", text.Cut(r.Method, 20))
	}
	switch r.Body.(type) {
	case io.Reader, []byte:
		out.err = fmt.Errorf("the Body is sent as JSON, and a %T is none; if it holds JSON, make it a json.RawMessage", r.Body)
	}
	for _, name := range []string{"_actions", "_links", "_embedded"} {
		if r.Query.Has(name) {
			out.err = fmt.Errorf("%s is not for the Query: there is an option", name)
		}
	}
	if text.Printable(r.Operation) != r.Operation {
		out.operation, out.err = "Call", errors.New("the operation is not printable, or too long")
	}
	return out
}

// anything is an answer of a type that this package does not know.
type anything[T any] struct{ value T }

// UnmarshalJSON decodes into the value.
func (a *anything[T]) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &a.value) }

func (*anything[T]) mayBeArray() {}

func (*anything[T]) whole() error { return nil }

// Operation is what a request is for. Its fields have few values, so that they
// can name spans and label metrics.
type Operation struct {
	Name         string // "InstanceOrgInvite.Get"
	Method       string // GET
	PathTemplate string // "/instances/{instanceId}/orgs/{orgId}/invites/{inviteId}"
}

// OperationFromContext returns the operation that a request of this package
// belongs to. ctx is the context of the request as an [http.RoundTripper]
// below the client sees it; see [WithHTTPClient].
func OperationFromContext(ctx context.Context) (Operation, bool) {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		return Operation{}, false
	}
	return x.operation, true
}

// RetryPolicy says how often and how patiently a call is attempted. A field
// that is zero takes its default.
//
// A call is attempted again if that can do no harm: a Get after any passing
// failure; a Delete likewise, but not once its success was announced; a
// ResendInvite only if it is certain that nothing was sent, or if the API
// refused it with 429. Any other refusal is final: 3xx, 501, 505, and 4xx except
// 408, which counts as a 5xx, and one 401 if the [TokenSource] then has another
// token. So is a certificate that does not verify.
//
// The waits between attempts grow exponentially, with full jitter. On 429 and
// 503 the API's Retry-After is waited for instead, but never less than
// MinWait. A wait that would exceed MaxWait, or the deadline of the context, is
// not begun: the call returns the API's answer at once, as an [*Error] with
// RetryAfter set.
//
// All calls of a client share a budget of tokens for attempts other than their
// first: each costs 5, a call that succeeds or is refused at once refunds 1, and
// a retry that does refunds its 5. While single failures are retried as ever, in
// a lasting outage the budget runs dry, calls fail at their first attempt, and
// the client does not multiply its traffic.
//
// Below these attempts, net/http itself sends a Get again at once if its
// kept-alive connection turns out to be closed. That counts as an attempt, but
// over HTTP/1.1 even a MaxAttempts of 1 does not prevent it.
//
// A negative field, or a MinWait above the MaxWait, is [ErrInvalidArgument]. If
// only one of the two is set, the other's default gives way.
type RetryPolicy struct {
	MaxAttempts    int           // requests per call, at most; default 4; 1 means never retry
	MinWait        time.Duration // shortest wait between two attempts; default 500 ms
	MaxWait        time.Duration // longest wait, and the longest Retry-After that is waited for; default 30 s
	AttemptTimeout time.Duration // to get a connection, and again from there to the whole answer; default 30 s; the context bounds the call
	Budget         int           // tokens for retries, shared by all calls; default 500; NoBudget: without bound
}

// NoBudget is the Budget of a [RetryPolicy] that lets every call use all its
// attempts, whatever becomes of the others.
const NoBudget = -1

// Response is what came back for a call, for [WithResponse].
type Response struct {
	StatusCode int         // of the last attempt; 0: no answer
	Header     http.Header // of its answer
	Body       []byte      // of its answer, as far as it was read
	Attempts   []Attempt   // one per request, in order
}

// Attempt is one request of a call.
type Attempt struct {
	StatusCode int           // 0: no answer
	Err        error         // why there is no answer, or no whole one
	Duration   time.Duration // of the attempt, until its answer was read
	Wait       time.Duration // slept before it
}

// fill copies the result of a call; its body is about to be reused.
func (o *requestOptions) fill(c *retry.Call) {
	for _, r := range o.responses {
		attempts := make([]Attempt, len(c.Record))
		for n, attempt := range c.Record {
			attempts[n] = Attempt(attempt)
			attempts[n].Err = detach(attempt.Err)
		}
		*r = Response{StatusCode: c.StatusCode, Header: c.AnswerHeader.Clone(), Body: bytes.Clone(c.Body), Attempts: attempts}
	}
}

// RequestOption changes one call. It is an argument of every method, and of
// [WithDefaults].
type RequestOption func(*requestOptions)

type requestOptions struct {
	losantDomain             string
	actions, links, embedded bool
	responses                []*Response
	err                      error // of the first option that makes no sense
}

// WithLosantDomain sends the losantdomain header, the domain scope of the
// request, which is rarely needed. By default, and for "", none is sent.
func WithLosantDomain(domain string) RequestOption {
	return func(o *requestOptions) {
		o.losantDomain = domain
		o.refuse(checkHeader("the losantdomain", domain))
	}
}

// WithActions asks for the actions of the resource in the raw answer
// (_actions). By default, false.
func WithActions(include bool) RequestOption {
	return func(o *requestOptions) { o.actions = include }
}

// WithLinks asks for the links of the resource (_links). By default, true.
func WithLinks(include bool) RequestOption { return func(o *requestOptions) { o.links = include } }

// WithEmbedded asks for embedded resources in the raw answer (_embedded). By
// default, true.
func WithEmbedded(include bool) RequestOption {
	return func(o *requestOptions) { o.embedded = include }
}

// WithResponse fills dst with what came back, when the call returns, whether it
// failed or not. dst must not be shared by calls that run at the same time, so
// it can't be among [WithDefaults].
func WithResponse(dst *Response) RequestOption {
	return func(o *requestOptions) {
		if dst == nil {
			o.refuse(errors.New("the destination of WithResponse is nil"))
			return
		}
		*dst = Response{}
		o.responses = append(o.responses, dst)
	}
}

// apply sets the defaults of the API, then those of the client, then opts.
func (o *requestOptions) apply(defaults, opts []RequestOption) error {
	o.links, o.embedded = true, true
	for _, list := range [...][]RequestOption{defaults, opts} {
		for _, option := range list {
			if option == nil {
				o.refuse(errors.New("a request option is nil"))
				continue
			}
			option(o)
		}
	}
	return o.err
}

func (o *requestOptions) refuse(err error) {
	if o.err == nil {
		o.err = err
	}
}

func (o *requestOptions) query() string {
	if !o.actions && o.links && o.embedded { // as nearly always, and free
		return "_actions=false&_embedded=true&_links=true"
	}
	return "_actions=" + strconv.FormatBool(o.actions) +
		"&_embedded=" + strconv.FormatBool(o.embedded) + "&_links=" + strconv.FormatBool(o.links)
}

// Option changes a client, in [NewClient].
type Option func(*settings) error

// settings is what the options of a client say.
type settings struct {
	baseURL          string
	insecureHTTP     bool
	httpClient       *http.Client
	credentials      credentials
	policy           RetryPolicy
	apiVersion       string
	userAgent        string
	logger           *slog.Logger
	maxResponseBytes int64
	defaults         []RequestOption
}

// WithBaseURL sends the requests to another installation of the API: a scheme,
// a host, perhaps a port and a plain path. User info, a query and a fragment are
// refused, as is http:// to hosts other than loopback; see [WithInsecureHTTP].
// By default, https://api.losant.com.
func WithBaseURL(rawURL string) Option {
	return func(s *settings) error { s.baseURL = rawURL; return nil }
}

// WithHTTPClient sends each attempt through the Transport of hc, or through
// [http.DefaultTransport] if it has none. The Timeout that hc has now, if it is
// shorter, stands in for RetryPolicy.AttemptTimeout; its CheckRedirect and Jar
// are not used, since redirects are never followed and the API sets no cookies.
// A transport other than [http.Transport] must not send a request twice by
// itself; and what it does not report through [net/http/httptrace] counts as
// sent. hc is not changed. By default, a transport of the client's own, which speaks HTTP/2,
// uses the proxy of the environment, gives a dial 10 s, and keeps at most 64
// connections; over HTTP/1.1, further calls wait for one.
func WithHTTPClient(hc *http.Client) Option {
	return func(s *settings) error {
		if hc == nil {
			return errors.New("the HTTP client is nil")
		}
		s.httpClient = hc
		return nil
	}
}

// WithRetryPolicy sets how often and how patiently a call is attempted. By
// default, the zero [RetryPolicy] with its defaults.
func WithRetryPolicy(p RetryPolicy) Option {
	return func(s *settings) error { s.policy = p; return nil }
}

// WithAPIVersion sets the Accept-Version header, a semver range of API
// versions. By default, "^1.30.0", which the types of this package are made
// for.
func WithAPIVersion(v string) Option {
	return func(s *settings) error {
		if v == "" {
			return errors.New("the API version is empty")
		}
		s.apiVersion = v
		return checkHeader("the API version", v)
	}
}

// WithUserAgent puts product, such as "inviter/1.2", before the library's own
// name in the User-Agent header. By default, only the library's own.
func WithUserAgent(product string) Option {
	return func(s *settings) error {
		if product == "" {
			return errors.New("the user agent is empty")
		}
		s.userAgent = product + " " + s.userAgent
		return checkHeader("the user agent", product)
	}
}

// WithLogger logs one Debug record per attempt and one Warn record per retry,
// without tokens, ids or email addresses: the operation, method, path template,
// status, duration in nanoseconds and number of the attempt, and the words of an
// error. By default, nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) error {
		if l == nil {
			return errors.New("the logger is nil")
		}
		s.logger = l
		return nil
	}
}

// WithMaxResponseBytes bounds what is read of an answer, in bytes. A success
// that is larger is [ErrInvalidResponse]. By default, 8 MiB.
func WithMaxResponseBytes(n int64) Option {
	return func(s *settings) error {
		if n <= 0 {
			return errors.New("the bound for responses is not positive")
		}
		s.maxResponseBytes = n
		return nil
	}
}

// WithInsecureHTTP permits http:// to hosts other than loopback. The token then
// crosses the network in the clear. By default, that is refused.
func WithInsecureHTTP() Option {
	return func(s *settings) error { s.insecureHTTP = true; return nil }
}

// WithDefaults applies opts to every call, before the call's own. By default,
// none.
func WithDefaults(opts ...RequestOption) Option {
	return func(s *settings) error {
		var o requestOptions
		if err := o.apply(nil, opts); err != nil {
			return err
		}
		if len(o.responses) > 0 {
			return errors.New("WithResponse can't be a default: its destination would be shared by all calls")
		}
		s.defaults = append(s.defaults, opts...)
		return nil
	}
}

// checkHeader refuses what could end a header line.
func checkHeader(what, value string) error {
	for _, r := range value {
		if r < ' ' || r > '~' {
			return fmt.Errorf("%s %q has a control or a non-ASCII character", what, text.Cut(value, 80))
		}
	}
	return nil
}
