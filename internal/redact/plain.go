package redact

import (
	"crypto/x509"
	"reflect"
	"time"
)

// Plain reports whether v is plain data that holds no secret: numbers, strings
// and what is composed of them. Requests, responses, functions, channels, locks
// and anything that leads to one of them is not plain, and neither is a string
// that isSecret returns true for.
func Plain(v any, isSecret func(string) bool) bool {
	const most = 10_000 // values; more than that is not an error any more
	w := walk{isSecret: isSecret, left: most, seen: map[visit]bool{}}
	return w.plain(reflect.ValueOf(v))
}

type walk struct {
	isSecret func(string) bool
	left     int
	seen     map[visit]bool
}

// visit is a pointer that was followed. Its type matters: a struct begins where
// its first field does.
type visit struct {
	at reflect.Type
	to uintptr
}

func (w *walk) plain(v reflect.Value) bool {
	if w.left--; w.left < 0 {
		return false
	}
	switch v.Kind() { //nolint:exhaustive // the others are numbers
	case reflect.Invalid:
		return true
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return false
	case reflect.String:
		return !w.isSecret(v.String())
	case reflect.Interface:
		return v.Type() == reflect.TypeFor[reflect.Type]() || w.plain(v.Elem()) // types lead far, but only to types
	case reflect.Pointer:
		return w.pointer(v)
	case reflect.Struct:
		return w.fields(v)
	case reflect.Slice, reflect.Array:
		return w.elements(v)
	case reflect.Map:
		return w.entries(v)
	default:
		return true
	}
}

func (w *walk) pointer(v reflect.Value) bool {
	key := visit{v.Type(), v.Pointer()}
	if v.IsNil() || w.seen[key] {
		return true
	}
	w.seen[key] = true
	return w.plain(v.Elem())
}

func (w *walk) fields(v reflect.Value) bool {
	t := v.Type()
	if t.NumField() == 0 || t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[x509.Certificate]() {
		return true // the latter two lead far, but never to a request
	}
	if !passive(t) {
		return false
	}
	// All types come first: the fields beside a lock must not even be read.
	for i := range t.NumField() {
		if !passive(t.Field(i).Type) {
			return false
		}
	}
	for i := range v.NumField() {
		if !w.plain(v.Field(i)) {
			return false
		}
	}
	return true
}

// passive reports whether a value of type t, or what it points to, does nothing
// by itself.
func passive(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() { //nolint:exhaustive // the others are data
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return false
	}
	switch t.PkgPath() {
	case "net/http", "context", "sync", "sync/atomic", "internal/poll":
		return t.Kind() == reflect.Struct && t.NumField() == 0
	}
	return true
}

func (w *walk) elements(v reflect.Value) bool {
	switch kind := v.Type().Elem().Kind(); {
	case kind == reflect.Uint8 && v.Kind() == reflect.Slice:
		return !w.isSecret(string(v.Bytes()))
	case reflect.Bool <= kind && kind <= reflect.Complex128:
		return true // numbers
	}
	for i := range v.Len() {
		if !w.plain(v.Index(i)) {
			return false
		}
	}
	return true
}

func (w *walk) entries(v reflect.Value) bool {
	for entry := v.MapRange(); entry.Next(); {
		if !w.plain(entry.Key()) || !w.plain(entry.Value()) {
			return false
		}
	}
	return true
}
