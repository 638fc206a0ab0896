package module

import (
	"sync"
	"testing"
)

func TestMax(t *testing.T) {
	if Max(1, 2) != 2 || Max(2, 1) != 2 {
		t.Fatal()
	}
}

func TestSum(t *testing.T) {
	if Sum(3) != 3 {
		t.Fatal()
	}
}

func TestGreeting(t *testing.T) {
	if Greeting("Ada") != "hello, Ada" {
		t.Fatal()
	}
}

func TestNext(t *testing.T) {
	if Next(3) != 8 {
		t.Fatal()
	}
}

func TestSign(t *testing.T) {
	if Sign(1) != "+" || Sign(-1) != "-" {
		t.Fatal()
	}
}

func TestCounter(t *testing.T) {
	var c Counter
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.n++
		})
		group.Go(func() { c.Value() })
	}
	group.Wait()
}

func TestNewPointDoesNotAllocate(t *testing.T) {
	sum := 0
	if testing.AllocsPerRun(100, func() { sum += newPoint(1).y }) != 0 || newPoint(1).y != 2 {
		t.Fatal()
	}
}

func TestThatFails(t *testing.T) { t.Fatal(Unused(true)) }
