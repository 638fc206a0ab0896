package route

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const id = "575ec8687ae143cd83dc4a94"

func TestExpandReplacesPlaces(t *testing.T) {
	t.Parallel()
	const two = "/applications/{applicationId}/device-recipes/{deviceRecipeId}/x"
	assert.Equal(t, Path{Template: "/auth", Expanded: "/auth"}, Expand("/auth"))
	assert.Equal(t, Path{Template: "/instances/{instanceId}", Expanded: "/instances/" + id}, Expand("/instances/{instanceId}", id))
	assert.Equal(t, Path{Template: two, Expanded: "/applications/" + id + "/device-recipes/" + id + "/x"}, Expand(two, id, id))
}

// TestExpandRejectsInvalidIDs with an error that names the Go field.
func TestExpandRejectsInvalidIDs(t *testing.T) {
	t.Parallel()
	path := Expand("/instances/{instanceId}/orgs/{orgId}", id, "..")
	require.EqualError(t, path.Err, `OrgID ".." is not 24 hexadecimal digits`)
	assert.Empty(t, path.Expanded)
	assert.Equal(t, "/instances/{instanceId}/orgs/{orgId}", path.Template)
}

func TestFillReplacesPlaces(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		route string
		ids   []string
		want  Path
	}{
		{"/me", nil, Path{Template: "/me", Expanded: "/me"}},
		{"/azAZ09-_/{azAZ09}", []string{id}, Path{Template: "/azAZ09-_/{azAZ09}", Expanded: "/azAZ09-_/" + id}},
		{"/a_b/{id}/X-1", []string{"ABCDEFabcdef012345678901"}, Path{Template: "/a_b/{id}/X-1", Expanded: "/a_b/ABCDEFabcdef012345678901/X-1"}},
		{"/d/{deviceId}/a/{name:any}", []string{id, "temp"}, Path{Template: "/d/{deviceId}/a/{name}", Expanded: "/d/" + id + "/a/temp"}},
		{"/{name:any}/x", []string{"é 50%,"}, Path{Template: "/{name}/x", Expanded: "/é 50%,/x"}},
	} {
		assert.Equal(t, row.want, Fill(row.route, row.ids))
	}
}

// TestFillRejectsInvalidRoutes and ids with an error that says what is wrong where.
func TestFillRejectsInvalidRoutes(t *testing.T) {
	t.Parallel()
	const two = "/applications/{applicationId}/devices/{deviceId}"
	for _, row := range []struct {
		route string
		ids   []string
		want  string
	}{
		{two, []string{id, "x"}, `IDs[1] (deviceId) "x" is not 24 hexadecimal digits`},
		{two, []string{"", id}, `IDs[0] (applicationId) is empty`},
		{two, []string{id}, `Route "` + two + `" takes 2 IDs, not 1`},
		{two, nil, `Route "` + two + `" takes 2 IDs, not 0`},
		{two, []string{id, id, id}, `Route "` + two + `" takes 2 IDs, not 3`},
		{"/a/{name:any}", []string{"b/c"}, `IDs[0] (name) "b/c" contains a slash; give one segment per element`},
		{"/a/{name:any}", []string{".."}, `IDs[0] (name) ".." is a dot segment`},
		{"/a/{name:any}", []string{""}, `IDs[0] (name) is empty`},
		{"", nil, `Route is empty`},
		{"a/{id}", []string{id}, `Route "a/{id}" does not begin with a slash`},
		{"https://api.losant.com/a", nil, `Route "https://api.losant.com/a" does not begin with a slash`},
		{"/", nil, `Route "/" has an empty segment`},
		{"/a/", nil, `Route "/a/" has an empty segment`},
		{"//a", nil, `Route "//a" has an empty segment`},
		{"/a?b=1", nil, `Route "/a?b=1" has the segment "a?b=1", which is neither a word nor one {place}`},
		{"/a/../b", nil, `Route "/a/../b" has the segment "..", which is neither a word nor one {place}`},
		{"/a/%2e", nil, `Route "/a/%2e" has the segment "%2e", which is neither a word nor one {place}`},
		{"/a/{id", []string{id}, `Route "/a/{id" has the segment "{id", which is neither a word nor one {place}`},
		{"/a/id}", []string{id}, `Route "/a/id}" has the segment "id}", which is neither a word nor one {place}`},
		{"/a/x{id}", []string{id}, `Route "/a/x{id}" has the segment "x{id}", which is neither a word nor one {place}`},
		{"/a/{id}{id}", []string{id, id}, `Route "/a/{id}{id}" has the place "{id}{id}", which is neither {name} nor {name:any}`},
		{"/a/{}", []string{id}, `Route "/a/{}" has the place "{}", which is neither {name} nor {name:any}`},
		{"/a/{:any}", []string{id}, `Route "/a/{:any}" has the place "{:any}", which is neither {name} nor {name:any}`},
		{"/a/{id...}", []string{id}, `Route "/a/{id...}" has the place "{id...}", which is neither {name} nor {name:any}`},
		{"/a/{id:Any}", []string{id}, `Route "/a/{id:Any}" has the place "{id:Any}", which is neither {name} nor {name:any}`},
		{"/a/{{id}}", []string{id}, `Route "/a/{{id}}" has the place "{{id}}", which is neither {name} nor {name:any}`},
		{"/" + strings.Repeat("{", 81), []string{id}, `Route "/` + strings.Repeat("{", 79) + `…" has the segment "` + strings.Repeat("{", 80) + `…", which is neither a word nor one {place}`},
		{"/{" + strings.Repeat(".", 80) + "}", []string{id}, `Route "/{` + strings.Repeat(".", 78) + `…" has the place "{` + strings.Repeat(".", 79) + `…", which is neither {name} nor {name:any}`},
		{"/a/{id}", []string{strings.Repeat("x", 81)}, `IDs[0] (id) "` + strings.Repeat("x", 80) + `…" is not 24 hexadecimal digits`},
	} {
		path := Fill(row.route, row.ids)
		require.EqualError(t, path.Err, row.want)
		assert.Empty(t, path.Expanded)
	}
}

func TestJoinEscapesSegments(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		segments []string
		want     Path
	}{
		{[]string{"auth"}, Path{Template: "/auth", Expanded: "/auth"}},
		{[]string{"applications", id, "device-recipes", id, "bulkCreate"}, Path{Template: "/applications/{id}/device-recipes/{id}/bulkCreate", Expanded: "/applications/" + id + "/device-recipes/" + id + "/bulkCreate"}},
		{[]string{"x", "a b:c@d&e=f+g,50%!*"}, Path{Template: "/x/{id}", Expanded: "/x/a b:c@d&e=f+g,50%!*"}},
		{[]string{"x", "...", "A", "b1", "é", "%41", "%zz", "%", "%4"}, Path{Template: "/x/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}", Expanded: "/x/.../A/b1/é/%41/%zz/%/%4"}},
		{[]string{"%25252525252541"}, Path{Template: "/{id}", Expanded: "/%25252525252541"}},
		{[]string{"azAZ-", "z", strings.Repeat("a", 32), strings.Repeat("a", 33)}, Path{Template: "/azAZ-/z/" + strings.Repeat("a", 32) + "/{id}", Expanded: "/azAZ-/z/" + strings.Repeat("a", 32) + "/" + strings.Repeat("a", 33)}},
	} {
		path := Join(row.segments)
		assert.Equal(t, row.want, path)
	}
	require.EqualError(t, Join(nil).Err, "Path is empty")
	require.EqualError(t, Join([]string{"/applications/x"}).Err, `Path[0] "/applications/x" contains a slash; give one segment per element`)
}

// TestJoinRejectsUnsafeSegments: those that could change the path, as they are or
// once a proxy has unescaped them, and those with invisible characters.
func TestJoinRejectsUnsafeSegments(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{
		"", ".", "..", "../x", "x/..", "a/./b", `..\x`, "/", "//", "a//b", "/a", "a/", `\`, `a\b`, "..;", "..;x=1", ".;/a", "a;b", "a?b", "?", "x/..?", "..?", "..#x", "#", "a#",
		"%2e", "%2E%2e", ".%2e", "%2e.", "a%2fb", "%2F", "%5c", "%3f", "%23x", "%3B", "%252e%252e", "%25252e", "%2525252525252e", "%2f..%2f%zz", "%00", "a%0ab", "%c3", "%e2%80%ae",
		"%" + strings.Repeat("25", 40) + "2e", "%" + strings.Repeat("25", 7) + "41",
		"\n", "a\x00", "a\x7f", "\u0085", "\xff", "\u202e", "\ufeff", "\u200d", "\u2028", "a\u200b",
	} {
		path := Join([]string{"x", hostile})
		require.ErrorContains(t, path.Err, "Path[1] ", "%q", hostile)
		assert.NotContains(t, path.Err.Error(), "\n")
		assert.Empty(t, path.Expanded)
	}
}

func TestExpandAllocatesOnlyThePath(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { Expand("/instances/{instanceId}/orgs/{orgId}", id, id) }), 1.0)
}

// FuzzJoin looks for an accepted segment that becomes another path when it is
// unescaped, once or several times.
func FuzzJoin(f *testing.F) {
	for _, segment := range []string{"a", "..", "%2e%2e", "a/b", "é", "%", "50%25", "a b", "%252f"} {
		f.Add(segment)
	}
	f.Fuzz(func(t *testing.T, segment string) {
		path := Join([]string{"x", segment, "y"})
		if path.Err != nil {
			return
		}
		require.Equal(t, "/x/"+segment+"/y", path.Expanded)
		escaped := (&url.URL{Path: path.Expanded}).EscapedPath()
		for range 4 {
			require.Equal(t, 3, strings.Count(escaped, "/"))
			u, err := url.Parse("https://h" + escaped)
			if err != nil {
				return
			}
			require.Empty(t, u.RawQuery+u.Fragment)
			require.Equal(t, u.Path, u.JoinPath().Path, "no dot segments")
			escaped = u.Path
		}
	})
}
