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
	cfg := config{
		baseURL:          "https://api.losant.com",
		apiVersion:       "^1.30.0",
		userAgent:        "losant-rest-go/" + version + " (" + runtime.Version() + ")",
		logger:           slog.New(slog.DiscardHandler),
		maxResponseBytes: 8 << 20,
	}
	for _, option := range opts {
		if option == nil {
			return nil, errors.New("an option is nil")
		}
		if err := option(&cfg); err != nil {
			return nil, err
		}
	}
	credentials, err := cfg.credentials.orFixed(token)
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
		credentials: credentials,
		defaults:    cfg.defaults,
		httpClient:  cfg.httpClient,
		logger:      cfg.logger,
	}
	if c.httpClient == nil {
		c.transport = newTransport()
		c.httpClient = &http.Client{Transport: c.transport}
	}
	if t := c.httpClient.Timeout; t > 0 {
		policy.AttemptTimeout = min(policy.AttemptTimeout, t)
	}
	c.retry = retry.New(policy, cfg.maxResponseBytes)
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
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// Format makes every verb of fmt print the base URL alone: fmt would otherwise
// read connections that other goroutines are changing.
func (c Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "losant.Client("+c.base.String()+")")
}
