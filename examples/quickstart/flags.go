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

// config holds the settings from the flags and the environment.
type config struct {
	token   string // "": run the demonstration
	baseURL string
	ref     losant.InstanceOrgInviteRef
	resend  losant.OrgRole // resend with this role; "": do not resend
	revoke  bool
}

// parse reads the flags and the environment. It returns an error if they do not
// determine the server, the invite and the action.
func parse(args []string, getenv func(string) string, help io.Writer) (*config, error) {
	c := &config{token: getenv(tokenVariable)}
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // package flag prints the complete usage with each error
	flags.StringVar(&c.ref.InstanceID, "instance", "", "`id` of the instance")
	flags.StringVar(&c.ref.OrgID, "org", "", "`id` of the organization")
	flags.StringVar(&c.ref.InviteID, "invite", "", "`id` of the invite")
	flags.StringVar(&c.baseURL, "base-url", "https://api.losant.com", "`URL` of the API")
	flags.BoolVar(&c.revoke, "revoke", false, "revoke the invite")
	flags.Func("resend", "resend the invite with this `role`: admin, edit, collaborate, view or none", func(value string) error {
		switch role := losant.OrgRole(value); role {
		case losant.OrgRoleAdmin, losant.OrgRoleEdit, losant.OrgRoleCollaborate, losant.OrgRoleView, losant.OrgRoleNone:
			c.resend = role
			return nil
		}
		return errors.New("the role must be admin, edit, collaborate, view or none")
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(help, "Quickstart prints the invite with the given ids. It uses the token in %s.\n"+
				"Without a token and flags, it runs a demonstration on an embedded server.\n\n", tokenVariable)
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
	case flags.NArg() > 0: // the message does not quote it, because it may be a token
		return nil, errors.New("unexpected argument; see -help")
	case c.token == "" && flags.NFlag() > 0:
		return nil, fmt.Errorf("%s is not set (required with flags); for the demonstration, use no flags", tokenVariable)
	case c.token == "":
		return c, nil
	case len(missing) > 0:
		return nil, fmt.Errorf("missing %s (required because %s is set); for the demonstration, unset it and use no flags",
			strings.Join(missing, ", "), tokenVariable)
	case c.revoke && c.resend != "":
		return nil, errors.New("-resend and -revoke cannot be used together")
	}
	return c, nil
}
