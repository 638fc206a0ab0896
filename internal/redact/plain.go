package redact

import (
	"crypto/x509"
	"reflect"
	"time"
)

// Plain reports whether v is plain data without a secret: numbers, strings, and
// values composed of them. A request, a response, a function, a channel, a lock or
// a string for which isSecret returns true is not plain, and neither is a value
// from which one of them can be reached.
func Plain(v any, isSecret func(string) bool) bool {
	const maxValues = 10_000 // an error value has fewer
	w := walk{isSecret: isSecret, left: maxValues, seen: map[visit]bool{}}
	return w.plain(reflect.ValueOf(v))
}

type walk struct {
	isSecret func(string) bool
	left     int // how many more values may be visited
	seen     map[visit]bool
}

// visit is a pointer that was followed. It includes the type, because a struct and
// its first field have the same address.
type visit struct {
	pointer reflect.Type
	address uintptr
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
		return v.Type() == reflect.TypeFor[reflect.Type]() || w.plain(v.Elem()) // a type leads to many values, but only to types
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
	if w.seen[key] {
		return true
	}
	w.seen[key] = true
	return w.plain(v.Elem())
}

func (w *walk) fields(v reflect.Value) bool {
	t := v.Type()
	if t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[x509.Certificate]() {
		return true // they lead to many values and functions, but never to a request
	}
	if !isPassive(t) {
		return false
	}
	// All types come first: reading the fields beside a lock would be a data race.
	for i := range t.NumField() {
		if !isPassive(t.Field(i).Type) {
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

// isPassive reports whether a value of type t, or what it points to, is neither
// code nor something that goroutines share.
func isPassive(t reflect.Type) bool {
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
	case kind == reflect.Uint8:
		text := make([]byte, v.Len())
		for i := range text {
			text[i] = byte(v.Index(i).Uint()) //nolint:gosec // its kind is uint8
		}
		return !w.isSecret(string(text))
	case kind <= reflect.Complex128: // bool or a number
		return true
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
