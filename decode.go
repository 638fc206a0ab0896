package losant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/wire"
)

// decodeError says why the body of a success is invalid, and what that proves.
type decodeError struct {
	err        error
	identified bool // the body has the requested id, and only a detail is invalid: the API acted
}

func (e *decodeError) Error() string { return e.err.Error() }
func (e *decodeError) Unwrap() error { return e.err }

// identified reports whether err is about a detail of a body with the requested id.
func identified(err error) bool {
	var e *decodeError
	return errors.As(err, &e) && e.identified
}

// interrupted is the error of a context that ended during decoding.
type interrupted struct{ err error }

func (e *interrupted) Error() string { return "decoding the response: " + e.err.Error() }
func (e *interrupted) Unwrap() error { return e.err }

// isInterrupted reports whether err says that the caller's context ended.
func isInterrupted(err error) bool {
	var e *interrupted
	return errors.As(err, &e)
}

var (
	errNoID      = errors.New(`it has no "id"`)
	errTwoIDs    = errors.New(`it has more than one "id"`)
	errNoSuccess = errors.New(`it does not say "success": true`)
)

// setString reads a JSON string into dst. Null leaves dst as it is.
func setString[S ~string](dst *S, data []byte) error {
	text, err := wire.String(data)
	switch {
	case err == nil:
		*dst = S(text)
		return nil
	case wire.IsNull(data):
		return nil
	default:
		return mismatch[S](data)
	}
}

// setRole reads a role into dst. The roles that this package knows take no
// memory.
func setRole[R ~string](dst *R, data []byte) error {
	for _, role := range [...]string{`"admin"`, `"edit"`, `"collaborate"`, `"view"`, `"none"`} {
		if string(data) == role {
			*dst = R(role[1 : len(role)-1])
			return nil
		}
	}
	return setString(dst, data)
}

// setBool reads a JSON boolean into dst. Null leaves dst as it is.
func setBool(dst *bool, data []byte) error {
	switch string(data) {
	case "true", "false":
		*dst = data[0] == 't'
	case "null":
	default:
		return mismatch[bool](data)
	}
	return nil
}

// setInt reads a JSON integer into dst. Null leaves dst as it is.
func setInt(dst *int, data []byte) error {
	if wire.IsNull(data) {
		return nil
	}
	number, err := strconv.Atoi(string(data))
	if err != nil {
		return mismatch[int](data)
	}
	*dst = number
	return nil
}

// setList reads a JSON array into dst, element by element. It stops at the first
// invalid element, and when ctx ends. No valid element is shorter than shortest,
// in bytes. Null leaves dst as it is.
func setList[T any](ctx context.Context, dst *[]T, name, data []byte, shortest int, read func(*T, context.Context, []byte) error) error {
	const few = 16
	if wire.IsNull(data) {
		return nil
	}
	if !wire.IsArray(data) {
		return mismatch[[]T](data)
	}
	list := []T{}
	it := wire.Array(data)
	for n := 0; it.Next(); n++ {
		if n%few == few-1 && ctx.Err() != nil {
			return &interrupted{retry.ContextError(ctx)}
		}
		if n == few { // from here on without growing, which takes several times the memory
			list = append(make([]T, 0, n+1+countElements(ctx, it, shortest)), list...)
		}
		list = append(list, *new(T))
		if err := read(&list[n], ctx, it.Value); err != nil {
			return fmt.Errorf("%s[%d]: %w", name, n, err)
		}
	}
	*dst = list
	return it.Err
}

// countElements counts the remaining elements of at least shortest bytes, as long
// as ctx lasts.
func countElements(ctx context.Context, it wire.Iterator, shortest int) int {
	const many = 1 << 10
	count := 0
	for n := 1; it.Next(); n++ {
		if n%many == 0 && ctx.Err() != nil {
			break
		}
		if len(it.Value) >= shortest {
			count++
		}
	}
	return count
}

// success is all that the API returns for a deletion.
type success struct{}

// decode accepts exactly one member "success", which must be true, and a 204
// without a body.
func (*success) decode(_ context.Context, status int, body []byte) error {
	if status == http.StatusNoContent && len(body) == 0 {
		return nil
	}
	if err := wire.Check(body); err != nil {
		return err
	}
	var isTrue bool
	found, it := 0, wire.Object(body)
	for it.Next() {
		if string(it.Name) == "success" {
			found++
			isTrue = string(it.Value) == "true"
		}
	}
	if it.Err != nil {
		return it.Err
	}
	if !isTrue || found != 1 {
		return errNoSuccess
	}
	return nil
}

// mismatch is the error of a value that is not a T.
func mismatch[T any](data []byte) error {
	kind := "number"
	switch data[0] {
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	case '"':
		kind = "string"
	case 't', 'f':
		kind = "bool"
	}
	return &json.UnmarshalTypeError{Value: kind, Type: reflect.TypeFor[T]()}
}

// inField names the member that err is about, if any, as encoding/json does.
func inField(structure string, name []byte, err error) error {
	if err == nil {
		return nil // before e, which is on the heap
	}
	var e *json.UnmarshalTypeError
	if errors.As(err, &e) && e.Field == "" {
		e.Struct, e.Field = structure, string(name)
	}
	return err
}
