// Service is a small HTTP service on top of the losant package, as a program
// of one's own would have it: it looks after the invites to one organization.
//
//	GET    /invites/{id}          the invite
//	POST   /invites/{id}/resend   resends it with the roles in the body, {"role": "view"}
//	DELETE /invites/{id}          revokes it
//
// It does not ask who calls, which a real service must: whoever reaches it can
// do what its token can. That is why it listens on loopback by default.
//
// LOSANT_API_TOKEN, LOSANT_INSTANCE_ID and LOSANT_ORG_ID configure it. SIGINT
// and SIGTERM stop it, once the calls in flight are done.
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
	attemptTimeout = 4 * time.Second  // leaves time for another one
	callTimeout    = 10 * time.Second // of a call to Losant, with all its attempts
	writeTimeout   = 20 * time.Second // above callTimeout, so that a late failure is still answered
	stopTimeout    = 25 * time.Second // above writeTimeout, so that every call can end
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main, without the process around it. It returns the exit code: 1 if
// it could not serve, or not stop in time; 2 if it is not configured.
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
	client, err := losant.NewClient(getenv("LOSANT_API_TOKEN"),
		losant.WithBaseURL(c.baseURL),
		losant.WithUserAgent("invite-service/1.0"),
		losant.WithRetryPolicy(losant.RetryPolicy{AttemptTimeout: attemptTimeout}),
		losant.WithDefaults(losant.WithLinks(false)), // they lead to Losant, where our callers have no access
		losant.WithLogger(logger),
	)
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

// configuration is what may differ between two of these services, but for the
// token, which goes to the client and nowhere else.
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
		return nil, errors.New("there is an argument that belongs to no flag")
	}
	// Later, a wrong id of ours would look like a mistake of the caller.
	id := regexp.MustCompile(`^[A-Fa-f\d]{24}$`)
	for _, variable := range []string{"LOSANT_INSTANCE_ID", "LOSANT_ORG_ID"} {
		if !id.MatchString(getenv(variable)) {
			return nil, fmt.Errorf("%s is not set to 24 hexadecimal digits", variable)
		}
	}
	return c, nil
}

// newServer returns a server that no slow or silent client can hold on to.
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

// serve serves until ctx ends, then takes no more requests and gives those in
// flight the time of patience. It returns nil if all of them were answered.
func serve(ctx context.Context, server *http.Server, listener net.Listener, patience time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := server.Shutdown(deadline)
	if err != nil {
		_ = server.Close() // err says more
	}
	//nolint:errcheck // that it was shut down
	<-served
	return err
}
