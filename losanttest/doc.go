// Package losanttest provides an in-memory Losant API for tests of programs that
// use package losant.
//
// The server speaks HTTP, so a test exercises the complete client: its requests,
// retries and errors. A [Fault] makes requests fail: with an error status, a cut
// connection or a delay, before or after the action takes effect.
//
//	func TestRevoke(t *testing.T) {
//		srv := losanttest.New(t) // closes when the test ends
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
// The server implements five actions: InstanceOrgInvite.Get,
// InstanceOrgInvite.Delete, InstanceOrgInvite.ResendInvite,
// InstanceOrgInvites.Get and InstanceOrgInvites.Post.
//
// By default, the client waits at least 500 ms before a retry. To test retries
// without this wait, set MinWait of losant.RetryPolicy to a millisecond. Leave MaxWait
// as it is: the client does not retry if a response asks for a longer wait. To skip
// such waits, use a fake clock.
//
// # Fake clocks
//
// In a bubble of [testing/synctest], use [WithMemoryNetwork], and create the
// server inside the bubble:
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := losanttest.New(t, losanttest.WithMemoryNetwork())
//		client, err := srv.Client()
//		srv.Inject(losanttest.Fault{StatusCode: 503, RetryAfter: "7"})
//		// The next call waits at least 7 seconds of fake time.
//	})
//
// Without this option, the clock of the bubble stops while a client is connected
// over loopback, because a goroutine that reads from a socket is not durably
// blocked (golang/go#71345).
//
// A program that creates its own client passes [Server.Transport] to
// [losant.WithHTTPClient]. See the example of [WithMemoryNetwork].
//
// # Checks
//
// The server checks each request against Losant's published API description,
// version 1.30.0. It checks in the order of this list. The first violation
// determines the response. Its body is the API's error object, with the members
// type and message.
//
//   - Route: 405 MethodNotAllowed. The live API was seen to send 405 for an unknown
//     path. If the path has other methods, the Allow header lists them.
//   - Bearer token: 401 Unauthorized.
//   - Size of the body, at most 1 MiB: 413 RequestEntityTooLarge. This limit is
//     the server's own.
//   - Query: 400 Validation. Each parameter occurs at most once. The flags
//     _actions, _links and _embedded are true, True, 1, false, False or 0. The
//     other parameters of the action have the documented values. Unknown
//     parameters are ignored.
//   - IDs, 24 hexadecimal digits in either case: 400 Validation.
//   - Body: 400 Validation. It must match the schema of the action. An action
//     without a schema takes no body, except that a DELETE may send {}.
//   - Existence of the instance, the organization and the invitation:
//     404 NotFound.
//
// The server accepts what Losant's clients for JavaScript, Python and Ruby send:
// a DELETE with the body {}, Python's True and False, a Content-Type without a
// body, and any Accept, Accept-Version or losantdomain header. There is one
// exception: the Python client can send ResendInvite without a body. The
// description requires a body, so the response is 400 Validation.
//
// The server does not implement scopes, API versions, domains or rate limits. It
// accepts _actions and _embedded, and ignores them.
//
// # Undocumented behavior
//
// Losant does not document the following. The server behaves as described here.
//
//   - ResendInvite creates a new id, and the old id no longer exists.
//     [WithResendID] makes it keep the id. Properties that the request omits do
//     not change.
//   - Post creates a second invitation if the email already has one, so that a
//     test can detect duplicates. To test a refusal, inject a [Fault] with
//     StatusCode 409.
//   - The response to Post contains only the new invitation, and no sortField or
//     sortDirection. The email keeps its case.
//   - An email is an address without a display name, as [net/mail] parses it, in
//     ASCII.
//   - In a filter, * matches any text, including none, and ? matches one
//     character. Other characters match themselves. Case is ignored.
//   - Sorting ignores case. Roles are sorted alphabetically. Equal invitations
//     are sorted by id. Each id that the server creates is greater than the one
//     before, so this is the order of creation. The direction desc reverses the
//     complete list.
//   - sortDirection is asc, desc, ASC or DESC. A blank means the default.
//   - Post responds with 400 Validation if there are 10,000 invitations or more.
//     This bounds memory. AddInvite has no limit.
//
// Losant documents that a blank or absent filter or filterField means no
// filtering. The server therefore ignores a filter without a filterField, and a
// filterField without a filter. The methods of package losant refuse to send
// either.
//
// # Memory
//
// The server keeps the last 10,000 requests, or fewer if they exceed 32 MiB. See
// [Server.RequestCount].
package losanttest
