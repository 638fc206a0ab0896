package module

import "testing"

func TestTested(t *testing.T) {
	if Tested(1, 1) || !Tested(0, 1) {
		t.Error("wrong")
	}
	Loop(0)
}
