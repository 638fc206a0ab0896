package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestIteratorReadsMembersAndElements: names are unescaped and case-sensitive, and
// values are complete.
func TestIteratorReadsMembersAndElements(t *testing.T) {
	t.Parallel()
	var got []string
	it := Object([]byte(" {\"a\" : 1,\"A\":\"x,}\\\"\" , \"\\u0062\":{\"c\":[\"]\",{}]}\r\n,\"é\":[ ],\"\":null}\t"))
	for it.Next() {
		got = append(got, string(it.Name)+"="+string(it.Value))
	}
	require.NoError(t, it.Err)
	assert.Equal(t, []string{"a=1", `A="x,}\""`, `b={"c":["]",{}]}`, "é=[ ]", "=null"}, got)
	got = nil
	it = Array([]byte(`[ -1e5 ,"a",[1,[2]],{"a":"b"},true]`))
	for it.Next() {
		assert.Nil(t, it.Name)
		got = append(got, string(it.Value))
	}
	require.NoError(t, it.Err)
	assert.Equal(t, []string{"-1e5", `"a"`, "[1,[2]]", `{"a":"b"}`, "true"}, got)
	assert.False(t, it.Next())
}

func TestIteratorRejectsInvalidJSON(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", " ", "null", "1", `"{}"`, "[]", "x", "\ufeff{}"} {
		it := Object([]byte(data))
		assert.False(t, it.Next())
		require.ErrorIs(t, it.Err, errNotObject, data)
	}
	for _, data := range []string{"", "null", "{}", `"[]"`} {
		it := Array([]byte(data))
		assert.False(t, it.Next())
		require.ErrorIs(t, it.Err, errNotArray, data)
	}
	for _, data := range []string{
		"{", "{}{}", "{}x", `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"a":1,,"b":2}`, `{a:1}`, `{1:1}`, `{"a":1}}`, `{"a" 1}`, `{"a`, `{"`, "{\"a\nb\":1}", `{"\x":1}`, `{"a":[1}`, `{"a":{`,
	} {
		it := Object([]byte(data))
		for it.Next() {
			continue
		}
		require.Error(t, it.Err, data)
	}
	for _, data := range []string{"[", "[1", "[1,", "[,1]", "[1,]", "[1 2]", "[]]", "[1]x", `["a]`, "[[1]", "[1}"} {
		it := Array([]byte(data))
		for it.Next() {
			continue
		}
		require.Error(t, it.Err, data)
	}
}

// TestIteratorDoesNotAllocate for members that are skipped.
func TestIteratorDoesNotAllocate(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	data := []byte(`{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `,"b":{"c":"d"},"e":1}`)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		for it := Object(data); it.Next(); {
			continue
		}
	}))
}

// FuzzIterator compares Iterator with encoding/json. An iteration that checks each
// value accepts the same documents and finds the same values.
func FuzzIterator(f *testing.F) {
	for _, data := range []string{`{}`, `[]`, `{"a":1,"a":2}`, `{"a":{"b":[1,"x",null]}}`, `[{"a":1}, "\"", -1.5e7, true]`, `{"\u0061":"\ud800"}`, "{\"a\xff\":\"\xff\"}", `[1 2]`, `{"a":1]`, `["a\"]`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var members map[string]json.RawMessage
		err := json.Unmarshal(data, &members)
		got := map[string]json.RawMessage{}
		it := Object(data)
		valid := true
		for it.Next() {
			valid = valid && Check(it.Value) == nil
			got[string(it.Name)] = it.Value
		}
		if string(data) != "null" && !IsNull([]byte(strings.TrimSpace(string(data)))) {
			require.Equal(t, err == nil, it.Err == nil && valid, "%q: %v, %v", data, err, it.Err)
		}
		if err == nil && members != nil {
			require.Equal(t, members, got)
		}
		var elements []json.RawMessage
		err = json.Unmarshal(data, &elements)
		var list []json.RawMessage
		it = Array(data)
		valid = true
		for it.Next() {
			valid = valid && Check(it.Value) == nil
			list = append(list, it.Value)
		}
		if err == nil && elements != nil {
			require.NoError(t, it.Err)
			require.Len(t, list, len(elements))
			for n := range list {
				require.Equal(t, string(elements[n]), string(list[n]))
			}
		} else if it.Err == nil {
			require.False(t, valid, "%q", data)
		}
	})
}

// FuzzString compares String with encoding/json.
func FuzzString(f *testing.F) {
	for _, data := range []string{`""`, `"a"`, `"é"`, `"\u00e9\n"`, "\"\xff\"", `"`, `1`, `"\ud800"`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) || len(data) == 0 || data[0] != '"' || data[len(data)-1] != '"' {
			return
		}
		var want string
		require.NoError(t, json.Unmarshal(data, &want))
		got, err := String(data)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
