package shim

import (
	"testing"
	"testing/synctest"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// A cancelled call may have taken news that it is about to give back; no public
// door opens at that moment.
func TestACallTakesItsTurnAfterTheCancelledOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id := func(s string) jsonrpc.ID {
			id, err := jsonrpc.MakeID(s)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		table := newCalls()
		for _, name := range []string{"cancelled", "other"} {
			if _, _, wrong := table.begin(id(name)); wrong != nil {
				t.Fatal(wrong)
			}
		}
		table.cancel(id("cancelled"))
		next, _, _ := table.begin(id("next"))
		took := make(chan struct{})
		go func() { next.inTurn(t.Context()); close(took) }()
		synctest.Wait()
		select {
		case <-took:
			t.Error("it did not wait for the cancelled call")
		default:
		}
		if err := table.finish(id("cancelled"), func() error { t.Error("a cancelled call was answered"); return nil }); err != nil {
			t.Error(err)
		}
		<-took // though the other call is still under way
	})
}
