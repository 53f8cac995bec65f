package hub_test

import (
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

func TestStatusesAreRebuiltAtTheStartAndClearedWithTheAgent(t *testing.T) {
	r := newRig(t)
	a, b := r.named("a"), r.named("b")
	if err := r.Leave(a.ctx); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r.start(nil)
	want(t, "at the start", r.pubs.statuses, map[coord.AgentID]coord.AgentStatus{a.AgentID: coord.Offline, b.AgentID: coord.Online})
	r.Connected(b.AgentID, true)
	r.pass(30 * 24 * time.Hour)
	want(t, "after a month", r.pubs.statuses, map[coord.AgentID]coord.AgentStatus{b.AgentID: coord.Online})
}
