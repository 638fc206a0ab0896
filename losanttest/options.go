package losanttest

import "fmt"

// Option configures a server, for [New] and [NewServer].
type Option func(*config)

type config struct {
	resendID ResendID
	inMemory bool
}

// ResendID selects whether ResendInvite changes the id of an invitation. Losant
// does not document whether it does.
type ResendID int

// Values for [WithResendID].
const (
	// ResendMakesID creates a new id. The old id no longer exists. This is the
	// default.
	ResendMakesID ResendID = iota
	// ResendKeepsID keeps the id. Losant's manual of 2019 suggests this behavior:
	// after Renew, the old link is valid again.
	ResendKeepsID
)

// WithResendID selects whether ResendInvite changes the id of an invitation. The
// default is ResendMakesID. Run a program's tests with both values: a program that
// uses the id from the response works with either. WithResendID panics if id is
// neither value.
func WithResendID(id ResendID) Option {
	if id != ResendMakesID && id != ResendKeepsID {
		panic(fmt.Sprintf("losanttest: WithResendID(%d): use ResendMakesID or ResendKeepsID", id))
	}
	return func(c *config) { c.resendID = id }
}

// WithMemoryNetwork makes the server listen in memory, so that it works inside a
// bubble of [testing/synctest]. Create the server inside the bubble. Only clients
// from [Server.Client] and transports from [Server.Transport] can connect to the
// server: no port listens at its URL. By default, the server listens on a free
// port of the loopback interface.
func WithMemoryNetwork() Option {
	return func(c *config) { c.inMemory = true }
}
