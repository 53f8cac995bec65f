package broker_test

import (
	"testing"

	"github.com/coordhq/coord/pkg/hub/broker"
)

func TestSubscribersAreCountedByConnection(t *testing.T) {
	f := start(t, broker.Options{})
	count := func() [3]int {
		return [3]int{f.Subscribers(shop, "coordinator/broadcast"), f.Subscribers(shop, "coordinator/agents/ag-bob/out"), f.Subscribers("blog", "coordinator/broadcast")}
	}
	if got, want := count(), [3]int{}; got != want {
		t.Errorf("nobody: %v", got)
	}
	alice, bob := f.connect(t, "ag-alice-1", string(shop), "key-alice"), f.connect(t, "ag-bob-1", string(shop), "key-bob")
	alice.subscribe(t, "coordinator/broadcast", "coordinator/agents/+/out")
	bob.subscribe(t, "coordinator/broadcast")
	if got, want := count(), [3]int{2, 1, 0}; got != want {
		t.Errorf("two connections: %v, want %v", got, want)
	}
}
