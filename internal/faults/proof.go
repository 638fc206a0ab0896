package main

import (
	"slices"
	"strings"
)

// proof is what the client can know about one step of a fault: whether the
// request was processed. Every proof in this package is written by hand, with
// the section that says so, and none is computed from the library's rules.
type proof struct {
	known   knowledge
	section string // of an RFC, or the vendor whose status it is
}

type knowledge int

const (
	unknown      knowledge = iota // the request may have been processed, or not
	notProcessed                  // it was not processed, or never sent
	processed                     // it was processed
)

func (k knowledge) String() string {
	return [...]string{unknown: "unknown", notProcessed: "not processed", processed: "processed"}[k]
}

func (p proof) String() string { return p.known.String() + " (" + p.section + ")" }

// unknownBy is the proof of a step that leaves the outcome unknown.
func unknownBy(section string) proof { return proof{unknown, section} }

// notProcessedBy is the proof that the request was not processed.
func notProcessedBy(section string) proof { return proof{notProcessed, section} }

// processedBy is the proof that the request was processed.
func processedBy(section string) proof { return proof{processed, section} }

// proofs lists the proofs of the steps of a fault, in their order.
func (f *fault) proofs() string {
	var list []string
	add := func(p proof) {
		if text := p.String(); p.section != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	passed := true                               // some attempt passes the layers so far
	if f.warmUp != nil && f.dials[0].do != nil { // the first request comes before the dials
		add(f.requests[0].proof)
	}
	for _, script := range [][]dial{f.proxies, f.dials} {
		for _, d := range script {
			add(d.proof)
			passed = d.do == nil
		}
		if !passed {
			return strings.Join(list, ", then ")
		}
	}
	for _, g := range f.connections {
		add(g.proof)
		passed = !g.fails
	}
	if f.closedWhileSending {
		add(unknownBy("RFC 9112, 9.3.1"))
	}
	for _, s := range f.requests {
		if passed {
			add(s.proof)
		}
	}
	return strings.Join(list, ", then ")
}

// The proofs of statuses. The codes beyond RFC 9110 have their own documents or,
// where a vendor invented them, none.
var statusProofs = map[int]proof{
	101: unknownBy("RFC 9110, 15.2.2"),
	202: unknownBy("RFC 9110, 15.3.3"),
	204: unknownBy("RFC 9110, 15.3.5"),
	205: unknownBy("RFC 9110, 15.3.6"),
	206: unknownBy("RFC 9110, 15.3.7"),
	207: unknownBy("RFC 4918, 11.1"),
	300: notProcessedBy("RFC 9110, 15.4.1"),
	301: notProcessedBy("RFC 9110, 15.4.2"),
	302: notProcessedBy("RFC 9110, 15.4.3"),
	303: unknownBy("RFC 9110, 15.4.4"),
	304: unknownBy("RFC 9110, 15.4.5"),
	307: notProcessedBy("RFC 9110, 15.4.8"),
	308: notProcessedBy("RFC 9110, 15.4.9"),
	400: notProcessedBy("RFC 9110, 15.5.1"),
	401: notProcessedBy("RFC 9110, 15.5.2"),
	402: notProcessedBy("RFC 9110, 15.5.3"),
	403: notProcessedBy("RFC 9110, 15.5.4"),
	404: notProcessedBy("RFC 9110, 15.5.5"),
	405: notProcessedBy("RFC 9110, 15.5.6"),
	406: notProcessedBy("RFC 9110, 15.5.7"),
	408: unknownBy("RFC 9110, 15.5.9"),
	409: notProcessedBy("RFC 9110, 15.5.10"),
	410: notProcessedBy("RFC 9110, 15.5.11"),
	411: notProcessedBy("RFC 9110, 15.5.12"),
	412: notProcessedBy("RFC 9110, 15.5.13"),
	413: notProcessedBy("RFC 9110, 15.5.14"),
	414: notProcessedBy("RFC 9110, 15.5.15"),
	415: notProcessedBy("RFC 9110, 15.5.16"),
	418: notProcessedBy("RFC 9110, 15.5.19"),
	421: notProcessedBy("RFC 9110, 15.5.20"),
	422: notProcessedBy("RFC 9110, 15.5.21"),
	423: notProcessedBy("RFC 4918, 11.3"),
	424: notProcessedBy("RFC 4918, 11.4"),
	425: notProcessedBy("RFC 8470, 5.2"),
	426: notProcessedBy("RFC 9110, 15.5.22"),
	428: notProcessedBy("RFC 6585, 3"),
	429: notProcessedBy("RFC 6585, 4"),
	431: notProcessedBy("RFC 6585, 5"),
	451: notProcessedBy("RFC 7725, 3"),
	460: unknownBy("AWS"),
	499: unknownBy("nginx"),
	500: unknownBy("RFC 9110, 15.6.1"),
	501: notProcessedBy("RFC 9110, 15.6.2"),
	502: unknownBy("RFC 9110, 15.6.3"),
	503: unknownBy("RFC 9110, 15.6.4"),
	504: unknownBy("RFC 9110, 15.6.5"),
	505: notProcessedBy("RFC 9110, 15.6.6"),
	506: unknownBy("RFC 2295, 8.1"),
	507: unknownBy("RFC 4918, 11.5"),
	508: unknownBy("RFC 5842, 7.2"),
	510: unknownBy("RFC 2774, 7"),
	511: notProcessedBy("RFC 6585, 6"),
	520: unknownBy("Cloudflare"),
	522: unknownBy("Cloudflare"),
	599: unknownBy("RFC 9110, 15.6"),
	600: unknownBy("RFC 9110, 15"),
}
