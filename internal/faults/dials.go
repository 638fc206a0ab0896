package main

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// dial is the step of a dial or of a call of the Proxy function. The zero value
// succeeds.
type dial struct {
	proof proof
	do    func(context.Context, *cell) error
}

var (
	connect dial

	refusedDial = dial{notProcessedBy("RFC 9293, 3.5.2"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}}
	unreachable = dial{notProcessedBy("RFC 9293, 3.9.2.2"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
	}}
	temporaryDNS = dial{notProcessedBy("RFC 1035, 4.1.1"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}}
	}}
	dnsTimeout = dial{notProcessedBy("RFC 1035, 4.2.1"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}}
	}}
	noSuchHost = dial{notProcessedBy("RFC 2308, 2.1"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}}
	hangingDial = dial{notProcessedBy("RFC 9293, 3.8.3"), func(ctx context.Context, c *cell) error {
		select {
		case <-ctx.Done():
		case <-c.returned:
		}
		return &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
	}}

	failingProxy = dial{notProcessedBy("no connection"), func(context.Context, *cell) error {
		return errors.New("the proxy's configuration cannot be read")
	}}
	hangingProxy = dial{notProcessedBy("no connection"), func(ctx context.Context, c *cell) error {
		select {
		case <-ctx.Done():
		case <-c.returned:
		}
		return ctx.Err()
	}}
)
