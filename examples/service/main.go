// Service is an example of an HTTP service that uses package losant. It manages
// the invites to one organization.
//
//	GET    /invites/{id}          returns the invite
//	POST   /invites/{id}/resend   resends it with the roles in the body, such as {"role": "view"}
//	DELETE /invites/{id}          revokes it
//
// The service does not authenticate its callers, which a real service must do.
// Anyone who can connect can use its token. It therefore listens on loopback by
// default.
//
// The environment variables LOSANT_API_TOKEN, LOSANT_INSTANCE_ID and LOSANT_ORG_ID
// are required. After SIGINT or SIGTERM the service finishes the requests in
// progress and exits. The exit code is 1 if it cannot listen, or cannot finish the
// requests in time, and 2 if the configuration is invalid.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/losant-community/losant-rest-go"
)

const (
	attemptTimeout = 4 * time.Second  // leaves time for a second attempt
	callTimeout    = 10 * time.Second // of a call to Losant with its retries
	writeTimeout   = 20 * time.Second // above callTimeout, so that a timeout is still reported
	stopTimeout    = 25 * time.Second // above writeTimeout, so that each request can finish
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal terminates the process
	code := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs the service until ctx is done. It returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int {
	const failed, misconfigured = 1, 2
	logger := slog.New(slog.NewJSONHandler(stderr, nil))
	c, err := configure(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		logger.Error("configuration", "error", err)
		return misconfigured
	}
	client, err := newClient(getenv("LOSANT_API_TOKEN"), c.baseURL, logger)
	if err != nil {
		logger.Error("configuration", "error", err)
		return misconfigured
	}
	defer client.CloseIdleConnections()

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.listen)
	if err != nil {
		logger.Error("listen", "error", err)
		return failed
	}
	logger.Info("listening", "address", listener.Addr().String())
	server := newServer(newHandler(client.InstanceOrgInvite, c.instanceID, c.orgID, logger), logger)
	if err := serve(ctx, server, listener, stopTimeout); err != nil {
		logger.Error("stopped", "error", err)
		return failed
	}
	logger.Info("stopped")
	return 0
}

// newClient returns the client of the service. Tests add options.
func newClient(token, baseURL string, logger *slog.Logger, opts ...losant.Option) (*losant.Client, error) {
	return losant.NewClient(token, append([]losant.Option{
		losant.WithBaseURL(baseURL),
		losant.WithUserAgent("invite-service/1.0"),
		losant.WithRetryPolicy(losant.RetryPolicy{AttemptTimeout: attemptTimeout}),
		losant.WithDefaults(losant.WithLinks(false)), // callers of the service have no access to Losant
		losant.WithLogger(logger),
	}, opts...)...)
}

// configuration holds the settings, except the token, which only the client needs.
type configuration struct{ listen, baseURL, instanceID, orgID string }

func configure(args []string, getenv func(string) string, help io.Writer) (*configuration, error) {
	c := &configuration{instanceID: getenv("LOSANT_INSTANCE_ID"), orgID: getenv("LOSANT_ORG_ID")}
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	flags.StringVar(&c.baseURL, "base-url", "https://api.losant.com", "`URL` of the Losant API")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, errors.New("unexpected argument; see -help")
	}
	// An invalid id would otherwise be reported to callers as their mistake.
	id := regexp.MustCompile(`^[A-Fa-f\d]{24}$`)
	for _, variable := range []string{"LOSANT_INSTANCE_ID", "LOSANT_ORG_ID"} {
		if !id.MatchString(getenv(variable)) {
			return nil, fmt.Errorf("%s must be 24 hexadecimal digits", variable)
		}
	}
	return c, nil
}

// newServer returns a server with timeouts, so that a slow client cannot keep a
// connection forever.
func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelError),
	}
}

// serve serves until ctx is done. Then it accepts no more requests, and waits up to
// timeout for the requests in progress. It returns nil if all of them finish.
func serve(ctx context.Context, server *http.Server, listener net.Listener, timeout time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := server.Shutdown(shutdown)
	if err != nil {
		_ = server.Close() // err is the error of interest
	}
	//nolint:errcheck // it is always ErrServerClosed
	<-served
	return err
}
