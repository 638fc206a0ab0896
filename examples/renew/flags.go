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
	demonstration bool // true if there is no token
	token         string
	baseURL       string
	org           losant.InstanceOrgInvitesRef
	filter        string // for the email; "": all invites
	json          bool
	resend        bool
	yes           bool // send the emails without asking
	parallel      int
	timeout       time.Duration // for one renewal
}

// parse reads the flags and the environment. It returns an error if they do not
// determine the organization.
func parse(args []string, getenv func(string) string, help io.Writer) (*config, error) {
	const fewCalls, manyCalls = 4, 64
	c := &config{token: getenv(tokenVariable)}
	c.demonstration = c.token == ""
	flags := flag.NewFlagSet("renew", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // package flag prints the complete usage with each error
	flags.StringVar(&c.org.InstanceID, "instance", "", "`id` of the instance")
	flags.StringVar(&c.org.OrgID, "org", "", "`id` of the organization")
	flags.StringVar(&c.baseURL, "base-url", "https://api.losant.com", "`URL` of the API")
	flags.StringVar(&c.filter, "filter", "", "use only the invites whose email matches this `glob`, such as '*@example.com'")
	flags.BoolVar(&c.json, "json", false, "print JSON instead of a table")
	flags.BoolVar(&c.resend, "resend", false, "renew the expired invites with their present roles; this sends an email for each")
	flags.BoolVar(&c.yes, "yes", false, "with -resend: send the emails without asking; required if the standard input is not a terminal")
	flags.IntVar(&c.parallel, "parallel", fewCalls, "renew at most this `number` of invites at once, 1 to 64")
	flags.DurationVar(&c.timeout, "timeout", time.Minute, "maximum `duration` of one renewal with its retries")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(help, "Renew lists the invites to an organization and renews the expired ones. It uses\nthe token in %s. "+
				"Without a token and ids, it runs a demonstration on an\nembedded server.\n\n", tokenVariable)
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
	case flags.NArg() > 0: // the message does not quote it, because it may be a token
		return nil, errors.New("unexpected argument; see -help")
	case c.parallel < 1 || c.parallel > manyCalls:
		return nil, fmt.Errorf("-parallel %d is out of range: use 1 to %d", c.parallel, manyCalls)
	case c.timeout <= 0:
		return nil, fmt.Errorf("-timeout %v must be positive", c.timeout)
	case c.demonstration && len(target) > 0:
		return nil, fmt.Errorf("%s is not set (required to use the API); for the demonstration, omit %s",
			tokenVariable, strings.Join(target, ", "))
	case !c.demonstration && len(missing) > 0:
		return nil, fmt.Errorf("missing %s (required because %s is set); for the demonstration, unset it",
			strings.Join(missing, ", "), tokenVariable)
	}
	return c, nil
}
