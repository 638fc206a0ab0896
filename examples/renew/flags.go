package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go"
)

const tokenVariable = "LOSANT_API_TOKEN"

// order is what the flags and the environment ask for.
type order struct {
	demonstration bool // there is no token
	token         string
	baseURL       string
	org           losant.InstanceOrgInvitesRef
	filter        string // for the email; "": all
	json          bool
	resend        bool
	parallel      int
	timeout       time.Duration // for one renewal
}

// parse reads the flags and the environment, and refuses whatever leaves a
// doubt about which organization is meant.
func parse(args []string, getenv func(string) string, help io.Writer) (*order, error) {
	const fewCalls, manyCalls = 4, 64
	o := &order{token: getenv(tokenVariable)}
	o.demonstration = o.token == ""
	flags := flag.NewFlagSet("renew", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors come with the whole usage
	flags.StringVar(&o.org.InstanceID, "instance", "", "`id` of the instance")
	flags.StringVar(&o.org.OrgID, "org", "", "`id` of the organization")
	flags.StringVar(&o.baseURL, "base-url", "https://api.losant.com", "`URL` of the API")
	flags.StringVar(&o.filter, "filter", "", "only the invites whose email matches this `glob`, such as '*@example.com'")
	flags.BoolVar(&o.json, "json", false, "print JSON instead of a table and a summary")
	flags.BoolVar(&o.resend, "resend", false, "renew the expired invites, with the roles they have; mails those who are invited")
	flags.IntVar(&o.parallel, "parallel", fewCalls, "renew at most this `number` of invites at once, 1 to 64")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "`time` for one renewal, with its retries")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(help, "Lists the invites to an organization, and renews the expired ones, with the token in %s. "+
				"Without a token and ids: a demonstration on an embedded server.\n", tokenVariable)
			flags.SetOutput(help)
			flags.PrintDefaults()
		}
		return nil, err
	}

	var missing, target []string
	flags.Visit(func(f *flag.Flag) {
		if f.Name == "instance" || f.Name == "org" || f.Name == "base-url" {
			target = append(target, "-"+f.Name)
		}
	})
	for _, name := range []string{"instance", "org"} {
		if flags.Lookup(name).Value.String() == "" {
			missing = append(missing, "-"+name)
		}
	}
	switch {
	case flags.NArg() > 0: // and not quoted: it might be a token
		return nil, errors.New("there is an argument that belongs to no flag; see -help")
	case o.parallel < 1 || o.parallel > manyCalls:
		return nil, fmt.Errorf("-parallel %d is not from 1 to %d", o.parallel, manyCalls)
	case o.timeout <= 0:
		return nil, fmt.Errorf("-timeout %v leaves no time", o.timeout)
	case o.demonstration && len(target) > 0:
		return nil, fmt.Errorf("missing: %s in the environment; needed to reach the API (for the demonstration, leave out %s)",
			tokenVariable, strings.Join(target, ", "))
	case !o.demonstration && len(missing) > 0:
		return nil, fmt.Errorf("missing: %s; needed to reach the API (for the demonstration, unset %s)",
			strings.Join(missing, ", "), tokenVariable)
	}
	return o, nil
}
