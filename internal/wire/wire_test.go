package wire

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestParseMillisecondsAcceptsAnyNumber, also in a string. Numbers out of range become
// the nearest duration, large exponents take no time, and anything else is 0.
func TestParseMillisecondsAcceptsAnyNumber(t *testing.T) {
	t.Parallel()
	const longest, shortest = time.Duration(math.MaxInt64), time.Duration(math.MinInt64)
	started := time.Now()
	for number, want := range map[string]time.Duration{
		"0": 0, "-0": 0, "null": 0, "1": time.Millisecond, "-1": -time.Millisecond, "4233600000": 49 * 24 * time.Hour, "4.2336e9": 49 * 24 * time.Hour, "42336E+5": 49 * 24 * time.Hour,
		"0.5": 500 * time.Microsecond, "0.000001": 1, "-0.000001": -1, "0.0000001": 0, "1e-999999999": 0, "0.1": 100 * time.Microsecond, "1.005": 1005 * time.Microsecond,
		"9223372036854": 9223372036854 * time.Millisecond, "9223372036854.775807": longest, "9223372036854.775806": longest - 1, "9223372036855": longest, "9223372036854.776": longest,
		"9223372036854775807": longest, "9223372036854775808": longest, "-9223372036854.775808": shortest, "-9223372036854": -9223372036854 * time.Millisecond,
		"1e400": longest, "1E2170000000": longest, "0E2170000000": 0, "1E-2170000000": 0, "1e600000000": longest, "1e-600000000": 0, "1e999999999999": longest, "1e-999999999999": 0, "0e99999999999999999999": 0,
		"-1e400": shortest, "-9223372036855": shortest, "-9223372036854775809": shortest,
		"1" + strings.Repeat("0", 1<<20): longest, "0." + strings.Repeat("0", 1<<20) + "1": 0, strings.Repeat("9", 4<<20) + "e-2147483648": 0,
	} {
		assert.Equal(t, want, ParseMilliseconds([]byte(number)), "%.40s", number)
		assert.Equal(t, want, ParseMilliseconds([]byte(`"`+number+`"`)), "%.40s in a string", number)
	}
	assert.Less(t, time.Since(started), 30*time.Second)
	for _, bad := range []string{"", "{}", "[]", "true", `""`, `"x"`, `"1 h"`, `"0x10"`, `"NaN"`, `"Inf"`, `"1_000"`, "NaN", `["1"]`} {
		assert.Zero(t, ParseMilliseconds([]byte(bad)), bad)
	}
}

// TestMillisecondsAreReadAsWritten: without decimals if the number is an integer.
func TestMillisecondsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for duration, want := range map[time.Duration]string{
		0: "0", time.Millisecond: "1", -time.Hour: "-3600000", 1: "0.000001", -1500 * time.Microsecond: "-1.500000", math.MaxInt64: "9223372036854.775807", math.MinInt64: "-9223372036854.775808",
	} {
		data, err := json.Marshal(Milliseconds(duration))
		require.NoError(t, err)
		assert.Equal(t, want, string(data))
		assert.Equal(t, duration, ParseMilliseconds(data))
	}
}

// TestDateIsReadAsWritten: with three decimals, or as many as the time needs.
func TestDateIsReadAsWritten(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`"2026-05-13T04:00:00.000Z"`, `"2026-05-13T04:00:00.120Z"`, `"2026-05-13T04:00:00.000000001Z"`, `"2026-05-13T04:00:00.000+02:00"`, `"0000-01-01T00:00:00.000Z"`, `"9999-12-31T23:59:59.999999999Z"`,
	} {
		data, err := json.Marshal(Date{ParseDate([]byte(text))})
		require.NoError(t, err)
		assert.Equal(t, text, string(data))
	}
	for _, year := range []int{-1, 10000} {
		_, err := json.Marshal(Date{time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
		require.Error(t, err)
	}
}

// TestParseDateAcceptsTimesWithoutZone as UTC. Anything that is not a time is zero.
func TestParseDateAcceptsTimesWithoutZone(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 5, 13, 4, 0, 0, 0, time.UTC)
	for _, text := range []string{
		`"2026-05-13T04:00:00Z"`, `"2026-05-13T04:00:00.000Z"`, `"2026-05-13T04:00:00"`, `"2026-05-13T04:00:00.000"`, `"2026-05-13 04:00:00"`, `"2026-05-13T06:00:00+02:00"`,
	} {
		assert.True(t, want.Equal(ParseDate([]byte(text))), text)
	}
	assert.Equal(t, time.Date(2026, 5, 13, 23, 59, 58, 0, time.UTC), ParseDate([]byte(`"2026-05-13 23:59:58"`)))
	assert.Equal(t, time.UTC, ParseDate([]byte(`"2026-05-13T04:00:00"`)).Location())
	assert.Equal(t, time.Date(2026, 5, 13, 0, 0, 0, 0, time.UTC), ParseDate([]byte(`"2026-05-13"`)))
	for _, odd := range []string{"", "null", `""`, `"yesterday"`, "5", "1778644800000", "{}", "[]", "true", `"2026-13-13T04:00:00Z"`, `"2026-02-30"`, `"`, `"Invalid date"`} {
		assert.True(t, ParseDate([]byte(odd)).IsZero(), odd)
	}
}
