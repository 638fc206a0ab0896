package losant_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	losant "github.com/losant-community/losant-rest-go"
)

// BenchmarkDecodeInvite decodes one invitation.
func BenchmarkDecodeInvite(b *testing.B) {
	data := []byte(fullInviteJSON)
	b.ReportAllocs()
	for b.Loop() {
		var i losant.OrgInvite
		if err := i.UnmarshalJSON(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodePlain decodes it with encoding/json, into what somebody would
// write who has no library.
func BenchmarkDecodePlain(b *testing.B) {
	type plain struct {
		ID               string `json:"id"`
		Email            string `json:"email"`
		Role             string
		ApplicationRoles []losant.ResourceGrant
		DashboardRoles   []losant.ResourceGrant
		InviteDate       string
		TTL              int64
		HasExpired       bool
		DisallowTransfer bool
		Links            map[string]losant.Link `json:"_links"`
	}
	data := []byte(fullInviteJSON)
	b.ReportAllocs()
	for b.Loop() {
		var i plain
		if err := json.Unmarshal(data, &i); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStubGet makes complete calls, without a network.
func BenchmarkStubGet(b *testing.B) {
	client, err := losant.NewClient(canary, losant.WithHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(fullInviteJSON)), ContentLength: int64(len(fullInviteJSON))}, nil
	})}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.InstanceOrgInvite.Get(b.Context(), ref); err != nil {
			b.Fatal(err)
		}
	}
}
