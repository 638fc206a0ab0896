package route

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const id = "575ec8687ae143cd83dc4a94"

func TestExpand(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"/instances/{instanceId}": "/instances/" + id,
		"/applications/{applicationId}/device-recipes/{deviceRecipeId}/x": "/applications/" + id + "/device-recipes/" + id + "/x",
	} {
		ids := []string{id, id}[:len(want)/60+1]
		path := Expand(template, ids...)
		require.NoError(t, path.Err)
		assert.Equal(t, Path{Template: template, Expanded: want}, path)
	}
	assert.Equal(t, Path{Template: "/auth", Expanded: "/auth"}, Expand("/auth"))
}

// TestExpandRefuses: an id that is none, named as the Go field; and a resource
// that is declared wrongly, with too few or too many ids.
func TestExpandRefuses(t *testing.T) {
	t.Parallel()
	require.EqualError(t, Expand("/instances/{instanceId}/orgs/{orgId}", id, "..").Err, `OrgID ".." is not 24 hexadecimal digits`)
	for _, row := range []struct {
		template string
		ids      []string
	}{
		{"/instances/{instanceId}/orgs/{orgId}", []string{id}},
		{"/instances/{instanceId}", []string{id, id}},
		{"/instances/{instanceId}", []string{id, ".."}},
		{"/instances/{instanceId}", nil},
		{"/instances", []string{id}},
		{"/instances/{instanceId}/", []string{id}},
		{"instances/{instanceId}", []string{id}},
		{"/in.stances/{instanceId}", []string{id}},
	} {
		path := Expand(row.template, row.ids...)
		require.Error(t, path.Err, row.template)
		assert.Empty(t, path.Expanded)
	}
}

// TestSamePlaces is the second check of a path, which the first leaves nothing
// to find.
func TestSamePlaces(t *testing.T) {
	t.Parallel()
	const template = "/instances/{instanceId}/orgs/{orgId}"
	assert.True(t, matchesTemplate(template, "/instances/a1/orgs/B2"))
	for _, path := range []string{
		"", "/", "instances/a/orgs/b", "/instances/a/orgs", "/instances/a/orgs/", "/instances//orgs/b", "/instances/a/orgs/b/", "/instances/a/orgs/b/c", "//instances/a/orgs",
		"/instances/a/orgs/..", "/instances/a/orgs/%2e", "/instances/a/orgs/b?c", "/instances/a/orgs/b#c", "/instances/a/orgs/b\n", "/instances/a/orgs/{orgId}", "/instances/a/orgs/é",
	} {
		assert.False(t, matchesTemplate(template, path), path)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		segments []string
		want     Path
	}{
		{[]string{"auth"}, Path{Template: "/auth", Expanded: "/auth"}},
		{[]string{"applications", id, "device-recipes", id, "bulkCreate"}, Path{Template: "/applications/{id}/device-recipes/{id}/bulkCreate", Expanded: "/applications/" + id + "/device-recipes/" + id + "/bulkCreate"}},
		{[]string{"x", "a/b c%2e?#"}, Path{Template: "/x/{id}", Expanded: "/x/a/b c%2e?#", Escaped: "/x/a%2Fb%20c%252e%3F%23"}},
		{[]string{"x", "...", "A", "b1", "é", "%2e%2e"}, Path{Template: "/x/{id}/{id}/{id}/{id}/{id}", Expanded: "/x/.../A/b1/é/%2e%2e", Escaped: "/x/.../A/b1/%C3%A9/%252e%252e"}},
	} {
		assert.Equal(t, row.want, Join(row.segments))
	}
	for _, hostile := range []string{"", ".", "..", "../x", "x/..", "a/./b", `..\x`, "/", "//", "a//b", "/a", "a/", `\`, "..;", "..;x=1", ".;/a", "\n", "a\x00", "a\x7f", "\u0085", "\xff"} {
		path := Join([]string{"x", hostile})
		require.ErrorContains(t, path.Err, "segment 1", hostile)
		assert.Empty(t, path.Expanded)
	}
	require.Error(t, Join(nil).Err)
}
