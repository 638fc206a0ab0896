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
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go/internal/retry"
)

const (
	version = "0.1.0"

	defaultBaseURL          = "https://api.losant.com"
	defaultAPIVersion       = "^1.30.0"
	defaultMaxResponseBytes = 8 << 20
)

// Client calls the Losant REST API. Make one with [NewClient]. The fields can
// be replaced by fakes in tests, before the client is used.
type Client struct {
	InstanceOrgInvite InstanceOrgInviteService // one invitation to an organization of an instance

	base        url.URL // its path has no slash at the end
	header      fixedHeader
	credentials credentials
	defaults    []RequestOption
	loop        *retry.Loop
	logger      *slog.Logger    // nil: silent
	transport   *http.Transport // the library's own; nil: the user's is used
}

// fixedHeader holds the header values that are the same for every request.
type fixedHeader struct{ version, userAgent string }

// NewClient returns a client that sends token, a Losant API token, with every
// request. It does not contact the API. Its errors match [ErrInvalidArgument].
func NewClient(token string, opts ...Option) (*Client, error) {
	s := settings{
		baseURL:          defaultBaseURL,
		apiVersion:       defaultAPIVersion,
		userAgent:        "losant-rest-go/" + version + " (" + runtime.Version() + ")",
		maxResponseBytes: defaultMaxResponseBytes,
	}
	for _, option := range opts {
		if option == nil {
			return nil, invalid("NewClient", errors.New("an option is nil"))
		}
		if err := option(&s); err != nil {
			return nil, invalid("NewClient", err)
		}
	}
	c, err := s.client(token)
	if err != nil {
		return nil, invalid("NewClient", err)
	}
	c.InstanceOrgInvite = &instanceOrgInviteService{c}
	return c, nil
}

// Format prints the base URL for every verb: the connections inside change while
// fmt would look at them.
func (c Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "losant.Client("+c.base.String()+")")
}

// CloseIdleConnections closes the connections that the client keeps open and
// does not use now. The client stays usable. With [WithHTTPClient] it does
// nothing: the connections are not the client's.
func (c *Client) CloseIdleConnections() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// The life of a call, from a service's method to its answer.

// request is what a service's method says about its call.
type request struct {
	operation string // "InstanceOrgInvite.Get"
	method    string // of HTTP
	path      path
	body      any // sent as JSON; nil: none
}

// call sends r and returns the answer as a T.
func call[T any](ctx context.Context, c *Client, r request, opts []RequestOption) (*T, error) {
	answer := new(T)
	if err := c.send(ctx, r, answer, opts); err != nil {
		return nil, err
	}
	return answer, nil
}

// exchange is the state of one call, and the context of its requests.
type exchange struct {
	retry.Call
	operation     Operation
	options       requestOptions
	url           url.URL
	authorization string // the header's value in the last request
	renewed       string // the one for the next request, if it is known already
}

// send sends r, as often as the policy allows, and decodes the answer.
func (c *Client) send(ctx context.Context, r request, answer any, opts []RequestOption) error {
	x := &exchange{operation: Operation{Name: r.operation, Method: r.method, PathTemplate: r.path.template}}
	defer x.Release()
	body, err := c.newRequest(ctx, x, r, opts)
	if err != nil {
		return err
	}
	c.loop.Do(x, r.method, &x.url, body)
	x.options.response.fill(&x.Call)
	if x.Outcome != retry.Succeeded {
		return newError(x, nil)
	}
	if err := decode(x.Body, answer); err != nil {
		return newError(x, err)
	}
	return nil
}

// newRequest makes the request of the exchange, whole, or refuses it.
func (c *Client) newRequest(ctx context.Context, x *exchange, r request, opts []RequestOption) ([]byte, error) {
	if err := x.options.apply(c.defaults, opts); err != nil {
		return nil, invalid(r.operation, err)
	}
	if ctx == nil {
		return nil, invalid(r.operation, errors.New("the context is nil"))
	}
	if r.path.err != nil {
		return nil, invalid(r.operation, r.path.err)
	}
	body, err := encode(r.body)
	if err != nil {
		return nil, invalid(r.operation, err)
	}
	x.url = c.base
	x.url.Path += r.path.expanded
	x.url.RawQuery = x.options.query()
	x.Start(ctx, retry.EffectOf(r.method))
	x.KeepRecord = x.options.response != nil
	if err := c.credentials.authorize(ctx, x); err != nil {
		return nil, newCredentialsError(x, err)
	}
	x.Header = c.newHeader(x, body)
	return body, nil
}

// path is the path of a resource, or the reason why there is none.
type path struct {
	template string // "/instances/{instanceId}"
	expanded string
	err      error
}

// expand puts ids into the places of a path template, such as "{inviteId}". An
// id is 24 hexadecimal digits, the API's own pattern: anything else could make
// the path that of another resource.
func expand(template string, ids ...string) path {
	const idLength = 24
	var expanded strings.Builder
	expanded.Grow(len(template) + idLength*len(ids))
	rest := template
	for _, id := range ids {
		before, after, _ := strings.Cut(rest, "{")
		name, after, _ := strings.Cut(after, "}")
		if len(id) != idLength || strings.Trim(id, "0123456789abcdefABCDEF") != "" {
			field := strings.ToUpper(name[:1]) + strings.TrimSuffix(name[1:], "Id") + "ID"
			return path{template: template, err: fmt.Errorf("%s %q is not 24 hexadecimal digits", field, cut(id, 2*idLength))}
		}
		expanded.WriteString(before)
		expanded.WriteString(id)
		rest = after
	}
	expanded.WriteString(rest)
	if !samePlaces(template, expanded.String()) {
		return path{template: template, err: fmt.Errorf("the path %q is not one of %s", expanded.String(), template)}
	}
	return path{template: template, expanded: expanded.String()}
}

// samePlaces is the last check of a path as a whole: it has as many segments
// as its template, none of them empty, and nothing that could be an escape, a
// dot segment or the end of a path.
func samePlaces(template, path string) bool {
	plain := func(r rune) bool {
		return r == '/' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && !strings.Contains(path, "//") &&
		strings.Count(path, "/") == strings.Count(template, "/") &&
		strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0
}

// encode writes a body as JSON, or refuses one that makes no sense.
func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	if body, ok := body.(interface{ validate() error }); ok {
		if err := body.validate(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(body)
}

// newHeader makes the header of a request.
func (c *Client) newHeader(x *exchange, body []byte) http.Header {
	const most = 6
	header := make(http.Header, most)
	values := make([]string, 0, most) // one array for all the values of one request
	set := func(name, value string) {
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	set("Accept", "application/json")
	set("Accept-Version", c.header.version)
	set("Authorization", x.authorization)
	set("User-Agent", c.header.userAgent)
	if body != nil {
		set("Content-Type", "application/json")
	}
	if x.options.losantDomain != "" {
		set("Losantdomain", x.options.losantDomain)
	}
	return header
}

// prepare readies a request that is sent again: the token may have changed.
func (c *Client) prepare(ctx context.Context) error {
	x := exchangeIn(ctx)
	if err := c.credentials.authorize(ctx, x); err != nil {
		return err
	}
	x.Header = x.Header.Clone()
	x.Header.Set("Authorization", x.authorization)
	return nil
}

// renew asks, after a 401, for another token.
func (c *Client) renew(ctx context.Context) (bool, error) {
	return c.credentials.renew(ctx, exchangeIn(ctx))
}

// attempted logs an attempt.
func (c *Client) attempted(ctx context.Context, a retry.Attempt) {
	c.log(ctx, slog.LevelDebug, "losant: attempt", a)
}

// retrying logs that another attempt follows.
func (c *Client) retrying(ctx context.Context, last retry.Attempt, wait time.Duration) {
	c.log(ctx, slog.LevelWarn, "losant: retry", last, slog.Duration("wait", wait))
}

func (c *Client) log(ctx context.Context, level slog.Level, message string, a retry.Attempt, more ...slog.Attr) {
	if !c.logger.Enabled(ctx, level) {
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
		attrs = append(attrs, slog.String("error", printable(x.redact(a.Err.Error()))))
	}
	c.logger.LogAttrs(ctx, level, message, attrs...)
}

type exchangeKey struct{}

// Value makes the exchange findable in the context of its requests.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Call.Value(key)
}

func exchangeIn(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// Format keeps the token from whoever prints the context of a request.
func (x *exchange) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "losant: "+x.operation.Name) }

// redact takes the token out of a foreign text: servers echo headers.
func (x *exchange) redact(s string) string {
	const short = 6 // and no secret
	token := strings.TrimPrefix(x.authorization, bearer)
	if len(token) < short {
		return s
	}
	return strings.ReplaceAll(s, token, "[token]")
}

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
// refused it with 429. A 4xx, 501 or 505 is final, as is a certificate that
// does not verify.
//
// The waits between attempts grow exponentially, with full jitter. On 429 and
// 503 the API's Retry-After is waited for instead, but never less than
// MinWait. A wait that would exceed MaxWait, or the deadline of the context, is
// not begun: the call returns the API's answer at once, as an [*Error] with
// RetryAfter set.
//
// All calls of a client share a budget of tokens for attempts other than their
// first: each costs 5, a call that succeeds at once refunds 1, and a retry that
// succeeds refunds its 5. While single failures are retried as ever, in a
// lasting outage the budget runs dry, calls fail at their first attempt, and
// the client does not multiply its traffic.
//
// Below these attempts, net/http itself repeats a Get at once if its kept-alive
// connection turns out to be closed. That counts as an attempt, but even a
// MaxAttempts of 1 does not prevent it.
type RetryPolicy struct {
	MaxAttempts    int           // requests per call, at most; default 4; 1 means never retry
	MinWait        time.Duration // shortest wait between two attempts; default 500 ms
	MaxWait        time.Duration // longest wait, and the longest Retry-After that is waited for; default 30 s
	AttemptTimeout time.Duration // for one attempt, its whole answer included; default 30 s; the context bounds the call
	Budget         int           // tokens for retries, shared by all calls; default 500; NoBudget: without bound
}

// NoBudget is the Budget of a [RetryPolicy] that lets every call use all its
// attempts, whatever becomes of the others.
const NoBudget = -1

// complete fills in the defaults, or refuses what contradicts itself.
func (p RetryPolicy) complete() (retry.Policy, error) {
	if p.MaxAttempts < 0 || p.MinWait < 0 || p.MaxWait < 0 || p.AttemptTimeout < 0 || p.Budget < NoBudget {
		return retry.Policy{}, errors.New("the retry policy has a negative field")
	}
	if p.MinWait > 0 && p.MaxWait > 0 && p.MinWait > p.MaxWait {
		return retry.Policy{}, fmt.Errorf("the retry policy has a MinWait of %v above its MaxWait of %v", p.MinWait, p.MaxWait)
	}
	const minWait, maxWait = 500 * time.Millisecond, 30 * time.Second
	setDefault(&p.MaxAttempts, 4)
	setDefault(&p.AttemptTimeout, 30*time.Second)
	setDefault(&p.Budget, 500)
	// A default gives way to the field that was set.
	setDefault(&p.MaxWait, max(maxWait, p.MinWait))
	setDefault(&p.MinWait, min(minWait, p.MaxWait))
	return retry.Policy(p), nil
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

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
func (r *Response) fill(c *retry.Call) {
	if r == nil {
		return
	}
	r.StatusCode, r.Header, r.Body = c.StatusCode, c.AnswerHeader, append([]byte(nil), c.Body...)
	for _, attempt := range c.Record {
		r.Attempts = append(r.Attempts, Attempt(attempt))
	}
}

// RequestOption changes one call. It is an argument of every method, and of
// [WithDefaults].
type RequestOption func(*requestOptions)

type requestOptions struct {
	losantDomain             string
	actions, links, embedded bool
	response                 *Response
	err                      error
}

// WithLosantDomain sends the losantdomain header, the domain scope of the
// request, which is rarely needed. By default, and for "", none is sent.
func WithLosantDomain(domain string) RequestOption {
	return func(o *requestOptions) {
		o.losantDomain = domain
		if err := checkHeader("the losantdomain", domain); err != nil {
			o.err = err
		}
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
			o.err = errors.New("the destination of WithResponse is nil")
			return
		}
		*dst = Response{}
		o.response = dst
	}
}

// apply sets the defaults of the API, then those of the client, then opts.
func (o *requestOptions) apply(defaults, opts []RequestOption) error {
	o.links, o.embedded = true, true
	for _, list := range [...][]RequestOption{defaults, opts} {
		for _, option := range list {
			if option == nil {
				return errors.New("a request option is nil")
			}
			option(o)
		}
	}
	return o.err
}

func (o *requestOptions) query() string {
	if !o.actions && o.links && o.embedded {
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
// a host, perhaps a port and a path. http:// is refused for hosts other than
// loopback; see [WithInsecureHTTP]. By default, https://api.losant.com.
func WithBaseURL(rawURL string) Option {
	return func(s *settings) error { s.baseURL = rawURL; return nil }
}

// WithHTTPClient sends each attempt through the Transport of hc, or through
// [http.DefaultTransport] if it has none. The Timeout of hc, if it is shorter,
// stands in for RetryPolicy.AttemptTimeout; its CheckRedirect and Jar are not
// used, since redirects are never followed and the API sets no cookies. hc is
// not changed. By default, a transport of the client's own, with HTTP/2, the
// proxy of the environment and at most 64 connections; over HTTP/1.1, further
// calls wait for one.
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
// without tokens, ids or email addresses. By default, nothing is logged.
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
		if o.response != nil {
			return errors.New("WithResponse can't be a default: its destination would be shared by all calls")
		}
		s.defaults = append(s.defaults, opts...)
		return nil
	}
}

// client makes a client of the settings.
func (s *settings) client(token string) (*Client, error) {
	if s.credentials.authorization == nil {
		if err := checkToken(token); err != nil {
			return nil, err
		}
		s.credentials = fixedToken(token)
	}
	base, err := parseBaseURL(s.baseURL, s.insecureHTTP)
	if err != nil {
		return nil, err
	}
	policy, err := s.policy.complete()
	if err != nil {
		return nil, err
	}
	c := &Client{
		base:        *base,
		header:      fixedHeader{version: s.apiVersion, userAgent: s.userAgent},
		credentials: s.credentials,
		defaults:    s.defaults,
		logger:      s.logger,
	}
	var transport http.RoundTripper
	if s.httpClient == nil {
		c.transport = newTransport()
		transport = c.transport
	} else {
		transport = s.httpClient.Transport
		if transport == nil {
			transport = http.DefaultTransport
		}
		if t := s.httpClient.Timeout; t > 0 {
			policy.AttemptTimeout = min(policy.AttemptTimeout, t)
		}
	}
	hooks := retry.Hooks{Prepare: c.prepare, Renew: c.renew}
	if c.logger != nil {
		hooks.Attempted, hooks.Retrying = c.attempted, c.retrying
	}
	c.loop = retry.New(transport, policy, s.maxResponseBytes, hooks)
	return c, nil
}

// newTransport differs from http.DefaultTransport in that it does not depend on
// what the program did to that, and keeps all of its connections, so that 64
// goroutines do not open new ones all the time. Without the bound net/http opens
// more of them than there are goroutines.
func newTransport() *http.Transport {
	const connections = 64
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxConnsPerHost:       connections,
		MaxIdleConnsPerHost:   connections,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// parseBaseURL checks a base URL. Its errors don't quote it: a mistyped one may
// hold a password.
func parseBaseURL(rawURL string, insecureHTTP bool) (*url.URL, error) {
	base, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the base URL is not a URL")
	}
	switch {
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("the base URL does not begin with https:// or http://")
	case base.Opaque != "" || base.Hostname() == "":
		return nil, errors.New("the base URL has no host")
	case base.User != nil:
		return nil, errors.New("the base URL has user info")
	case strings.ContainsAny(rawURL, "?#"):
		return nil, errors.New("the base URL has a query or a fragment")
	case strings.Contains(base.Path, "//") || base.RawPath != "" || strings.ContainsAny(base.Path, `%\`) ||
		strings.Contains(base.Path+"/", "/./") || strings.Contains(base.Path+"/", "/../"):
		return nil, errors.New("the path of the base URL is not plain")
	case base.Scheme == "http" && !insecureHTTP && !isLoopback(base.Hostname()):
		return nil, errors.New("the base URL would send the token over http:// in the clear; use https://, or WithInsecureHTTP")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	return base, nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}

// checkHeader refuses what could end a header line.
func checkHeader(what, value string) error {
	for _, r := range value {
		if r < ' ' || r > '~' {
			return fmt.Errorf("%s %q has a control or a non-ASCII character", what, cut(value, 80))
		}
	}
	return nil
}
