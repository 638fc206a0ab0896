package losanttest

import (
	"bytes"
	_ "embed" // for description.json
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// descriptionJSON is the part of Losant's API description, version 1.30.0, that
// this server implements.
//
//go:embed description.json
var descriptionJSON []byte

// description is a decoded API description.
type description struct {
	APIVersion string `json:"apiVersion"`
	Global     struct {
		Query   map[string]bool `json:"query"` // flags of every action, with their defaults
		Headers []string        `json:"headers"`
	} `json:"global"`
	Resources map[string]struct {
		Path    string            `json:"path"`
		Actions map[string]action `json:"actions"`
	} `json:"resources"`
	Types map[string]*schema `json:"types"`
}

// action is one action of a resource.
type action struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  []struct {
		Name    string `json:"name"`
		Default any    `json:"default"`
		Enum    []any  `json:"enum"`
	} `json:"query"`
	Body *struct {
		Name     string `json:"name"`
		Type     string `json:"type"`
		Required bool   `json:"required"`
	} `json:"body"`
	Success []struct {
		Status int    `json:"status"`
		Type   string `json:"type"`
	} `json:"success"`
	Errors []int `json:"errors"`
}

// apiDescription decodes descriptionJSON. It panics if there is an unknown member,
// so that a new keyword is not ignored.
var apiDescription = sync.OnceValue(func() *description {
	decoder := json.NewDecoder(bytes.NewReader(descriptionJSON))
	decoder.DisallowUnknownFields()
	api := new(description)
	if err := decoder.Decode(api); err != nil {
		panic(fmt.Sprintf("losanttest: description.json: %v", err))
	}
	return api
})

// route is an action with its checks and its handler.
type route struct {
	operation string // such as "InstanceOrgInvite.Get"
	method    string // the HTTP method
	template  string // of the path, such as "/instances/{instanceId}"
	query     map[string]check
	body      *schema // nil if the action takes no body
	status    int     // of a successful response
	act       func(*call) *response
}

// routes returns the actions of the description with their handlers in acts.
func routes(acts map[string]func(*call) *response) []route {
	api := apiDescription()
	var routes []route
	for resource, r := range api.Resources {
		for name, a := range r.Actions {
			operation := capitalized(resource) + "." + capitalized(name)
			one := route{
				operation: operation, method: a.Method, template: a.Path,
				query: api.query(a), status: a.Success[0].Status, act: acts[operation],
			}
			if a.Body != nil {
				one.body = api.Types[a.Body.Type]
			}
			routes = append(routes, one)
		}
	}
	slices.SortFunc(routes, func(a, b route) int { return strings.Compare(a.operation, b.operation) })
	return routes
}

// query returns the checks of an action's query parameters.
func (d *description) query(a action) map[string]check {
	checks := make(map[string]check)
	for name := range d.Global.Query {
		checks[name] = (&schema{Type: "string", Enum: flagValues}).check
	}
	for _, parameter := range a.Query {
		enum := parameter.Enum
		switch parameter.Name {
		case "sortDirection": // the schema of the response also allows ASC, DESC and a blank
			enum = d.Types["orgInviteCollection"].Properties["sortDirection"].Enum
		case "filterField": // documented: "Blank or not provided means no filtering"
			enum = append(slices.Clone(enum), "")
		}
		checks[parameter.Name] = (&schema{Type: "string", Enum: enum}).check
	}
	return checks
}

// flagValues are the values of flags that Losant's clients send.
var flagValues = []any{"true", "True", "1", "false", "False", "0"}

func capitalized(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
