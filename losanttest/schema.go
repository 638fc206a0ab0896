package losanttest

import (
	"fmt"
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/losant-community/losant-rest-go"
)

// idPattern is the API's own.
var idPattern = regexp.MustCompile(`^[A-Fa-f\d]{24}$`)

// check says what is wrong with a decoded JSON value, which is named field.
type check func(field string, value any) error

// flags checks the parameters that every action takes.
func flags() map[string]check {
	flag := oneOf("true", "false")
	return map[string]check{"_actions": flag, "_links": flag, "_embedded": flag}
}

// instanceOrgInvitesQuery checks the parameters of InstanceOrgInvites.Get.
func instanceOrgInvitesQuery() map[string]check {
	parameters := flags()
	parameters["sortField"] = oneOf(losant.OrgInviteFieldEmail, losant.OrgInviteFieldRole, losant.OrgInviteFieldInviteDate)
	parameters["sortDirection"] = oneOf(losant.SortAscending, losant.SortDescending, "ASC", "DESC", "")
	parameters["filterField"] = oneOf(losant.OrgInviteFieldEmail, losant.OrgInviteFieldRole, "")
	parameters["filter"] = utf8Text
	return parameters
}

// orgRoleInfo checks the API's type of that name.
func orgRoleInfo() check { return object(nil, roleProperties()) }

// orgInvitePost checks the API's type of that name.
func orgInvitePost() check {
	properties := roleProperties()
	properties["email"] = email
	properties["disallowTransfer"] = boolean
	return object([]string{"email", "role"}, properties)
}

// roleProperties are what the types above share.
func roleProperties() map[string]check {
	grants := list(100, object([]string{"resourceId", "role"}, map[string]check{
		"resourceId": id,
		"role":       oneOf(losant.ResourceRoleCollaborate, losant.ResourceRoleView, losant.ResourceRoleNone),
	}))
	return map[string]check{
		"role": oneOf(losant.OrgRoleAdmin, losant.OrgRoleEdit, losant.OrgRoleCollaborate,
			losant.OrgRoleView, losant.OrgRoleNone),
		"applicationRoles": grants,
		"dashboardRoles":   grants,
	}
}

// object checks an object that may have no other than the given properties.
func object(required []string, properties map[string]check) check {
	return func(field string, value any) error {
		members, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("%s must be an object", field)
		}
		for _, name := range required {
			if _, ok := members[name]; !ok {
				return fmt.Errorf("%s.%s is required", field, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			property, ok := properties[name]
			if !ok {
				return fmt.Errorf("%s.%s is not allowed", field, name)
			}
			if err := property(field+"."+name, members[name]); err != nil {
				return err
			}
		}
		return nil
	}
}

// list checks an array of at most maxItems values.
func list(maxItems int, item check) check {
	return func(field string, value any) error {
		items, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s must be an array", field)
		}
		if len(items) > maxItems {
			return fmt.Errorf("%s must have at most %d items", field, maxItems)
		}
		for n := range items {
			if err := item(fmt.Sprintf("%s[%d]", field, n), items[n]); err != nil {
				return err
			}
		}
		return nil
	}
}

// oneOf checks a string that is one of values.
func oneOf[T ~string](values ...T) check {
	return func(field string, value any) error {
		if text, ok := value.(string); !ok || !slices.Contains(values, T(text)) {
			return fmt.Errorf("%s must be one of %q", field, values)
		}
		return nil
	}
}

// id checks a string that can be an id.
func id(field string, value any) error {
	if text, ok := value.(string); !ok || !idPattern.MatchString(text) {
		return fmt.Errorf("%s must match %s", field, idPattern)
	}
	return nil
}

// email checks a string that is an address and nothing else.
func email(field string, value any) error {
	const maxLength = 1024
	text, ok := value.(string)
	switch {
	case !ok:
		return fmt.Errorf("%s must be a string", field)
	case utf8.RuneCountInString(text) > maxLength:
		return fmt.Errorf("%s must have at most %d characters", field, maxLength)
	}
	// The parser also takes names, comments and brackets, and all of Unicode.
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		return fmt.Errorf("%s must be an email address", field)
	}
	return nil
}

func boolean(field string, value any) error {
	if _, ok := value.(bool); !ok {
		return fmt.Errorf("%s must be a boolean", field)
	}
	return nil
}

// utf8Text checks a string that JSON can write as it is.
func utf8Text(field string, value any) error {
	if text, ok := value.(string); !ok || !utf8.ValidString(text) {
		return fmt.Errorf("%s must be text in UTF-8", field)
	}
	return nil
}
