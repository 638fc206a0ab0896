package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/losant-community/losant-rest-go"
)

const tokenVariable = "LOSANT_API_TOKEN"

// wish is what the flags and the environment ask for.
type wish struct {
	token   string // "": the demonstration
	baseURL string
	ref     losant.InstanceOrgInviteRef
	resend  losant.OrgRole // "": don't
	revoke  bool
}

// parse reads the flags and the environment, and refuses whatever leaves a
// doubt about which server is meant, or what is to be done there.
func parse(args []string, getenv func(string) string, help io.Writer) (*wish, error) {
	w := &wish{token: getenv(tokenVariable)}
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors come with the whole usage
	flags.StringVar(&w.ref.InstanceID, "instance", "", "`id` of the instance")
	flags.StringVar(&w.ref.OrgID, "org", "", "`id` of the organization")
	flags.StringVar(&w.ref.InviteID, "invite", "", "`id` of the invite")
	flags.StringVar(&w.baseURL, "base-url", "https://api.losant.com", "`URL` of the API")
	flags.BoolVar(&w.revoke, "revoke", false, "revoke the invite")
	flags.Func("resend", "resend the invite with this `role`", func(value string) error {
		switch role := losant.OrgRole(value); role {
		case losant.OrgRoleAdmin, losant.OrgRoleEdit, losant.OrgRoleCollaborate, losant.OrgRoleView, losant.OrgRoleNone:
			w.resend = role
			return nil
		}
		return errors.New("the role is one of admin, edit, collaborate, view, none")
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(help, "Reads an invite with the token in %s. "+
				"Without token and flags: a demonstration on an embedded server.\n", tokenVariable)
			flags.SetOutput(help)
			flags.PrintDefaults()
		}
		return nil, err
	}

	var missing []string
	for _, name := range []string{"instance", "org", "invite"} {
		if flags.Lookup(name).Value.String() == "" {
			missing = append(missing, "-"+name)
		}
	}
	switch {
	case flags.NArg() > 0: // and not quoted: it might be a token
		return nil, errors.New("there is an argument that belongs to no flag; see -help")
	case w.token == "" && flags.NFlag() > 0:
		return nil, fmt.Errorf("missing: %s in the environment; needed to reach the API (for the demonstration, give no flags)", tokenVariable)
	case w.token == "":
		return w, nil
	case len(missing) > 0:
		return nil, fmt.Errorf("missing: %s; needed to reach the API (for the demonstration, unset %s and give no flags)",
			strings.Join(missing, ", "), tokenVariable)
	case w.revoke && w.resend != "":
		return nil, errors.New("-resend and -revoke contradict each other; give one of them")
	}
	return w, nil
}
