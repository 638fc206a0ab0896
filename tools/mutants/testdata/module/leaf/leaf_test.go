package leaf

import "testing"

func TestDoubleOfZero(t *testing.T) {
	if Double(0) != 0 {
		t.Fatal()
	}
}
