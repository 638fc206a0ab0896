package losanttest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Some keywords cannot be violated through the actions that the server implements.
func TestSchemaChecksEachKeyword(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		schema, value string
		want          string // the error; "" if the value is valid
	}{
		{`{"type":"integer"}`, `7`, ""},
		{`{"type":"integer"}`, `7.5`, "x must be of type integer"},
		{`{"type":"number"}`, `7.5`, ""},
		{`{"type":"number"}`, `"7"`, "x must be of type number"},
		{`{"type":"boolean"}`, `true`, ""},
		{`{"type":"boolean"}`, `1`, "x must be a boolean"},
		{`{"type":"string","format":"date-time"}`, `"2026-05-13T04:00:00.000Z"`, ""},
		{`{"type":"string","format":"date-time"}`, `"2026-05-13"`, "x must be a date and time in RFC 3339 format"},
		{`{"type":"string","pattern":"^a+$"}`, `"aa"`, ""},
		{`{"type":"string","pattern":"^a+$"}`, `"b"`, "x must match ^a+$"},
		{`{"type":"string","maxLength":2}`, `"éé"`, ""},
		{`{"type":"string","maxLength":2}`, `"abc"`, "x must have at most 2 characters"},
		{`{"type":"string","enum":["a","b"]}`, `"b"`, ""},
		{`{"type":"string","enum":["a","b"]}`, `"c"`, `x must be one of ["a" "b"]`},
		{`{"type":"array","maxItems":1,"items":{"type":"string"}}`, `["a"]`, ""},
		{`{"type":"array","maxItems":1,"items":{"type":"string"}}`, `["a","b"]`, "x must have at most 1 items"},
		{`{"type":"array","items":{"type":"string"}}`, `["a",1]`, "x[1] must be a string"},
		{`{"type":"object","required":["a"]}`, `{"b":1}`, "x.a is required"},
		{`{"type":"object","additionalProperties":false}`, `{"b":1}`, "x.b is not allowed"},
		{`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"a":1}`, "x.a must be a string"},
	} {
		s := new(schema)
		require.NoError(t, json.NewDecoder(strings.NewReader(test.schema)).Decode(s))
		var value any
		require.NoError(t, json.Unmarshal([]byte(test.value), &value))
		err := s.check("x", value)
		if test.want == "" {
			assert.NoError(t, err, "%s: %s", test.schema, test.value)
			continue
		}
		assert.EqualError(t, err, test.want, "%s: %s", test.schema, test.value)
	}
}
