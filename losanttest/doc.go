// Package losanttest is a Losant API in memory, for the tests of programs that
// use package losant. A test runs through the complete client, over HTTP on
// loopback or over a network in memory. A [Fault] makes a request fail: an error
// status, a cut connection, a delay, before or after the action took effect.
//
//	func TestRevoke(t *testing.T) {
//		srv := losanttest.New(t) // closes itself with the test
//		ref := srv.AddInvite(losant.OrgInvite{Email: "new.member@example.com"})
//		client, err := srv.Client()
//		// …
//		srv.Inject(losanttest.Fault{Operation: "InstanceOrgInvite.Delete", Cut: true, TakesEffect: true})
//		err = client.InstanceOrgInvite.Delete(t.Context(), ref)
//		// …
//		for _, request := range srv.Requests() {
//			// request.Operation, request.StatusCode, request.TookEffect
//		}
//	}
//
// The client waits half a second and more between attempts. A test with faults
// that the client retries sets MinWait and MaxWait of losant.RetryPolicy to a
// millisecond, or runs on a fake clock.
//
// The server has the five actions InstanceOrgInvite.Get, InstanceOrgInvite.Delete,
// InstanceOrgInvite.ResendInvite, InstanceOrgInvites.Get and
// InstanceOrgInvites.Post.
//
// # Fake clocks
//
// A bubble of [testing/synctest] waits for goroutines that are blocked in the
// network, so its clock never advances while a client is connected over
// loopback (golang/go#71345). Use [WithMemoryNetwork], and make the server
// inside the bubble:
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := losanttest.New(t, losanttest.WithMemoryNetwork())
//		client, err := srv.Client()
//		srv.Inject(losanttest.Fault{StatusCode: 503, RetryAfter: "7"})
//		// The next call waits 7 seconds or more of fake time.
//	})
//
// A program that makes its client itself passes [Server.Transport] to
// [losant.WithHTTPClient].
//
// # What is checked
//
// The server checks requests against the published description of API version
// 1.30.0, in this order. The response to the first violation is the API's error
// object, {"type": …, "message": …}:
//
//   - The route: 405 MethodNotAllowed, since that is how the live API was seen to
//     respond to a path that it does not have. If the path has other methods,
//     they are in the Allow header.
//   - The bearer token: 401 Unauthorized.
//   - The size of the body, at most 1 MiB: 413 RequestEntityTooLarge. This limit
//     is the server's own.
//   - The query, each parameter at most once: the flags _actions, _links and
//     _embedded (true, True, 1, false, False or 0), and the parameters of the
//     action: 400 Validation. Unknown parameters are ignored.
//   - The ids, 24 hexadecimal digits of either case: 400 Validation.
//   - The body, against its schema. If the action takes none, the body is
//     absent, or {} for a DELETE: 400 Validation.
//   - The instance, the organization and the invitation exist: 404 NotFound.
//
// What the vendor's clients for JavaScript, Python and Ruby send passes, since
// the API is known to accept it: a DELETE with the body {}, Python's True and
// False, a Content-Type without a body, and any Accept, Accept-Version or
// losantdomain header. One thing does not: the Python client sends ResendInvite
// without a body if it is given no role info, and the description requires one.
//
// The server does not imitate scopes, API versions, domains or rate limits, and
// adds nothing for _actions and _embedded.
//
// # Where the API is not documented
//
//   - ResendInvite gives the invitation a new id, and the old id no longer
//     exists; or it keeps the id. See [WithResendID]. Properties that the
//     request leaves out stay as they are.
//   - Post creates a second invitation for an email that has one, so that a
//     test sees what was sent twice. For a refusal, inject a [Fault] with the
//     StatusCode 409.
//   - Post responds with a collection of the new invitation alone, without
//     sortField and sortDirection. It keeps an email as it was written.
//   - An email is a bare address that [net/mail] accepts, in ASCII.
//   - In a filter, * matches any text, ? matches one character, and everything
//     else matches itself, in either case. Sorting ignores case, too. Roles sort
//     alphabetically.
//   - What sorts equal is ordered by id. Ids that the server makes ascend, so
//     that is the order in which it made the invitations. desc reverses it all.
//   - sortDirection may be asc, desc, ASC or DESC, or blank for the default,
//     since the schema of the response has these values.
//   - Post refuses to add to 10,000 invitations or more, with 400 Validation, so
//     that memory is bounded. AddInvite has no limit.
//
// The vendor documents that a blank or absent filter or filterField means no
// filtering. So the server ignores a filter without a filterField, and the
// reverse; the methods of package losant refuse to send them.
//
// # Memory
//
// The server keeps the last 10,000 requests, and fewer if their headers and
// bodies exceed 32 MiB together. See [Server.RequestCount].
package losanttest
