package hub_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a Publisher that keeps what it was given.
type recorder struct {
	mu   sync.Mutex
	pubs []hub.Publication

	statuses map[coord.AgentID]coord.AgentStatus // what was set and not cleared
}

func (r *recorder) SetStatus(_ coord.ProjectID, a coord.AgentID, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var p coord.AgentStatusChanged
	_, d, err := coord.ParseWire(payload)
	if err != nil || d.Kind != coord.KindAgentStatus || d.Actor != a || json.Unmarshal(payload, &p) != nil {
		return
	}
	if r.statuses == nil {
		r.statuses = map[coord.AgentID]coord.AgentStatus{}
	}
	r.statuses[a] = p.Status
}

func (r *recorder) ClearStatus(_ coord.ProjectID, a coord.AgentID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.statuses, a)
}

func (r *recorder) Publish(p []hub.Publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pubs = append(r.pubs, p...)
}

func (r *recorder) Stats() hub.PublisherStats { return hub.PublisherStats{} }

func (r *recorder) Subscribers(coord.ProjectID, string) int { return 3 }

// news lists the kinds that an agent's inbox was rung for, in order.
func (r *recorder) news(agent coord.AgentID) []coord.EventKind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []coord.EventKind
	for _, p := range r.pubs {
		if slices.ContainsFunc(p.Recipients, func(e hub.InboxEntry) bool { return e.Agent == agent }) {
			out = append(out, p.Event.Kind)
		}
	}
	return out
}

// rig is a hub on a real database with a clock that the test moves.
type rig struct {
	*hub.Hub
	t          testing.TB
	pubs       *recorder
	store      *sqlite.Store
	path       string
	alive      func(coord.Process) bool
	durability string // "normal" in tests, "full" in benchmarks

	mu  sync.Mutex
	now time.Time
}

func newRig(t testing.TB) *rig {
	durability := "normal"
	if _, bench := t.(*testing.B); bench {
		durability = "full"
	}
	r := &rig{t: t, durability: durability, path: filepath.Join(t.TempDir(), "c.db"), now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)}
	r.start(nil)
	t.Cleanup(r.stop)
	return r
}

// start opens the database and a hub on it; wrap may put something around the store.
func (r *rig) start(wrap func(hub.Store) hub.Store) {
	r.t.Helper()
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: r.path, Durability: r.durability})
	if err != nil {
		r.t.Fatal(err)
	}
	var s hub.Store = store
	if wrap != nil {
		s = wrap(store)
	}
	r.pubs, r.store = &recorder{}, store
	r.Hub, err = hub.New(hub.Options{Store: s, Publisher: r.pubs, Statuses: r.pubs, Host: "host-1", Now: r.clock, Version: "test",
		Alive: func(p coord.Process) bool { return r.alive == nil || r.alive(p) },
		Tick:  func(time.Duration) <-chan time.Time { return nil }})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stop() {
	if err := r.Stop(context.Background()); err != nil {
		r.t.Error(err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// pass moves the clock and runs what is due.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	r.mu.Lock()
	r.now = r.now.Add(d)
	r.mu.Unlock()
	if err := r.Tick(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// agent is a registered session of a rig.
type agent struct {
	coord.Registered
	r   *rig
	ctx context.Context
}

func registration(name string) coord.Registration {
	return coord.Registration{Client: coord.ClientInfo{Name: "test"}, Project: "shop", Workspace: "host-1:/shop", Host: "host-1", Label: name}
}

func (r *rig) join(reg coord.Registration) *agent {
	r.t.Helper()
	got, err := r.Register(context.Background(), "me", reg)
	if err != nil {
		r.t.Fatal(err)
	}
	caller, ok := r.Authenticate(got.SessionKey)
	if !ok {
		r.t.Fatal("the key of a new session is not known")
	}
	r.Connected(got.AgentID, true)
	return &agent{got, r, coord.WithCaller(context.Background(), caller)}
}

func (r *rig) named(name string) *agent { r.t.Helper(); return r.join(registration(name)) }

type object = map[string]any

// try calls an operation and gives its decoded answer.
func (a *agent) try(op string, args object) (object, error) {
	a.r.t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		a.r.t.Fatal(err)
	}
	body, err := a.r.Call(a.ctx, op, raw, "")
	if err != nil {
		return nil, err
	}
	var out object
	if err := json.Unmarshal(body, &out); err != nil {
		a.r.t.Fatal(err)
	}
	return out, nil
}

// call is try that must succeed.
func (a *agent) call(op string, args object) object {
	a.r.t.Helper()
	out, err := a.try(op, args)
	if err != nil {
		a.r.t.Fatalf("%s %s: %v", a.Name, op, err)
	}
	return out
}

// refused is try that must fail with the code.
func (a *agent) refused(code coord.Code, op string, args object) error {
	a.r.t.Helper()
	out, err := a.try(op, args)
	if coord.CodeOf(err) != code {
		a.r.t.Fatalf("%s %s: got %v, %v; want %s", a.Name, op, out, err, code)
	}
	return err
}

func (a *agent) announce(files ...string) object {
	a.r.t.Helper()
	return a.call("announce_work", object{"subject": "work", "target_files": files})
}

// verdict is the part of an announce answer that rules are about.
func verdict(o object) [4]any { return [4]any{o["status"], o["category"], o["score"], o["layer"]} }

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func TestStoryOfTwoAgents(t *testing.T) {
	r := newRig(t)
	alice, bob := r.named("alice"), r.named("bob")

	want(t, "alice", verdict(alice.announce("src/models/user.ts")), [4]any{"clear", "pass", 0, nil})
	got := bob.announce("src/models/user.ts", "db/migrations/0042_user.sql")
	want(t, "bob", verdict(got), [4]any{"open", "concerned", 100, "0a"})
	want(t, "thread", got["thread_id"], "T-1")
	want(t, "with", got["concerned_agents"], []object{{"id": alice.AgentID, "name": "alice"}})
	want(t, "alice hears", r.pubs.news(alice.AgentID), []coord.EventKind{coord.KindThreadOpened})

	alice.call("post_to_thread", object{"thread_id": "T-1", "content": "I rename the id column"})
	bob.call("propose_resolution", object{"thread_id": "T-1", "summary": "alice first"})
	th := alice.call("approve_resolution", object{"thread_id": "T-1", "proposal": 1})
	want(t, "end", []any{th["status"], th["type"]}, []any{"resolved", "consensus"})
	want(t, "bob hears", r.pubs.news(bob.AgentID), []coord.EventKind{coord.KindMessagePosted, coord.KindThreadStatus})

	th = bob.call("get_thread", object{"thread_id": "T-1"})
	want(t, "messages", len(th["messages"].([]any)), 1)
	want(t, "closed", bob.call("close_thread", object{"thread_id": "A-2"})["closed"], []string{"A-2"})
}

func TestScoringTable(t *testing.T) {
	announceOf := func(args object) func(*agent) {
		return func(a *agent) { args["subject"] = "w"; a.call("announce_work", args) }
	}
	edit := func(a *agent) { a.call("log_action_summary", object{"summary": "s", "file_path": "x.go"}) }
	for _, tt := range []struct {
		name   string
		theirs func(*agent)
		pass   time.Duration
		mine   object
		want   [4]any
	}{
		{"0a same file", announceOf(object{"target_files": []string{"x.go"}}), 0, object{"target_files": []string{"./x.go"}}, [4]any{"open", "concerned", 100, "0a"}},
		{"0a file in their directory", announceOf(object{"target_files": []string{"src/"}}), 0, object{"target_files": []string{"src/a/b.go"}}, [4]any{"open", "concerned", 100, "0a"}},
		{"0a file in their glob", announceOf(object{"target_files": []string{"src/**/*.go"}}), 0, object{"target_files": []string{"src/a/b.go"}}, [4]any{"open", "concerned", 100, "0a"}},
		{"0a their file in my directory", announceOf(object{"target_files": []string{"src/a/b.go"}}), 0, object{"target_files": []string{"src/"}}, [4]any{"open", "concerned", 100, "0a"}},
		{"0b they change what I depend on", announceOf(object{"target_files": []string{"x.go"}}), 0, object{"target_files": []string{"y.go"}, "depends_on_files": []string{"x.go"}}, [4]any{"auto_resolved", "gray_zone", 80, "0b"}},
		{"0c I change what they depend on", announceOf(object{"target_files": []string{"y.go"}, "depends_on_files": []string{"x.go"}}), 0, object{"target_files": []string{"x.go"}}, [4]any{"auto_resolved", "gray_zone", 80, "0c"}},
		{"1 edited just now", edit, 59 * time.Second, object{"target_files": []string{"x.go"}}, [4]any{"open", "concerned", 100, "1"}},
		{"1 still leased", edit, 61 * time.Second, object{"target_files": []string{"x.go"}}, [4]any{"open", "concerned", 100, "1"}},
		{"1 the turn is over", edit, 121 * time.Second, object{"target_files": []string{"x.go"}}, [4]any{"clear", "pass", 0, nil}},
		{"2 what I depend on edited just now", edit, 0, object{"target_files": []string{"y.go"}, "depends_on_files": []string{"x.go"}}, [4]any{"auto_resolved", "gray_zone", 80, "2"}},
		{"3 module inside module", announceOf(object{"target_modules": []string{"auth"}}), 0, object{"target_modules": []string{"auth/login"}}, [4]any{"auto_resolved", "gray_zone", 30, "3"}},
		{"3 module around module", announceOf(object{"target_modules": []string{"auth.login"}}), 0, object{"target_modules": []string{"auth"}}, [4]any{"auto_resolved", "gray_zone", 30, "3"}},
		{"3 no boundary, no overlap", announceOf(object{"target_modules": []string{"authz"}}), 0, object{"target_modules": []string{"auth"}}, [4]any{"clear", "pass", 0, nil}},
		{"3 pattern meets pattern", announceOf(object{"target_files": []string{"src/**/*.go"}}), 0, object{"target_files": []string{"src/api/**"}}, [4]any{"auto_resolved", "gray_zone", 30, "3"}},
		{"patterns without a common file", announceOf(object{"target_files": []string{"src/*.ts"}}), 0, object{"target_files": []string{"src/*.go"}}, [4]any{"clear", "pass", 0, nil}},
		{"patterns by the names they stand for", announceOf(object{"target_files": []string{"src/"}, "expansions": object{"src/": []string{"src/a.ts"}}}), 0,
			object{"target_files": []string{"src/*"}, "expansions": object{"src/*": []string{"src/a.ts"}}}, [4]any{"open", "concerned", 100, "0a"}},
		{"patterns whose names differ", announceOf(object{"target_files": []string{"src/"}, "expansions": object{"src/": []string{"src/a.ts"}}}), 0,
			object{"target_files": []string{"src/*"}, "expansions": object{"src/*": []string{"src/b.ts"}}}, [4]any{"clear", "pass", 0, nil}},
		{"a wide pattern only on layer 3", announceOf(object{"target_files": []string{"**"}, "expansions": object{"**": nil}}), 0, object{"target_files": []string{"docs/a.md"}}, [4]any{"auto_resolved", "gray_zone", 30, "3"}},
		{"nothing in common", announceOf(object{"target_files": []string{"a.go"}}), 0, object{"target_files": []string{"b.go"}}, [4]any{"clear", "pass", 0, nil}},
		{"an offered task never scores", announceOf(object{"target_files": []string{"x.go"}, "keep_open": true}), 0, object{"target_files": []string{"x.go"}}, [4]any{"clear", "pass", 0, nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			them, me := r.named("them"), r.named("me")
			tt.theirs(them)
			r.pass(tt.pass)
			tt.mine["subject"] = "mine"
			want(t, "verdict", verdict(me.call("announce_work", tt.mine)), tt.want)
		})
	}
}

func TestLockfilesScoreInOneWorkspaceOnly(t *testing.T) {
	r := newRig(t)
	elsewhere := registration("elsewhere")
	elsewhere.Workspace = "host-1:/shop-2"
	r.named("here").announce("web/package-lock.json", "a.go")
	got := r.join(elsewhere).announce("web/package-lock.json")
	want(t, "other workspace", verdict(got), [4]any{"clear", "pass", 0, nil})
	want(t, "same workspace", verdict(r.named("too").announce("web/package-lock.json")), [4]any{"open", "concerned", 100, "0a"})
}

func TestTwoProjectsNeverMeet(t *testing.T) {
	r := newRig(t)
	other := registration("other")
	other.Project = "blog"
	other.Workspace = "host-1:/blog"
	a, b := r.named("a"), r.join(other)
	a.announce("src/index.ts")
	want(t, "other project", verdict(b.announce("src/index.ts")), [4]any{"clear", "pass", 0, nil})
	a.announce("x")
	r.named("c").announce("x")
	b.refused(coord.NotFound, "get_thread", object{"thread_id": "T-1"})
	b.refused(coord.NotFound, "post_to_thread", object{"thread_id": "T-1", "content": "hi"})
	want(t, "agents", len(b.call("list_agents", nil)["agents"].([]any)), 1)
}

func TestExactlyOneIsClear(t *testing.T) {
	r := newRig(t)
	agents := []*agent{r.named("a"), r.named("b"), r.named("c"), r.named("d")}
	for round := range 200 {
		file := "f" + string(rune('a'+round%26)) + time.Duration(round).String()
		clear := make(chan bool, len(agents))
		start := make(chan struct{})
		for _, a := range agents {
			go func() {
				<-start
				clear <- a.announce(file)["status"] == "clear"
			}()
		}
		close(start)
		n := 0
		for range agents {
			if <-clear {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("round %d: %d of %d are clear", round, n, len(agents))
		}
	}
}

func TestARepeatedCallHasOneEffect(t *testing.T) {
	r := newRig(t)
	a := r.named("a")
	args := json.RawMessage(`{"subject":"w","target_files":["x"]}`)
	first, err := r.Call(a.ctx, "announce_work", args, "k1")
	if err != nil {
		t.Fatal(err)
	}
	r.stop()
	r.start(nil)
	again, err := r.Call(a.ctx, "announce_work", args, "k1")
	if err != nil || string(again) != string(first) {
		t.Errorf("again: %s, %v; want %s", again, err, first)
	}
	if _, err := r.Call(a.ctx, "close_thread", json.RawMessage(`{"thread_id":"A-1"}`), "k1"); coord.CodeOf(err) != coord.Conflict {
		t.Errorf("the key of another operation: %v", err)
	}
	want(t, "one announcement", a.announce("y")["announcement_id"], "A-2")
}

// failing is a store whose next commits fail after everything was written.
type failing struct {
	hub.Store
	fail bool
}

func (f *failing) Begin(ctx context.Context) (hub.Batch, error) {
	b, err := f.Store.Begin(ctx)
	return &failingBatch{b, f}, err
}

type failingBatch struct {
	hub.Batch
	f *failing
}

func (b *failingBatch) Commit() error {
	if b.f.fail {
		b.Rollback()
		return coord.Errorf(coord.Storage, "", "disk full")
	}
	return b.Batch.Commit()
}

func TestAFailedCommitLeavesNothing(t *testing.T) {
	r := newRig(t)
	r.stop()
	disk := &failing{}
	r.start(func(s hub.Store) hub.Store { disk.Store = s; return disk })
	a, b := r.named("a"), r.named("b")
	a.announce("x")
	disk.fail = true
	b.refused(coord.Storage, "announce_work", object{"subject": "w", "target_files": []string{"x", "y"}})
	b.refused(coord.Storage, "register_agent", object{"name": "zoe"})
	// A call and its repetition in one batch: neither may be acknowledged.
	keyed := make(chan error, 8)
	for range cap(keyed) {
		go func() {
			_, err := r.Call(b.ctx, "announce_work", json.RawMessage(`{"subject":"w","target_files":["k"]}`), "same")
			keyed <- err
		}()
	}
	for range cap(keyed) {
		if err := <-keyed; coord.CodeOf(err) != coord.Storage {
			t.Errorf("a call whose commit failed: %v", err)
		}
	}
	disk.fail = false
	want(t, "a heard", len(r.pubs.news(a.AgentID)), 0)
	want(t, "y is free", verdict(a.announce("y")), [4]any{"clear", "pass", 0, nil})
	got := b.announce("x")
	want(t, "numbers have no gap", []any{got["announcement_id"], got["thread_id"]}, []any{"A-3", "T-1"})
	want(t, "name", b.call("coordinator_status", nil)["me"].(object)["name"], "b")
}

func TestEverythingGoesOnAfterARestart(t *testing.T) {
	r := newRig(t)
	a, b := r.named("a"), r.named("b")
	a.announce("x", "dir/")
	b.announce("x")
	b.call("propose_resolution", object{"thread_id": "T-1", "summary": "me first"})
	r.stop()
	r.start(nil)
	if _, ok := r.Authenticate(a.SessionKey); !ok {
		t.Fatal("the key is forgotten")
	}
	c := r.named("c")
	want(t, "the index is rebuilt", verdict(c.announce("dir/new.go")), [4]any{"open", "concerned", 100, "0a"})
	th := a.call("approve_resolution", object{"thread_id": "T-1"})
	want(t, "the thread goes on", []any{th["status"], th["type"]}, []any{"resolved", "consensus"})
}

func TestAnswersToBadCalls(t *testing.T) {
	r := newRig(t)
	a, b := r.named("a"), r.named("b")
	a.refused(coord.Invalid, "announce_work", object{"subject": "w"})
	a.refused(coord.Invalid, "announce_work", object{"subject": "w", "target_modules": []string{" ", "/"}})
	a.refused(coord.Invalid, "announce_work", object{"subject": "w", "target_files": []string{"../x"}})
	a.refused(coord.NotFound, "announce_work", object{"subject": "w", "target_files": []string{"x"}, "replaces": "A-9"})
	a.refused(coord.NotFound, "announce_work", object{"subject": "w", "target_files": []string{"x"}, "assigned_to": "ag-nobody"})
	a.refused(coord.Forbidden, "announce_work", object{"agent_id": b.AgentID, "subject": "w", "target_files": []string{"x"}})
	a.refused(coord.NotFound, "post_to_thread", object{"thread_id": "T-7", "content": "x"})
	a.refused(coord.NotFound, "close_thread", object{"thread_id": "A-7"})
	a.refused(coord.NotFound, "frobnicate", nil)
	if _, err := r.Call(context.Background(), "announce_work", nil, ""); coord.CodeOf(err) != coord.Unauthorized {
		t.Errorf("no caller: %v", err)
	}
	operator := coord.WithCaller(context.Background(), coord.Caller{Operator: true, Project: "shop"})
	if _, err := r.Call(operator, "announce_work", json.RawMessage(`{"subject":"w","target_files":["x"]}`), ""); coord.CodeOf(err) != coord.Forbidden {
		t.Errorf("an operator announces: %v", err)
	}
	if _, err := r.Call(operator, "list_agents", nil, ""); err != nil {
		t.Errorf("an operator reads: %v", err)
	}
}

func TestReplacesKeepsSeniorityAndClosesTheOld(t *testing.T) {
	r := newRig(t)
	a, b := r.named("a"), r.named("b")
	a.announce("x")
	a.call("announce_work", object{"subject": "more", "target_files": []string{"x", "y"}, "replaces": "A-1"})
	a.refused(coord.NotFound, "close_thread", object{"thread_id": "A-1"})
	got := b.announce("x")
	want(t, "one reason", len(got["reasons"].([]any)), 1)
}

func TestALaterOverlapJoinsTheLiveThread(t *testing.T) {
	r := newRig(t)
	a, b, c := r.named("a"), r.named("b"), r.named("c")
	a.announce("x", "y")
	want(t, "first", b.announce("x", "y")["thread_id"], "T-1")
	want(t, "again inside it", b.announce("x")["thread_id"], "T-1")
	want(t, "from the other side", a.announce("y")["thread_id"], "T-1")
	want(t, "a third agent", c.announce("x")["thread_id"], "T-2")
}
