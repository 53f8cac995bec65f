package coordtest

import "testing"

func TestALogOfAPanicIsAFault(t *testing.T) {
	for line, faults := range map[string]int{
		`{"level":"INFO","msg":"hub is up"}`:                                    0,
		"panic: runtime error: index out of range":                              1,
		"WARNING: DATA RACE":                                                    1,
		`{"level":"ERROR","msg":"rule panicked","op":"announce_work"}`:          1,
		`{"level":"ERROR","msg":"a tool call panicked","tool":"announce_work"}`: 1,
		`{"level":"ERROR","msg":"panic in a handler","panic":"x"}`:              1,
	} {
		if got := faultsIn([]byte(line)); len(got) != faults {
			t.Errorf("%s: faults %v, want %d", line, got, faults)
		}
	}
}
