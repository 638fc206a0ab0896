package main

import (
	"time"
)

// A fault strikes at one of these layers, each a script: its n-th element is for
// the n-th proxy, dial, connection or request, and its last one is repeated.
type fault struct {
	proxies     []dial // of the transport's Proxy function
	dials       []dial
	connections []greeting
	requests    []step

	secure             bool          // the base URL is https
	http2              bool          // instead of HTTP/1.1
	byConnection       bool          // the script of requests advances with the connections
	proxied            bool          // through a proxy
	dns                *dnsServer    // where the host is looked up; nil: every host is the server
	timed              bool          // AttemptTimeout is short, since the fault lasts as long
	maxWait            time.Duration // of the policy; 0: a few milliseconds
	waits              time.Duration // the least that the library has to wait in all
	pings              bool          // the transport checks its HTTP/2 connections, often
	warmUp             *step         // of a call before, over the same client
	closedOnReuse      bool          // the client sees the end of the connection when it takes it from the pool
	closedWhileSending bool          // the warm connection is closed while the request is under way
}

// setup makes a fault.
type setup func(*fault)

func all(setups ...setup) setup {
	return func(f *fault) {
		for _, s := range setups {
			s(f)
		}
	}
}

func dials(script ...dial) setup { return func(f *fault) { f.dials = script } }

// connections is for TLS and proxies.
func connections(script ...greeting) setup {
	return func(f *fault) { f.connections, f.secure = script, true }
}

func requests(script ...step) setup { return func(f *fault) { f.requests = script } }

func always(s step) setup { return requests(s) }

func once(s step) setup { return requests(s, succeed) }

// overHTTP2 sends the requests over HTTP/2.
func overHTTP2(script ...step) setup {
	return all(connections(encrypted), requests(script...), func(f *fault) { f.http2 = true })
}

// withoutTLS sends them without encryption, as both sides know that they speak
// HTTP/2.
func withoutTLS(f *fault) { f.connections, f.secure = []greeting{plain}, false }

// keptAlive strikes at a connection that was used before.
func keptAlive(script ...step) setup {
	return all(requests(script...), func(f *fault) { f.warmUp = &succeed })
}

// closedUnnoticed ends the connection between two calls. The client learns of it
// after it has chosen the connection, and before it writes.
func closedWhileIdle(f *fault) {
	f.warmUp = &step{play: func(a *arrival) bool { succeed.play(a); return false }}
	f.closedOnReuse = true
}

// closedCrossing ends the connection while the next request is on its way: the
// server never reads it.
func closedInFlight(f *fault) {
	f.warmUp = &step{play: func(a *arrival) bool {
		succeed.play(a)
		select {
		case <-a.written:
		case <-a.returned:
			return false
		}
		a.addProof(unknownBy(""))
		a.interrupt()
		return false
	}}
	f.closedWhileSending = true
}

func timed(f *fault)        { f.timed = true }
func pings(f *fault)        { f.pings = true }
func byConnection(f *fault) { f.byConnection = true }

// waits demands that the library waits at least a second.
func waits(f *fault) { f.maxWait, f.waits = 10*time.Second, time.Second }

func proxied(f *fault) { f.proxied = true }

// proxyFunction asks the script for the proxy of each request; nil: none.
func proxyFunction(script ...dial) setup { return func(f *fault) { f.proxies = script } }

// lookedUp finds the server by a lookup of names.
func resolvedBy(s *dnsServer) setup { return func(f *fault) { f.dns = s } }
