package hub_test

import (
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
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

func TestAnOperatorIsToldWhoOfTheOnlineIsAway(t *testing.T) {
	r := newRig(t)
	r.named("a")
	b := r.named("b")
	r.Disconnected(b.AgentID, true)
	got := look[tool.CoordinatorStatusOut](r, operator(), "coordinator_status", object{}).Agents
	want(t, "one lost", []int{got.Online, got.Away}, []int{2, 1})
	r.stop()
	r.start(nil)
	got = look[tool.CoordinatorStatusOut](r, operator(), "coordinator_status", object{}).Agents
	want(t, "all returning", []int{got.Online, got.Away}, []int{2, 2})
}
