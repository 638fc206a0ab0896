package losanttest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// idPattern is the API's pattern of an id.
var idPattern = regexp.MustCompile(`^[A-Fa-f\d]{24}$`)

// check returns an error if a decoded JSON value is invalid. The error calls the
// value field.
type check func(field string, value any) error

// schema is a JSON schema. Its fields are the keywords that the description uses.
type schema struct {
	Type                 string             `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties *bool              `json:"additionalProperties"` // nil means true
	Items                *schema            `json:"items"`
	MaxItems             *int               `json:"maxItems"`
	Enum                 []any              `json:"enum"`
	Pattern              string             `json:"pattern"`
	Format               string             `json:"format"`
	MaxLength            *int               `json:"maxLength"`
}

// check checks value against s. The value is one that encoding/json decodes into
// an any.
func (s *schema) check(field string, value any) error {
	var err error
	switch s.Type {
	case "object":
		err = s.checkObject(field, value)
	case "array":
		err = s.checkArray(field, value)
	case "string":
		err = s.checkString(field, value)
	case "number", "integer":
		number, ok := value.(float64)
		if !ok || s.Type == "integer" && number != math.Trunc(number) {
			err = fmt.Errorf("%s must be of type %s", field, s.Type)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			err = fmt.Errorf("%s must be a boolean", field)
		}
	}
	if err == nil && s.Enum != nil && !slices.Contains(s.Enum, value) {
		err = fmt.Errorf("%s must be one of %q", field, s.Enum)
	}
	return err
}

func (s *schema) checkObject(field string, value any) error {
	members, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s must be an object", field)
	}
	for _, name := range s.Required {
		if _, ok := members[name]; !ok {
			return fmt.Errorf("%s.%s is required", field, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		property, ok := s.Properties[name]
		if !ok {
			if s.AdditionalProperties != nil && !*s.AdditionalProperties {
				return fmt.Errorf("%s.%s is not allowed", field, name)
			}
			continue
		}
		if err := property.check(field+"."+name, members[name]); err != nil {
			return err
		}
	}
	return nil
}

func (s *schema) checkArray(field string, value any) error {
	items, ok := value.([]any)
	if !ok {
		return fmt.Errorf("%s must be an array", field)
	}
	if s.MaxItems != nil && len(items) > *s.MaxItems {
		return fmt.Errorf("%s must have at most %d items", field, *s.MaxItems)
	}
	for n := range items {
		if err := s.Items.check(fmt.Sprintf("%s[%d]", field, n), items[n]); err != nil {
			return err
		}
	}
	return nil
}

func (s *schema) checkString(field string, value any) error {
	text, ok := value.(string)
	switch {
	case !ok:
		return fmt.Errorf("%s must be a string", field)
	case !utf8.ValidString(text):
		return fmt.Errorf("%s must be valid UTF-8", field)
	case s.MaxLength != nil && utf8.RuneCountInString(text) > *s.MaxLength:
		return fmt.Errorf("%s must have at most %d characters", field, *s.MaxLength)
	case s.Pattern != "" && !compiled(s.Pattern).MatchString(text):
		return fmt.Errorf("%s must match %s", field, s.Pattern)
	case s.Format == "email" && !isEmail(text):
		return fmt.Errorf("%s must be an email address", field)
	case s.Format == "date-time" && !isDateTime(text):
		return fmt.Errorf("%s must be a date and time in RFC 3339 format", field)
	}
	return nil
}

// compiled returns the compiled form of a pattern. Today, every pattern in the
// description is that of an id, which is compiled only once.
func compiled(pattern string) *regexp.Regexp {
	if pattern == idPattern.String() {
		return idPattern
	}
	return regexp.MustCompile(pattern)
}

// isEmail reports whether text is only an email address, in ASCII. The parser also
// accepts display names, comments, angle brackets and Unicode.
func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

func isDateTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// checkID returns an error if the path segment id is not an id.
func checkID(name, id string) error {
	if !idPattern.MatchString(id) {
		return errors.New(name + " must match " + idPattern.String())
	}
	return nil
}
