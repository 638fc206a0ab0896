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
	nothingKnown knowledge = iota // the request may have been processed, or not
	refused                       // it was not processed, or never sent
	acted                         // it was processed
)

func (k knowledge) String() string {
	return [...]string{nothingKnown: "nothing known", refused: "refused", acted: "acted"}[k]
}

func (p proof) String() string { return p.known.String() + " (" + p.section + ")" }

// unknownBy is the proof of a step that leaves the outcome open.
func unknownBy(section string) proof { return proof{nothingKnown, section} }

// refusedBy is the proof of a step after which it is certain that nothing was
// processed.
func refusedBy(section string) proof { return proof{refused, section} }

// actedBy is the proof of a step that says that the request was processed.
func actedBy(section string) proof { return proof{acted, section} }

// proofs lists what the steps of a fault prove, in their order.
func (f *fault) proofs() string {
	var list []string
	add := func(p proof) {
		if text := p.String(); p.section != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	passed := true                               // some attempt gets past the layers so far
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
	300: refusedBy("RFC 9110, 15.4.1"),
	301: refusedBy("RFC 9110, 15.4.2"),
	302: refusedBy("RFC 9110, 15.4.3"),
	303: unknownBy("RFC 9110, 15.4.4"),
	304: unknownBy("RFC 9110, 15.4.5"),
	307: refusedBy("RFC 9110, 15.4.8"),
	308: refusedBy("RFC 9110, 15.4.9"),
	400: refusedBy("RFC 9110, 15.5.1"),
	401: refusedBy("RFC 9110, 15.5.2"),
	402: refusedBy("RFC 9110, 15.5.3"),
	403: refusedBy("RFC 9110, 15.5.4"),
	404: refusedBy("RFC 9110, 15.5.5"),
	405: refusedBy("RFC 9110, 15.5.6"),
	406: refusedBy("RFC 9110, 15.5.7"),
	408: unknownBy("RFC 9110, 15.5.9"),
	409: refusedBy("RFC 9110, 15.5.10"),
	410: refusedBy("RFC 9110, 15.5.11"),
	411: refusedBy("RFC 9110, 15.5.12"),
	412: refusedBy("RFC 9110, 15.5.13"),
	413: refusedBy("RFC 9110, 15.5.14"),
	414: refusedBy("RFC 9110, 15.5.15"),
	415: refusedBy("RFC 9110, 15.5.16"),
	418: refusedBy("RFC 9110, 15.5.19"),
	421: refusedBy("RFC 9110, 15.5.20"),
	422: refusedBy("RFC 9110, 15.5.21"),
	423: refusedBy("RFC 4918, 11.3"),
	424: refusedBy("RFC 4918, 11.4"),
	425: refusedBy("RFC 8470, 5.2"),
	426: refusedBy("RFC 9110, 15.5.22"),
	428: refusedBy("RFC 6585, 3"),
	429: refusedBy("RFC 6585, 4"),
	431: refusedBy("RFC 6585, 5"),
	451: refusedBy("RFC 7725, 3"),
	460: unknownBy("AWS"),
	499: unknownBy("nginx"),
	500: unknownBy("RFC 9110, 15.6.1"),
	501: refusedBy("RFC 9110, 15.6.2"),
	502: unknownBy("RFC 9110, 15.6.3"),
	503: unknownBy("RFC 9110, 15.6.4"),
	504: unknownBy("RFC 9110, 15.6.5"),
	505: refusedBy("RFC 9110, 15.6.6"),
	506: unknownBy("RFC 2295, 8.1"),
	507: unknownBy("RFC 4918, 11.5"),
	508: unknownBy("RFC 5842, 7.2"),
	510: unknownBy("RFC 2774, 7"),
	511: refusedBy("RFC 6585, 6"),
	520: unknownBy("Cloudflare"),
	522: unknownBy("Cloudflare"),
	599: unknownBy("RFC 9110, 15.6"),
	600: unknownBy("RFC 9110, 15"),
}
