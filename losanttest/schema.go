package losanttest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/losant-community/losant-rest-go"
)

// idPattern is the API's own.
var idPattern = regexp.MustCompile(`^[A-Fa-f\d]{24}$`)

// check says what is wrong with a decoded JSON value, which is named field.
type check func(field string, value any) error

// orgRoleInfo checks the API's type of that name.
func orgRoleInfo() check {
	grants := list(100, object([]string{"resourceId", "role"}, map[string]check{
		"resourceId": id,
		"role":       oneOf(losant.ResourceRoleCollaborate, losant.ResourceRoleView, losant.ResourceRoleNone),
	}))
	return object(nil, map[string]check{
		"role": oneOf(losant.OrgRoleAdmin, losant.OrgRoleEdit, losant.OrgRoleCollaborate,
			losant.OrgRoleView, losant.OrgRoleNone),
		"applicationRoles": grants,
		"dashboardRoles":   grants,
	})
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
