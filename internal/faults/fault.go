package main

import (
	"time"
)

// fault is a script for each layer. The n-th element is for the n-th proxy, dial,
// connection or request, and the last one is repeated.
type fault struct {
	proxies     []dial // for the transport's Proxy function
	dials       []dial
	connections []greeting
	requests    []step

	secure             bool          // the base URL is https
	http2              bool          // instead of HTTP/1.1
	byConnection       bool          // the script of requests advances with the connections
	proxied            bool          // through a proxy
	dns                *dnsServer    // where the host is looked up; nil: every host is the server
	timed              bool          // the fault lasts until AttemptTimeout, which is short
	maxWait            time.Duration // MaxWait of the policy; 0: a few milliseconds
	waits              time.Duration // the least sum of the waits
	pings              bool          // the transport sends frequent PINGs
	warmUp             *step         // for an earlier call of the same client
	closedOnReuse      bool          // the client notices that the connection is closed when it takes it from the pool
	closedWhileSending bool          // the kept-alive connection is closed while the client sends the request
}

// setup sets up a part of a fault.
type setup func(*fault)

func all(setups ...setup) setup {
	return func(f *fault) {
		for _, s := range setups {
			s(f)
		}
	}
}

func dials(script ...dial) setup { return func(f *fault) { f.dials = script } }

// connections sets the script of connections that use TLS or a proxy.
func connections(script ...greeting) setup {
	return func(f *fault) { f.connections, f.secure = script, true }
}

func requests(script ...step) setup { return func(f *fault) { f.requests = script } }

func always(s step) setup { return requests(s) }

func once(s step) setup { return requests(s, succeed) }

// overHTTP2 makes the client use HTTP/2.
func overHTTP2(script ...step) setup {
	return all(connections(encrypted), requests(script...), func(f *fault) { f.http2 = true })
}

// withoutTLS makes both sides use HTTP/2 without TLS, by prior knowledge.
func withoutTLS(f *fault) { f.connections, f.secure = []greeting{plain}, false }

// keptAlive plays the script on a connection that was used before.
func keptAlive(script ...step) setup {
	return all(requests(script...), func(f *fault) { f.warmUp = &succeed })
}

// closedWhileIdle closes the connection between two calls. The client notices
// after it has chosen the connection and before it writes.
func closedWhileIdle(f *fault) {
	f.warmUp = &step{play: func(a *arrival) bool { succeed.play(a); return false }}
	f.closedOnReuse = true
}

// closedInFlight closes the connection while the next request is in flight. The
// server never reads that request.
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

// waits requires the library to wait at least a second.
func waits(f *fault) { f.maxWait, f.waits = 10*time.Second, time.Second }

func proxied(f *fault) { f.proxied = true }

// proxyFunction makes the transport's Proxy function play the script.
func proxyFunction(script ...dial) setup { return func(f *fault) { f.proxies = script } }

// resolvedBy makes the client look up the server's name at s.
func resolvedBy(s *dnsServer) setup { return func(f *fault) { f.dns = s } }
