package losanttest

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestActions tests that each action of the description has a handler, and that each
// handler has an action.
func TestActions(t *testing.T) {
	t.Parallel()
	acts := new(Server).actions()
	described := []string{}
	for _, route := range routes(acts) {
		described = append(described, route.operation)
	}
	assert.ElementsMatch(t, described, slices.Collect(maps.Keys(acts)))
}
