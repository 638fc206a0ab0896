package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"syscall"
)

// zone answers lookups of names, over the stream form of DNS (RFC 7766).
type zone struct {
	servfails int32    // the first lookups of each type are answered SERVFAIL
	a, aaaa   []net.IP // the addresses; the server listens on 127.0.0.1
}

const (
	typeA, typeAAAA = 1, 28

	dnsHeader = 12
)

// dialer finds the server by asking z. IPv6 leads nowhere: no dial returns.
func (z *zone) dialer() *net.Dialer {
	var asked [typeAAAA + 1]atomic.Int32
	return &net.Dialer{
		Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go z.answer(server, &asked)
			return client, nil
		}},
		ControlContext: func(ctx context.Context, network, _ string, _ syscall.RawConn) error {
			if network != "tcp6" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		},
	}
}

// answer answers one query.
func (z *zone) answer(conn net.Conn, asked *[typeAAAA + 1]atomic.Int32) {
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
	reply := z.reply(query[:end], kind, asked[kind].Add(1) <= z.servfails)
	_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)) //nolint:gosec // replies are short
}

func (z *zone) reply(question []byte, kind byte, fails bool) []byte {
	const (
		response           = 0x8180 // recursion desired and available
		serverFailure      = 2
		pointerToQuestion  = "\xc0\x0c"
		classIN, aMinute   = 1, 60
		ipv4Size, ipv6Size = 4, 16
	)
	flags, addresses, size := uint16(response), z.a, ipv4Size
	if kind == typeAAAA {
		addresses, size = z.aaaa, ipv6Size
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
