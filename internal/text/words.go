package text

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Words returns the text in a JSON value of any shape, at most about 4 KiB of
// it: strings and numbers, those of a list separated by semicolons, those of an
// object after their names. It returns "" if there is none. It reads no further
// than it must, so that a large value costs no more than a small one.
func Words(value json.RawMessage) string {
	w := words{Decoder: json.NewDecoder(bytes.NewReader(value))}
	w.UseNumber()
	w.value()
	return string(w.text)
}

type words struct {
	*json.Decoder

	text    []byte
	named   bool // the text ends with the name of what follows
	stopped bool
}

// value adds the next value.
func (w *words) value() {
	token, err := w.Token()
	if err != nil {
		w.stopped = true
		return
	}
	switch v := token.(type) {
	case json.Delim:
		w.composite(v)
	case string:
		w.add(v)
	case json.Number, bool:
		w.add(fmt.Sprint(v))
	}
}

// composite adds the values up to the end of an object or array.
func (w *words) composite(opened json.Delim) {
	for !w.stopped && w.More() {
		before := len(w.text)
		if opened == '{' {
			w.name()
		}
		named := len(w.text)
		w.value()
		if len(w.text) == named {
			w.text = w.text[:before] // nothing follows the name
		}
		w.named = false
	}
	if !w.stopped {
		_, _ = w.Token()
	}
}

// name adds the name of the next member, unless it says nothing.
func (w *words) name() {
	const longest = 64
	token, _ := w.Token()
	if name, ok := token.(string); ok && name != "" && name != "message" {
		w.add(Truncate(name, longest) + ": ")
		w.named = true
	}
}

func (w *words) add(s string) {
	const most = 4 << 10
	if s == "" {
		return
	}
	if len(w.text) > 0 && !w.named {
		w.text = append(w.text, "; "...)
	}
	w.named = false
	w.text = append(w.text, Truncate(s, most)...)
	w.stopped = w.stopped || len(w.text) > most
}
