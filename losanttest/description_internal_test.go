package losanttest

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestActions: the server carries out every action of the description, and no
// other.
func TestActions(t *testing.T) {
	t.Parallel()
	acts := new(Server).actions()
	described := []string{}
	for _, route := range routes(acts) {
		described = append(described, route.operation)
	}
	assert.ElementsMatch(t, described, slices.Collect(maps.Keys(acts)))
}
