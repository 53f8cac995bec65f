package shim

import (
	"testing"
	"testing/synctest"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/inbox"
)

func idOf(t *testing.T, name string) jsonrpc.ID {
	t.Helper()
	id, err := jsonrpc.MakeID(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A cancelled call may have taken news that it is about to give back; no public
// door opens at that moment.
func TestACallTakesItsTurnAfterTheCancelledOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id := func(name string) jsonrpc.ID { return idOf(t, name) }
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

// carrying begins a call whose answer hands over one event. The last of told says
// what the hub and the shim itself believe of it.
func carrying(t *testing.T) (table *calls, id jsonrpc.ID, queue *inbox.Queue, told *[]bool) {
	t.Helper()
	table, id, queue, told = newCalls(), idOf(t, "wait"), inbox.New(inbox.Limit), &[]bool{}
	queue.Push(coord.Delivery{Event: coord.Event{Seq: 1}})
	c, _, wrong := table.begin(id)
	if wrong != nil {
		t.Fatal(wrong)
	}
	c.carry(&parcel{queue.Take(1, nil), func(out bool) { *told = append(*told, out) }})
	return table, id, queue, told
}

// The moments of these two are too short to be met through a public door more
// than now and then: TestNoCancellationLosesNews did.
func TestACancellationThatMeetsItsAnswerGivesTheNewsBack(t *testing.T) {
	table, id, queue, told := carrying(t)
	if err := table.finish(id, func() error { table.cancel(id); return nil }); err != nil {
		t.Fatal(err)
	}
	if queue.Waiting(nil) != 1 || len(*told) == 0 || (*told)[len(*told)-1] {
		t.Errorf("%d events wait and the reports are %t, want the event back and the last report to say so", queue.Waiting(nil), *told)
	}
}

func TestTheNewsOfACancelledCallIsBackBeforeAnotherBegins(t *testing.T) {
	table, id, queue, _ := carrying(t)
	table.cancel(id)
	table.answer(id)
	next, _, wrong := table.begin(idOf(t, "next"))
	if wrong != nil {
		t.Fatal(wrong)
	}
	if len(next.after) == 0 && queue.Waiting(nil) != 1 {
		t.Error("the next call neither waits for the cancelled one nor finds its news")
	}
}
