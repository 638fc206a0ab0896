// Command minimal lists the invitations to an organization. It reads the token and
// the ids from the environment.
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
	org := losant.InstanceOrgInvitesRef{InstanceID: os.Getenv("LOSANT_INSTANCE_ID"), OrgID: os.Getenv("LOSANT_ORG_ID")}
	list, err := client.InstanceOrgInvites.Get(context.Background(), org, losant.InstanceOrgInvitesQuery{})
	if err != nil {
		log.Fatal(err)
	}
	for _, invite := range list.Items {
		fmt.Println(invite.Email, "is invited to", invite.Role)
	}
}
