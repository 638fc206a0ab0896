package losant_test

import (
	"encoding/json"
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
	data := []byte(fullInviteJSON)
	b.ReportAllocs()
	for b.Loop() {
		var i handInvite
		if err := json.Unmarshal(data, &i); err != nil {
			b.Fatal(err)
		}
	}
}
