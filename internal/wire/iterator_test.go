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

// FuzzIterator compares Iterator and Check with encoding/json.
func FuzzIterator(f *testing.F) {
	for _, data := range []string{
		`{"a":1,"a":2}`, `{"a":{"b":[1,"x",null]}}`, `[{"a":1}, "\"", -1.5e7, true]`, `{"\u0061":"\ud800"}`, "{\"a\xff\":\"\xff\"}", `["a\"]`,
		`{"a":[[{"b":[]}],{}],"c":-0.5E+10,"d":false}`, `["\u00e"]`, `["\x"]`, "[\"\x1f\"]", `[[[}]]`, `[1,{"a":1,}]`,
		strings.Repeat(`{"a":[`, 40) + strings.Repeat(`]}`, 40), strings.Repeat(`[`, 64) + "1" + strings.Repeat(`]`, 64), strings.Repeat(`[`, 66) + strings.Repeat(`]`, 65),
		`[{"a":` + strings.Repeat(`[`, 70) + "1" + strings.Repeat(`]`, 70) + `}]`, `[[` + strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat(`}`, 70) + `]]`,
		strings.Repeat(`[`, 10000) + strings.Repeat(`]`, 10000), strings.Repeat(`[`, 10001) + strings.Repeat(`]`, 10001),
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(compareWithEncodingJSON)
}

// TestSyntaxIsThatOfEncodingJSON compares Iterator and Check with encoding/json for
// every short sequence of some tokens.
func TestSyntaxIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		before, after string
		tokens        []string
		longest       int
	}{
		{"", "", []string{"{", "}", "[", "]", ":", ",", `"a"`, "1", " "}, 5},
		{`[{"a":[[`, `]]}]`, []string{"{", "}", "[", "]", ":", ",", `"a"`, "1"}, 4},
		{`{"a":`, `}`, []string{"{", "}", "[", "]", ":", ",", `"a"`, "\t"}, 4},
		{"[", "]", []string{"-", "0", "7", "9", ".", "e", "E", "+", "x"}, 5},
		{"[", "]", []string{"true", "false", "null", "t", "e", "l", ","}, 3},
		{`["`, `"]`, []string{"a", `"`, `\`, "n", "u", "0000", "d834", "DD1E", "fg", "/", "é", "\xff", "\x1f", " "}, 4},
		{"", "", []string{"\n", "\r", "\t", " ", "\v", "[", "]", "1"}, 5},
		{"", "", []string{"-", "0", "1", ".", "e", "+"}, 5},
		{"", "", []string{"t", "true", "f", "fals", "e", "nul", "l"}, 3},
		{`"`, "", []string{"a", `"`, `\`, "u", "0", "n"}, 6},
		{`["\u000`, `"]`, []string{"/", "0", "9", ":", "@", "A", "F", "G", "`", "a", "f", "g"}, 1},
		{`[{"a" `, ` }]`, []string{" ", ":", "[1,2]", ",", `"b"`, "2"}, 5},
		{"[[", "]]", []string{`{"a":1}`, "[1,2]", ",", "{}", "[]"}, 4},
	} {
		sequences(row.tokens, row.longest, func(s string) { compareWithEncodingJSON(t, []byte(row.before+s+row.after)) })
	}
}

// sequences calls f with each sequence of at most longest tokens.
func sequences(tokens []string, longest int, f func(string)) {
	f("")
	if longest == 0 {
		return
	}
	for _, token := range tokens {
		sequences(tokens, longest-1, func(s string) { f(token + s) })
	}
}

func compareWithEncodingJSON(t *testing.T, data []byte) {
	t.Helper()
	if valid := json.Valid(data); valid != (Check(data) == nil) {
		t.Fatalf("Check of %q, which is valid: %t", data, valid)
	}
	var members map[string]json.RawMessage
	wantErr := json.Unmarshal(data, &members) != nil || members == nil
	names, values, err := iterated(t, Object(data))
	if (err != nil) != wantErr {
		t.Fatalf("object %q: %v", data, err)
	}
	if err == nil {
		got := map[string]json.RawMessage{}
		for n := range names {
			got[names[n]] = values[n]
		}
		require.Equal(t, members, got, "%q", data)
	}
	var elements []json.RawMessage
	wantErr = json.Unmarshal(data, &elements) != nil || elements == nil
	_, values, err = iterated(t, Array(data))
	if (err != nil) != wantErr {
		t.Fatalf("array %q: %v", data, err)
	}
	if err == nil {
		require.Equal(t, elements, append([]json.RawMessage{}, values...), "%q", data)
	}
}

// iterated returns what an iterator finds. It requires that each value is valid, and
// that the iterator stops at an error.
func iterated(t *testing.T, it Iterator) (names []string, values []json.RawMessage, err error) {
	t.Helper()
	for it.Next() {
		if it.Err != nil {
			t.Fatalf("Next is true after %v", it.Err)
		}
		if !json.Valid(it.Value) {
			t.Fatalf("invalid value %q", it.Value)
		}
		names, values = append(names, string(it.Name)), append(values, it.Value)
	}
	err = it.Err
	if it.Next() || it.Err != err { //nolint:errorlint // the same value
		t.Fatalf("Next after the end: %v", it.Err)
	}
	return names, values, err
}

// TestStringIsUnescaped as encoding/json does.
func TestStringIsUnescaped(t *testing.T) {
	t.Parallel()
	tokens := []string{"a", "é", "\xff", "𝄞", `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\u00e9`, `\u0000`, `\ud834`, `\uDD1E`, `\uffff`, "u", "\\udd1e", "DD1E", "xuDD1E", "\x80"}
	sequences(tokens, 3, func(s string) {
		var want string
		require.NoError(t, json.Unmarshal([]byte(`"`+s+`"`), &want))
		got, err := String([]byte(`"` + s + `"`))
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", s)
	})
	for _, data := range []string{"", `"`, "a", "a\"", "\"a", "null", "{}"} {
		_, err := String([]byte(data))
		require.ErrorIs(t, err, errNotString, data)
	}
}

// TestKindsOfValues: without reading more of a value than needed.
func TestKindsOfValues(t *testing.T) {
	t.Parallel()
	assert.True(t, IsNull([]byte("null")))
	assert.False(t, IsNull([]byte(`"null"`)))
	assert.True(t, IsArray([]byte(" [")))
	assert.False(t, IsArray([]byte(`{"a":[]}`)))
	assert.True(t, Has([]byte(`{"a":1,"b":2}`), "b"))
	assert.False(t, Has([]byte(`{"a":{"b":2}}`), "b"))
	assert.False(t, Has([]byte(`["b"]`), "b"))
	require.EqualError(t, Check([]byte(`[1,]`)), "invalid character ']' looking for beginning of value")
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
