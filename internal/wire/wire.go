// Package wire holds the JSON forms of values that the API writes otherwise
// than Go does.
package wire

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
)

// Date is a time as the API writes it, with the milliseconds even if none.
type Date struct{ time.Time }

// MarshalJSON writes as many digits as nothing is lost with, three at least.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.Nanosecond()%int(time.Millisecond) != 0 || d.Year() < 0 || d.Year() > 9999 {
		return d.Time.MarshalJSON() // keeps what is finer, and refuses the years
	}
	return []byte(d.Format(`"2006-01-02T15:04:05.000Z07:00"`)), nil
}

// Milliseconds is a Duration as the API writes it: any JSON number.
type Milliseconds time.Duration

// MarshalJSON writes a whole number, or with decimals what is finer.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	whole, rest := m/Milliseconds(time.Millisecond), m%Milliseconds(time.Millisecond)
	if rest == 0 {
		return strconv.AppendInt(nil, int64(whole), 10), nil
	}
	return []byte(new(big.Rat).SetFrac64(int64(m), int64(time.Millisecond)).FloatString(6)), nil
}

// UnmarshalJSON reads any JSON number, rounded to nanoseconds. A number beyond
// the range of a Duration becomes the nearest one within.
func (m *Milliseconds) UnmarshalJSON(data []byte) error {
	const longest = math.MaxInt64 / int64(time.Millisecond)
	if whole, err := strconv.ParseInt(string(data), 10, 64); err == nil && whole > -longest && whole < longest {
		*m = Milliseconds(whole * int64(time.Millisecond))
		return nil
	}
	number := string(data)
	if number == "null" {
		return nil
	}
	nearest, err := strconv.ParseFloat(number, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // which gives infinity, to be clamped
		return fmt.Errorf("%.40s is not a number", number)
	}
	*m = nanoseconds(number, nearest)
	return nil
}

// nanoseconds is exact where it can be had cheaply: a hostile number can make
// math/big compute for seconds.
func nanoseconds(number string, nearest float64) Milliseconds {
	exact := big.NewFloat(nearest)
	const digits, bits = 64, 128
	if size := math.Abs(nearest); len(number) <= digits && size > 1e-9 && size < math.MaxInt64 {
		if parsed, _, err := big.ParseFloat(number, 10, bits, big.ToNearestEven); err == nil {
			exact = parsed
		}
	}
	exact.SetPrec(bits)
	exact.Mul(exact, big.NewFloat(float64(time.Millisecond)))
	exact.Add(exact, big.NewFloat(math.Copysign(0.5, float64(exact.Sign())))) // Int64 cuts the fraction off
	rounded, _ := exact.Int64()                                               // and clamps
	return Milliseconds(rounded)
}
