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

// config holds the settings from the flags and the environment.
type config struct {
	demonstration bool // there is no token
	token         string
	baseURL       string
	org           losant.InstanceOrgInvitesRef
	filter        string // for the email; "": all
	json          bool
	resend        bool
	yes           bool // the emails are confirmed
	parallel      int
	timeout       time.Duration // for one renewal
}

// parse reads the flags and the environment. It refuses settings that leave the
// organization in doubt.
func parse(args []string, getenv func(string) string, help io.Writer) (*config, error) {
	const fewCalls, manyCalls = 4, 64
	c := &config{token: getenv(tokenVariable)}
	c.demonstration = c.token == ""
	flags := flag.NewFlagSet("renew", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors come with the whole usage
	flags.StringVar(&c.org.InstanceID, "instance", "", "`id` of the instance")
	flags.StringVar(&c.org.OrgID, "org", "", "`id` of the organization")
	flags.StringVar(&c.baseURL, "base-url", "https://api.losant.com", "`URL` of the API")
	flags.StringVar(&c.filter, "filter", "", "only the invites whose email matches this `glob`, such as '*@example.com'")
	flags.BoolVar(&c.json, "json", false, "print JSON instead of a table")
	flags.BoolVar(&c.resend, "resend", false, "renew the expired invites with the roles they have; this sends an email for each")
	flags.BoolVar(&c.yes, "yes", false, "with -resend: send the emails without asking; required if the standard input is not a terminal")
	flags.IntVar(&c.parallel, "parallel", fewCalls, "renew at most this `number` of invites at once, 1 to 64")
	flags.DurationVar(&c.timeout, "timeout", time.Minute, "`time` for one renewal, with its retries")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(help, "Lists the invites to an organization, and renews the expired ones, with the token\nin %s. "+
				"Without a token and ids: a demonstration on an embedded server.\n\n", tokenVariable)
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
	case flags.NArg() > 0: // it is not quoted, because it might be a token
		return nil, errors.New("unexpected argument; see -help")
	case c.parallel < 1 || c.parallel > manyCalls:
		return nil, fmt.Errorf("-parallel %d is not from 1 to %d", c.parallel, manyCalls)
	case c.timeout <= 0:
		return nil, fmt.Errorf("-timeout %v is not positive", c.timeout)
	case c.demonstration && len(target) > 0:
		return nil, fmt.Errorf("missing: %s in the environment; needed to reach the API (for the demonstration, leave out %s)",
			tokenVariable, strings.Join(target, ", "))
	case !c.demonstration && len(missing) > 0:
		return nil, fmt.Errorf("missing: %s; needed to reach the API (for the demonstration, unset %s)",
			strings.Join(missing, ", "), tokenVariable)
	}
	return c, nil
}
