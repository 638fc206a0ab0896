package losant

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSamePlaces is the second check of a path, which the first leaves nothing
// to find.
func TestSamePlaces(t *testing.T) {
	t.Parallel()
	const template = "/instances/{instanceId}/orgs/{orgId}"
	assert.True(t, samePlaces(template, "/instances/a1/orgs/B2"))
	for _, path := range []string{
		"", "/", "instances/a/orgs/b", "/instances/a/orgs", "/instances/a/orgs/", "/instances//orgs/b", "/instances/a/orgs/b/", "/instances/a/orgs/b/c", "//instances/a/orgs",
		"/instances/a/orgs/..", "/instances/a/orgs/%2e", "/instances/a/orgs/b?c", "/instances/a/orgs/b#c", "/instances/a/orgs/b\n", "/instances/a/orgs/{orgId}", "/instances/a/orgs/é",
	} {
		assert.False(t, samePlaces(template, path), path)
	}
}

// TestExpandRefusesAWrongTemplate: a resource that is declared wrongly does not
// send anything either.
func TestExpandRefusesAWrongTemplate(t *testing.T) {
	t.Parallel()
	const id = "575ec8687ae143cd83dc4a94"
	for _, template := range []string{"/instances/{instanceId}/orgs/{orgId}", "/instances/{instanceId}/", "instances/{instanceId}", "/in-stances/{instanceId}"} {
		require.Error(t, expand(template, id).err, template)
	}
	p := expand("/instances/{instanceId}", id)
	require.NoError(t, p.err)
	assert.Equal(t, "/instances/"+id, p.expanded)
}
