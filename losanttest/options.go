package losanttest

import "fmt"

// Option configures a server, for [New] and [NewServer].
type Option func(*config)

type config struct {
	resendID ResendID
	inMemory bool
}

// ResendID is what ResendInvite does with the id of an invitation. Losant does
// not document it.
type ResendID int

// What ResendInvite does with the id.
const (
	// ResendMakesID gives the invitation a new id. The old id no longer exists.
	// This is the default.
	ResendMakesID ResendID = iota
	// ResendKeepsID keeps the id. Losant's manual of 2019 suggests so: after
	// Renew, the old link is valid again.
	ResendKeepsID
)

// WithResendID sets what ResendInvite does with the id of an invitation. A
// program that uses the id in the response works with either; run its tests
// with both. The default is ResendMakesID. It panics if id is neither.
func WithResendID(id ResendID) Option {
	if id != ResendMakesID && id != ResendKeepsID {
		panic(fmt.Sprintf("losanttest: WithResendID(%d): use ResendMakesID or ResendKeepsID", id))
	}
	return func(c *config) { c.resendID = id }
}

// WithMemoryNetwork makes the server listen in memory instead of on loopback,
// so that it works inside a bubble of [testing/synctest]. The server must be
// made inside the bubble. Its URL then leads nowhere by itself: only the clients
// of [Server.Client] and transports of [Server.Transport] reach the server. The
// default is a free port of the loopback interface.
func WithMemoryNetwork() Option {
	return func(c *config) { c.inMemory = true }
}
