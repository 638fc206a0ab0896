package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// dnsServer responds to lookups over the stream form of DNS (RFC 7766).
type dnsServer struct {
	servfails int32    // the first lookups of each type get SERVFAIL
	a, aaaa   []net.IP // the addresses; the server listens on 127.0.0.1
}

const (
	typeA, typeAAAA = 1, 28

	dnsHeader = 12
)

// canFail reports whether the fault can happen on this machine: the addresses of
// IPv6 come first only if there is IPv6.
func (s *dnsServer) canFail() bool {
	if len(s.aaaa) == 0 {
		return true
	}
	listener, err := net.Listen("tcp6", "[::1]:0") //nolint:noctx // it is closed at once
	if err == nil {
		_ = listener.Close()
	}
	return err == nil
}

// dialer looks names up at s. Its dials over IPv6 never return. It counts in
// failures the lookups and dials that fail.
func (s *dnsServer) dialer(failures *atomic.Int32) *net.Dialer {
	var lookups [typeAAAA + 1]atomic.Int32
	return &net.Dialer{
		FallbackDelay: 10 * time.Millisecond, // from IPv6 to IPv4
		Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go s.respond(server, func(kind byte) bool {
				fails := lookups[kind].Add(1) <= s.servfails
				if fails {
					failures.Add(1)
				}
				return fails
			})
			return client, nil
		}},
		ControlContext: func(ctx context.Context, network, address string, _ syscall.RawConn) error {
			if name, _, _ := net.SplitHostPort(address); name != ipv4.String() {
				failures.Add(1)
			}
			if network != "tcp6" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		},
	}
}

// respond responds to one query, with SERVFAIL if fails says so for its type.
func (s *dnsServer) respond(conn net.Conn, fails func(kind byte) bool) {
	defer func() { _ = conn.Close() }()
	length := make([]byte, 2)
	if _, err := io.ReadFull(conn, length); err != nil {
		return
	}
	query := make([]byte, binary.BigEndian.Uint16(length))
	if _, err := io.ReadFull(conn, query); err != nil {
		return
	}
	end := dnsHeader
	for query[end] != 0 { // labels
		end += 1 + int(query[end])
	}
	end += 1 + 4 // the root, type and class
	kind := query[end-3]
	if kind != typeA && kind != typeAAAA {
		return
	}
	reply := s.reply(query[:end], kind, fails(kind))
	_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)) //nolint:gosec // replies are short
}

func (s *dnsServer) reply(question []byte, kind byte, fails bool) []byte {
	const (
		response           = 0x8180 // recursion desired and available
		serverFailure      = 2
		pointerToQuestion  = "\xc0\x0c"
		classIN, aMinute   = 1, 60
		ipv4Size, ipv6Size = 4, 16
	)
	flags, addresses, size := uint16(response), s.a, ipv4Size
	if kind == typeAAAA {
		addresses, size = s.aaaa, ipv6Size
	}
	if fails {
		flags, addresses = response|serverFailure, nil
	}
	reply := append([]byte{}, question[:2]...)                           // the id
	for _, n := range []uint16{flags, 1, uint16(len(addresses)), 0, 0} { //nolint:gosec // there are two at most
		reply = binary.BigEndian.AppendUint16(reply, n)
	}
	reply = append(reply, question[dnsHeader:]...)
	for _, ip := range addresses {
		reply = append(reply, pointerToQuestion...)
		reply = append(reply, 0, kind, 0, classIN, 0, 0, 0, aMinute, 0, byte(size))
		if size == ipv4Size {
			ip = ip.To4()
		}
		reply = append(reply, ip...)
	}
	return reply
}
