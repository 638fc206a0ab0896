package losanttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// refusal makes the checks that all routes have in common. It returns the error
// response, or nil if the request passes.
func (s *Server) refusal(c *call) *response {
	switch {
	case c.route == nil:
		refusal := apiError(http.StatusMethodNotAllowed, "MethodNotAllowed", c.Method+" is not allowed")
		if len(c.allowed) > 0 {
			refusal.header.Set("Allow", strings.Join(c.allowed, ", "))
		}
		return refusal
	case !s.isAuthorized(c.Header):
		return apiError(http.StatusUnauthorized, "Unauthorized", "The bearer token is missing or invalid")
	case c.tooLarge:
		return apiError(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("The body exceeds %d bytes", maxBodyBytes))
	}
	if err := c.validate(); err != nil {
		return apiError(http.StatusBadRequest, "Validation", err.Error())
	}
	if !strings.EqualFold(c.ids["instanceId"], s.InstanceID) {
		return apiError(http.StatusNotFound, "NotFound", "No such instance")
	}
	if !strings.EqualFold(c.ids["orgId"], s.OrgID) {
		return apiError(http.StatusNotFound, "NotFound", "No such organization")
	}
	return nil
}

func (s *Server) isAuthorized(header http.Header) bool {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && token == s.Token
}

// validate checks the query, the ids and the body.
func (c *call) validate() error {
	if c.err != nil {
		return fmt.Errorf("cannot read the request: %w", c.err)
	}
	for _, name := range slices.Sorted(maps.Keys(c.route.query)) {
		values := c.Query[name]
		if len(values) > 1 {
			return fmt.Errorf("%s must not occur more than once", name)
		}
		for _, value := range values {
			if err := c.route.query[name](name, value); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.ids)) {
		if err := checkID(name, c.ids[name]); err != nil {
			return err
		}
	}
	return c.validateBody()
}

func (c *call) validateBody() error {
	if c.route.body == nil && len(c.Body) == 0 {
		return nil // the Content-Type is not checked, because the Ruby client always sends one
	}
	isDelete := c.route.body == nil && c.Method == http.MethodDelete
	if c.route.body == nil && !isDelete {
		return fmt.Errorf("%s takes no body", c.Operation)
	}
	contentType := c.Header.Get("Content-Type")
	mediaType, _, _ := mime.ParseMediaType(contentType)
	if mediaType != "application/json" && (!isDelete || contentType != "") {
		return errors.New("the Content-Type must be application/json")
	}
	var body any
	if err := json.Unmarshal(c.Body, &body); err != nil {
		return fmt.Errorf("the body must be one JSON document: %w", err)
	}
	if isDelete {
		if members, ok := body.(map[string]any); !ok || len(members) > 0 {
			return fmt.Errorf("%s takes no body, or {}", c.Operation)
		}
		return nil
	}
	return c.route.body.check("body", body)
}

// apiError returns a response with the API's error object.
func apiError(status int, kind, message string) *response {
	return jsonResponse(status, struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}{kind, message})
}

func jsonResponse(status int, document any) *response {
	body, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("losanttest: cannot encode a response: %v", err))
	}
	return &response{
		status: status,
		header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		body:   body,
	}
}

// decode decodes a body that has passed the checks. It uses the last of duplicate
// members, because the checks have seen only that one.
func decode(data []byte, destination any) {
	var checked any
	err := json.Unmarshal(data, &checked)
	if err == nil {
		data, err = json.Marshal(checked)
	}
	if err == nil {
		err = json.Unmarshal(data, destination)
	}
	if err != nil {
		panic(fmt.Sprintf("losanttest: cannot decode a body that passed the checks: %v", err))
	}
}
