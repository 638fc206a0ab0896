// Command minimal prints an invitation. Its arguments are the ids of the
// instance, the organization and the invitation.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	losant "github.com/losant-community/losant-rest-go"
)

func main() {
	client, err := losant.NewClient(os.Getenv("LOSANT_API_TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	if len(os.Args) != 4 {
		log.Fatal("usage: minimal INSTANCE ORGANIZATION INVITATION")
	}
	ref := losant.InstanceOrgInviteRef{InstanceID: os.Args[1], OrgID: os.Args[2], InviteID: os.Args[3]}
	invite, err := client.InstanceOrgInvite.Get(context.Background(), ref)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(invite.Email, "is invited to", invite.Role)
}
