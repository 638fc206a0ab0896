// Package losant is a client for the Losant REST API.
//
// A [Client] has one field per resource of the API, each an interface with one
// method per action:
//
//	client, err := losant.NewClient(token)
//	invite, err := client.InstanceOrgInvite.Get(ctx, ref)
//
// A Client is safe for concurrent use, and one is enough for a program. Actions
// that have no method are called with [Call]. [Stream] opens an event stream.
//
// # Errors
//
// Methods return a nil error only if the API did what was asked and the response
// is complete. Any other result is an [*Error], which matches sentinels such as
// [ErrNotFound]. Test for [ErrOutcomeUnknown] first: it means that the API may have
// acted although the call failed.
//
// # Retries
//
// Requests are retried only if a retry cannot repeat a side effect; see
// [RetryPolicy]. By default, a call makes at most 4 attempts. Each has 30 seconds to
// get a connection, and 30 seconds from there to the complete response. The context
// limits the whole call.
//
// This package is not made by Losant.
package losant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"github.com/losant-community/losant-rest-go/internal/baseurl"
	"github.com/losant-community/losant-rest-go/internal/retry"
)

const version = "0.1.0"

// Client calls the Losant REST API. Make one with [NewClient]. The fields can
// be replaced by fakes in tests, before the client is used.
type Client struct {
	InstanceOrgInvite  InstanceOrgInviteService  // one invitation to an organization of an instance
	InstanceOrgInvites InstanceOrgInvitesService // the invitations to an organization of an instance

	base        url.URL     // its path has no slash at the end
	header      http.Header // of every request
	credentials credentials
	defaults    []RequestOption
	httpClient  *http.Client    // only its Transport is used
	transport   *http.Transport // nil: it is the user's
	retry       *retry.Client
	logger      *slog.Logger

	maxResponseBytes int64
	bytesLimited     bool // by WithMaxResponseBytes, which no request raises
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
	cfg, err := newConfig(token, opts)
	if err != nil {
		return nil, err
	}
	base, err := baseurl.Parse(cfg.baseURL, cfg.insecureHTTP)
	if err != nil {
		return nil, err
	}
	policy, err := retry.Policy(cfg.policy).Complete()
	if err != nil {
		return nil, err
	}
	c := &Client{
		base: *base,
		header: http.Header{
			"Accept":         {"application/json"},
			"Accept-Version": {cfg.apiVersion},
			"User-Agent":     {cfg.userAgent},
		},
		credentials:      cfg.credentials,
		defaults:         cfg.defaults,
		httpClient:       cfg.httpClient,
		logger:           cfg.logger,
		maxResponseBytes: cmp.Or(cfg.maxResponseBytes, defaultMaxResponseBytes),
		bytesLimited:     cfg.maxResponseBytes > 0,
	}
	var closeIdle func()
	if c.httpClient == nil {
		c.transport = newTransport(c.maxResponseBytes)
		c.httpClient = &http.Client{Transport: c.transport}
		closeIdle = c.transport.CloseIdleConnections
	}
	if t := c.httpClient.Timeout; t > 0 {
		policy.AttemptTimeout = min(policy.AttemptTimeout, t)
	}
	c.retry = retry.New(policy, c.maxResponseBytes, closeIdle)
	return c, nil
}

const defaultMaxResponseBytes = 8 << 20

// newConfig returns what opts set, and the defaults.
func newConfig(token string, opts []Option) (*config, error) {
	cfg := &config{
		baseURL:    "https://api.losant.com",
		apiVersion: "^1.30.0",
		userAgent:  "losant-rest-go/" + version + " (" + runtime.Version() + ")",
		logger:     slog.New(slog.DiscardHandler),
	}
	for _, option := range opts {
		if option == nil {
			return nil, errors.New("an option is nil")
		}
		if err := option(cfg); err != nil {
			return nil, err
		}
	}
	var err error
	cfg.credentials, err = cfg.credentials.orFixed(token)
	return cfg, err
}

// newTransport returns the default transport. It does not depend on
// http.DefaultTransport, which the program may change. It keeps all of its
// connections, so that 64 goroutines need no new ones. Without the limit, net/http
// opens more connections than there are goroutines. Without pings, it keeps using an
// HTTP/2 connection whose peer is gone.
func newTransport(maxResponseBytes int64) *http.Transport {
	const connections = 64
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: refusedByProxy,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
		MaxConnsPerHost:        connections,
		MaxIdleConnsPerHost:    connections,
		MaxResponseHeaderBytes: max(maxResponseBytes, 16<<10), // at least what a gateway may add
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
	}
	if runtime.GOOS != "js" { // there, net/http uses the browser's Fetch API only without a DialContext
		t.DialContext = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return t
}

func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &retry.ProxyError{StatusCode: resp.StatusCode, Header: resp.Header}
}

// CloseIdleConnections closes the connections that are open and not in use. The
// client remains usable. With [WithHTTPClient] it does
// nothing, because the connections are not the client's.
func (c *Client) CloseIdleConnections() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// Format prints the base URL, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "losant.Client("+c.base.String()+")")
}
