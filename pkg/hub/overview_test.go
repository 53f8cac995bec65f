package hub_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// look reads a view as a caller.
func look[Out any](r *rig, ctx context.Context, op string, args object) (out Out) {
	r.t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := r.Call(ctx, op, raw, "")
	if err != nil {
		r.t.Fatal(err)
	}
	if err := json.Unmarshal(body, &out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// two is a rig with a conflict in shop and a lone agent in bank.
func two(t *testing.T) (r *rig, alice, bob, zoe *agent) {
	r = newRig(t)
	alice, bob = r.named("alice"), r.named("bob")
	reg := registration("zoe")
	reg.Project, reg.Workspace = "bank", "host-1:/bank"
	zoe = r.join(reg)
	alice.call("log_action_summary", object{"summary": "first", "file_path": "a.go"})
	alice.announce("a.go")
	bob.announce("a.go", "b.go")
	zoe.announce("a.go")
	return r, alice, bob, zoe
}

func TestAnOperatorSeesAllProjectsAndASessionItsOwn(t *testing.T) {
	r, alice, _, zoe := two(t)
	names := func(ctx context.Context) (out []string) {
		for _, a := range look[tool.ViewAgentsOut](r, ctx, "view_agents", object{}).Agents {
			out = append(out, string(a.Project)+" "+a.Name)
		}
		return out
	}
	one := coord.WithCaller(context.Background(), coord.Caller{Member: "mia", Operator: true, Project: "bank"})
	for name, c := range map[string]struct {
		ctx  context.Context
		want []string
	}{
		"operator":                {operator(), []string{"bank zoe", "shop alice", "shop bob"}},
		"operator of one project": {one, []string{"bank zoe"}},
		"alice":                   {alice.ctx, []string{"shop alice", "shop bob"}},
		"zoe":                     {zoe.ctx, []string{"bank zoe"}},
	} {
		if diff := cmp.Diff(c.want, names(c.ctx)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		whole := look[tool.OverviewOut](r, c.ctx, "overview", object{})
		if len(whole.Agents) != len(c.want) {
			t.Errorf("%s: the overview has %d agents", name, len(whole.Agents))
		}
		for _, l := range whole.Leases {
			if name == "zoe" && l.Project != "bank" {
				t.Errorf("zoe sees the lease %+v", l)
			}
		}
	}
	// An operator finds a thread without its project; a session of another does not.
	if th := look[tool.ThreadView](r, operator(), "get_thread", object{"thread_id": "T-1"}); th.Subject != "work" {
		t.Errorf("the operator reads %+v", th)
	}
	zoe.refused(coord.NotFound, "get_thread", object{"thread_id": "T-1"})
}

func TestViewsTellWhoIsAwaitedAndWhoWaits(t *testing.T) {
	r, alice, bob, _ := two(t)
	threads := look[tool.ViewThreadsOut](r, operator(), "view_threads", object{"live": true}).Threads
	if len(threads) != 1 || threads[0].Layer != coord.LayerSameFile || threads[0].Deadline == 0 {
		t.Fatalf("live threads: %+v", threads)
	}
	want(t, "awaited before a proposal", threads[0].Awaiting, []tool.AgentRef{{ID: alice.AgentID, Name: "alice"}})
	bob.call("propose_resolution", object{"thread_id": "T-1", "summary": "alice first"})
	threads = look[tool.ViewThreadsOut](r, operator(), "view_threads", object{}).Threads
	want(t, "awaited by the proposal", threads[0].Awaiting, []tool.AgentRef{{ID: alice.AgentID, Name: "alice"}})

	leases := look[tool.ViewLeasesOut](r, operator(), "view_leases", object{}).Leases
	if len(leases) != 1 || leases[0].Holder.Name != "alice" || len(leases[0].Waiting) != 1 || leases[0].Waiting[0].Agent.Name != "bob" {
		t.Errorf("leases: %+v", leases)
	}
	bob.call("heartbeat", object{"current_file": "leased.go"})
	files := look[tool.ViewFilesOut](r, operator(), "view_files", object{}).Files
	if len(files) != 1 || files[0].Path.String() != "a.go" || files[0].Edits != 1 {
		t.Errorf("files: %+v", files)
	}

	alice.call("approve_resolution", object{"thread_id": "T-1"})
	stats := look[tool.ViewStatsOut](r, operator(), "view_stats", object{})
	want(t, "outcomes", stats.Outcomes, map[string]int{"consensus": 1})
	want(t, "layers", []any{stats.Layers[0].Layer, stats.Layers[0].Threads, stats.Opened, stats.Announcements}, []any{"0a", 1, 1, 3})
	want(t, "live threads", len(look[tool.ViewThreadsOut](r, operator(), "view_threads", object{"live": true}).Threads), 0)
}

// Who can do nothing in a consultation until others have their say waits, in every
// view, though no file is held against it; who edits something meanwhile works.
func TestAnAgentHeldUpByAConsultationAloneWaits(t *testing.T) {
	r := newRig(t)
	elsewhere := registration("alice")
	elsewhere.Workspace = "host-1:/another" // so that nothing is refused here
	alice, bob, carol := r.join(elsewhere), r.named("bob"), r.named("carol")
	alice.announce("a.go")
	bob.announce("a.go")
	is := func(step string, alices, bobs any) {
		t.Helper()
		threads := map[string]any{}
		for _, a := range look[tool.OverviewOut](r, operator(), "overview", object{}).Agents {
			threads[a.Name] = string(a.Activity) + string(a.ThreadID)
		}
		want(t, step+", overview", []any{threads["alice"], threads["bob"]}, []any{alices, bobs})
		short := func(words any) any { return strings.TrimSuffix(words.(string), "T-1") }
		want(t, step+", agent_activity", []any{activityOf(carol, "alice"), activityOf(carol, "bob")}, []any{short(alices), short(bobs)})
		listed := map[string]any{}
		for _, a := range carol.call("list_agents", object{})["agents"].([]any) {
			listed[a.(object)["name"].(string)] = a.(object)["activity"]
		}
		want(t, step+", list_agents", []any{listed["alice"], listed["bob"]}, []any{short(alices), short(bobs)})
		for who, words := range map[*agent]any{alice: alices, bob: bobs} {
			waits := who.call("status_line", object{})["waits"]
			want(t, step+", status line", waits != nil, strings.HasSuffix(words.(string), "T-1"))
		}
	}
	is("bob has asked", "working", "waitingT-1")
	alice.call("post_to_thread", object{"thread_id": "T-1", "content": "go on"})
	is("alice has answered", "working", "working")
	alice.call("propose_resolution", object{"thread_id": "T-1", "summary": "alice first"})
	is("alice has proposed", "waitingT-1", "working")
	r.pass(time.Second)
	alice.call("log_action_summary", object{"summary": "meanwhile", "file_path": "other.go"})
	is("alice edits another file", "working", "working")
	bob.call("contest_resolution", object{"thread_id": "T-1", "reason": "no"})
	bob.call("propose_resolution", object{"thread_id": "T-1", "summary": "bob first"})
	is("bob has proposed", "working", "waitingT-1")
	alice.call("approve_resolution", object{"thread_id": "T-1"})
	is("it is settled", "working", "working")
}

// Who looks on hears of every announcement and its end; nobody's inbox does.
func TestAnnouncementsAreEventsForOnlookers(t *testing.T) {
	r := newRig(t)
	alice, bob := r.named("alice"), r.named("bob")
	alice.announce("a.go")
	bob.call("announce_work", object{"subject": "more", "target_files": []string{"a.go"}})
	bob.call("close_thread", object{"thread_id": "A-2"})
	events, err := r.store.Events(context.Background(), "shop", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	for _, e := range events {
		var p coord.Announced
		switch e.Kind {
		case coord.KindAnnounced:
			if err := json.Unmarshal(e.Payload, &p); err != nil {
				t.Fatal(err)
			}
			got = append(got, []any{e.Kind, p.Name, p.Category, p.Score, p.Layers, e.Thread})
		case coord.KindAnnounceClosed:
			got = append(got, []any{e.Kind, e.Actor})
		}
	}
	want(t, "events", got, []any{
		[]any{"announcement.opened", "alice", "pass", 0, nil, ""},
		[]any{"announcement.opened", "bob", "concerned", 100, map[string]int{"0a": 1}, "T-1"},
		[]any{"announcement.closed", bob.AgentID},
	})
	for _, a := range []*agent{alice, bob} {
		for _, d := range a.inbox() {
			if d.Kind == coord.KindAnnounced || d.Kind == coord.KindAnnounceClosed {
				t.Errorf("%s is told %s", a.Name, d.Kind)
			}
		}
	}
}

func TestOnlyASteadyOverviewRoundsWhenAgentsWereSeen(t *testing.T) {
	r := newRig(t)
	r.pass(7 * time.Second)
	r.named("alice")
	exact := look[tool.ViewAgentsOut](r, operator(), "view_agents", object{}).Agents[0].LastSeen
	for steady, want := range map[bool]coord.Millis{false: exact, true: exact - exact%60_000} {
		if got := look[tool.OverviewOut](r, operator(), "overview", object{"steady": steady}).Agents[0].LastSeen; got != want {
			t.Errorf("steady %v: last seen %d, want %d", steady, got, want)
		}
	}
}
