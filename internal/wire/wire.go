// Package wire reads and writes the JSON of the API where [encoding/json] does
// not fit: values with another form than Go's, and responses that must be read
// strictly, piece by piece, and in bounded memory.
package wire

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Date is a time in the form that the API writes: RFC 3339, with milliseconds
// even if they are zero.
type Date struct{ time.Time }

// MarshalJSON writes three decimals, or as many as the time needs.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.Nanosecond()%int(time.Millisecond) != 0 || d.Year() < 0 || d.Year() > 9999 {
		return d.Time.MarshalJSON() // keeps nanoseconds, and refuses such years
	}
	return []byte(d.Format(`"2006-01-02T15:04:05.000Z07:00"`)), nil
}

// ParseDate returns the time in a JSON value. A time without a zone is UTC.
// Anything that is not a time is the zero time.
func ParseDate(data []byte) time.Time {
	const shortest, longest = len(`"2006-01-02"`), len(`"2006-01-02T15:04:05.000000000+00:00"`)
	if len(data) < shortest || len(data) > longest || data[5] != '-' || data[8] != '-' {
		return time.Time{} // without the cost of an error
	}
	var date time.Time
	if err := date.UnmarshalJSON(data); err == nil {
		return date
	}
	text, err := String(data)
	switch {
	case err != nil:
		return time.Time{}
	case len(data) == shortest:
		text += "T00:00:00"
	case text[10] == ' ':
		text = text[:10] + "T" + text[11:]
	}
	if date, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
		return date
	}
	return time.Time{}
}

// Milliseconds is a Duration as the API writes it: a JSON number.
type Milliseconds time.Duration

// MarshalJSON writes an integer, or six decimals if the duration needs them.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	integer, rest := m/Milliseconds(time.Millisecond), m%Milliseconds(time.Millisecond)
	if rest == 0 {
		return strconv.AppendInt(nil, int64(integer), 10), nil
	}
	return []byte(new(big.Rat).SetFrac64(int64(m), int64(time.Millisecond)).FloatString(6)), nil
}

// ParseMilliseconds returns the duration in a JSON value: a number of
// milliseconds, or a string that holds one, rounded to nanoseconds. A number
// beyond the range of a Duration becomes the nearest one within it. Anything that
// is not a number is 0.
func ParseMilliseconds(data []byte) time.Duration {
	const longest = math.MaxInt64 / int64(time.Millisecond)
	if integer, err := strconv.ParseInt(string(data), 10, 64); err == nil && integer > -longest && integer < longest {
		return time.Duration(integer) * time.Millisecond
	}
	if len(data) > len(`""`) && data[0] == '"' {
		data = data[1 : len(data)-1]
	}
	if len(bytes.Trim(data, "0123456789+-.eE")) > 0 {
		return 0 // without the cost of an error
	}
	number := string(data)
	_, fraction, _ := strings.Cut(number, ".")
	if exact, err := time.ParseDuration(number + "ms"); err == nil && len(fraction) <= len("000001") {
		return exact
	}
	nearest, err := strconv.ParseFloat(number, 64) // it is to be rounded, has an exponent, or is out of range
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	switch nanoseconds := math.Round(nearest * float64(time.Millisecond)); {
	case nanoseconds >= math.MaxInt64:
		return math.MaxInt64
	case nanoseconds <= math.MinInt64:
		return math.MinInt64
	default:
		return time.Duration(nanoseconds)
	}
}
