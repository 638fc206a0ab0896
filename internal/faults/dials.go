package main

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// dial decides what becomes of a dial, or of a look for a proxy; the zero one
// succeeds.
type dial struct {
	proof proof
	do    func(context.Context, *cell) error
}

var (
	connect dial

	refusedDial = dial{refusedBy("RFC 9293, 3.5.2"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}}
	unreachable = dial{refusedBy("RFC 9293, 3.9.2.2"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
	}}
	temporaryDNS = dial{refusedBy("RFC 1035, 4.1.1"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}}
	}}
	dnsTimeout = dial{refusedBy("RFC 1035, 4.2.1"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}}
	}}
	noSuchHost = dial{refusedBy("RFC 2308, 2.1"), func(context.Context, *cell) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}}
	hangingDial = dial{refusedBy("RFC 9293, 3.8.3"), func(ctx context.Context, c *cell) error {
		select {
		case <-ctx.Done():
		case <-c.returned:
		}
		return &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
	}}

	failingProxy = dial{refusedBy("no connection"), func(context.Context, *cell) error {
		return errors.New("the proxy's configuration cannot be read")
	}}
	hangingProxy = dial{refusedBy("no connection"), func(ctx context.Context, c *cell) error {
		select {
		case <-ctx.Done():
		case <-c.returned:
		}
		return ctx.Err()
	}}
)
