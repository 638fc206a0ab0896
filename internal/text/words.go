package text

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Words returns the strings, numbers and booleans in a JSON value of any shape, at
// most about 4 KiB. It separates the elements of an array by semicolons, and writes
// the names of an object's members before their values. It returns "" if there are
// none. It stops reading at the limit, so that a large value costs no more than a
// small one.
func Words(value json.RawMessage) string {
	w := words{Decoder: json.NewDecoder(bytes.NewReader(value))}
	w.UseNumber()
	w.value()
	return string(w.text)
}

type words struct {
	*json.Decoder

	text    []byte
	named   bool // the text ends with the name of the next value
	stopped bool // the text is long enough, or the JSON is invalid
}

// value adds the text of the next value.
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

// composite adds the values of an object or array, and reads its end.
func (w *words) composite(opened json.Delim) {
	for !w.stopped && w.More() {
		before := len(w.text)
		if opened == '{' {
			w.name()
		}
		named := len(w.text)
		w.value()
		if len(w.text) == named {
			w.text = w.text[:before] // drop a name without a value
		}
		w.named = false
	}
	if !w.stopped {
		_, _ = w.Token()
	}
}

// name adds the name of the next member, unless it is empty or "message".
func (w *words) name() {
	const longest = 64
	token, _ := w.Token()
	if name, ok := token.(string); ok && name != "" && name != "message" {
		w.add(Truncate(name, longest) + ": ")
		w.named = true
	}
}

func (w *words) add(s string) {
	const maxText = 4 << 10
	if s == "" {
		return
	}
	if len(w.text) > 0 && !w.named {
		w.text = append(w.text, "; "...)
	}
	w.text = append(w.text, Truncate(s, maxText)...)
	w.stopped = len(w.text) > maxText
}
