package coordtest_test

import (
	"fmt"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// Two agents announce one file at the same instant, again and again: scoring
// and storing are one step, so exactly one of them is clear and the other hears
// of it.
func TestOfTwoSimultaneousAnnouncementsExactlyOneIsClear(t *testing.T) {
	t.Parallel()
	const (
		rounds = 1000
		pairs  = 5 // the hub allows an agent 200 calls a second and 500 at once: none gets near that, however fast the machine
	)
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	var all [pairs][]*coordtest.Agent
	for i := range all {
		all[i] = []*coordtest.Agent{home.Agent(fmt.Sprintf("alice-%d", i), repo.Dir), home.Agent(fmt.Sprintf("bob-%d", i), repo.Dir)}
	}
	firsts := map[string]int{}
	for round := range rounds {
		agents := all[round%pairs]
		file := fmt.Sprintf("src/round%04d.go", round)
		verdicts := make([]tool.AnnounceWorkOut, 2)
		if err := together(2, func(i int) (err error) {
			verdicts[i], err = coordtest.Try(t.Context(), agents[i], tool.AnnounceWork, tool.AnnounceWorkIn{Subject: file, TargetFiles: []string{file}})
			return err
		}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		clear, second := 0, 1
		if verdicts[0].Status != "clear" {
			clear, second = 1, 0
		}
		firsts[agents[clear].Name]++
		if v := verdicts[clear]; v.Status != "clear" || v.Category != coord.Pass || v.ThreadID != nil {
			t.Fatalf("round %d: nobody is clear: %+v and %+v", round, verdicts[0], verdicts[1])
		}
		v := verdicts[second]
		if v.Category != coord.Concerned || v.Score != 100 || v.ThreadID == nil || len(v.ConcernedAgents) != 1 || v.ConcernedAgents[0].Name != agents[clear].Name {
			t.Fatalf("round %d: %s is told %+v, though %s was clear", round, agents[second].Name, v, agents[clear].Name)
		}
		if err := together(2, func(i int) error {
			_, err := coordtest.Try(t.Context(), agents[i], tool.CloseThread, tool.CloseThreadIn{ThreadID: string(verdicts[i].AnnouncementID)})
			return err
		}); err != nil {
			t.Fatalf("round %d: close: %v", round, err)
		}
	}
	t.Logf("who came first: %v", firsts)
}
