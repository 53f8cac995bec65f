package hub_test

import (
	"fmt"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

// The outcome of an announcement depends on who is concerned and who is gray,
// and on nobody else: not on how many others are online or have left.
func TestOutcomeByConcernedGrayAndOnline(t *testing.T) {
	for concerned := range 3 {
		for gray := range 3 {
			for online := range 2 {
				for left := range 2 {
					t.Run(fmt.Sprintf("concerned=%d gray=%d online=%d left=%d", concerned, gray, online, left), func(t *testing.T) {
						r := newRig(t)
						join := func(n int, what string, announce func(*agent)) (out []*agent) {
							for i := range n {
								a := r.named(fmt.Sprint(what, i))
								announce(a)
								out = append(out, a)
							}
							return out
						}
						asked := join(concerned, "concerned", func(a *agent) { a.announce("x.go") })
						told := join(gray, "gray", func(a *agent) {
							a.call("announce_work", object{"subject": "w", "target_files": []string{a.Name}, "depends_on_files": []string{"x.go"}})
						})
						others := join(online, "online", func(a *agent) { a.announce(a.Name) })
						for _, a := range join(left, "left", func(a *agent) { a.announce("x.go") }) {
							if err := r.Leave(a.ctx); err != nil {
								t.Fatal(err)
							}
						}
						opened := map[coord.AgentID]int{}
						for _, a := range append(append(asked, told...), others...) {
							opened[a.AgentID] = len(r.pubs.news(a.AgentID))
						}
						me := r.named("me")
						got := me.announce("x.go")

						status, category, score, layer := "clear", "pass", 0, any(nil)
						switch {
						case concerned > 0:
							status, category, score, layer = "open", "concerned", 100, "0a"
						case gray > 0:
							status, category, score, layer = "auto_resolved", "gray_zone", 80, "0c"
						}
						want(t, "verdict", verdict(got), [4]any{status, category, score, layer})
						want(t, "concerned", len(got["concerned_agents"].([]any)), concerned)
						want(t, "gray", len(got["gray_zone"].([]any)), gray)
						if status == "clear" {
							want(t, "thread", got["thread_id"], nil)
						} else {
							th := me.call("get_thread", object{"thread_id": got["thread_id"]})
							want(t, "respondents", len(th["respondents"].([]any)), concerned)
							end := map[string][2]any{"open": {"open", nil}, "auto_resolved": {"resolved", "auto_resolved"}}[status]
							want(t, "thread", []any{th["status"], th["type"]}, end)
						}
						for _, a := range asked {
							want(t, a.Name, r.pubs.news(a.AgentID)[opened[a.AgentID]:], []coord.EventKind{coord.KindThreadOpened})
						}
						for _, a := range told {
							want(t, a.Name, r.pubs.news(a.AgentID)[opened[a.AgentID]:], []coord.EventKind{coord.KindIntrospection})
						}
						for _, a := range others {
							want(t, a.Name, len(r.pubs.news(a.AgentID)), opened[a.AgentID])
						}
					})
				}
			}
		}
	}
}
