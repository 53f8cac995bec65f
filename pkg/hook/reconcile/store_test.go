package reconcile_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook/reconcile"
)

// The test binary is the hook program too: its hidden subcommand is "reconcile".
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "reconcile" {
		s, err := reconcile.New(reconcile.Options{Dir: os.Args[2]})
		if err == nil {
			err = s.Serve(context.Background(), coord.WorkspaceID(os.Args[3]))
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const ws = coord.WorkspaceID("h-test:/w")

// newTree makes a repository with the files committed.
func newTree(t *testing.T, committed ...string) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	git(t, top, "init", "-q")
	for _, name := range committed {
		put(t, top, name)
	}
	git(t, top, "add", "-A")
	git(t, top, "commit", "-qm", "first", "--allow-empty")
	return top
}

func git(t *testing.T, top string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", top, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func put(t *testing.T, top, name string) {
	t.Helper()
	full := filepath.Join(top, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(full, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("line\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// stamped gives a file a time of modification in a call that is still to come
// on the real clock, so that no other file's ctime falls into it.
func stamped(t *testing.T, top, name string, stamp time.Time) {
	t.Helper()
	if err := os.Chtimes(filepath.Join(top, name), stamp, stamp); err != nil {
		t.Fatal(err)
	}
}

func newStore(t *testing.T, o reconcile.Options) *reconcile.Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "run", "reconcile")
	}
	s, err := reconcile.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ticket(top string, session coord.SessionID, call reconcile.Interval) reconcile.Ticket {
	return reconcile.Ticket{Session: session, Workspace: ws, Top: top, Call: call}
}

// later runs the child and waits for its end.
func later(t *testing.T, s *reconcile.Store, tickets ...reconcile.Ticket) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, ticket := range tickets {
		child, err := s.Later([]string{exe, "reconcile"}, ticket)
		if err != nil {
			t.Fatal(err)
		}
		if child == nil {
			t.Fatal("no child was started")
		}
		if state, err := child.Wait(); err != nil || !state.Success() {
			t.Fatalf("the child ended with %v, %v", state, err)
		}
	}
}

func found(reports []reconcile.Report, top string) []string {
	out := []string{}
	for _, r := range reports {
		for _, f := range r.Found {
			line := strings.TrimPrefix(f.File, top+"/")
			if f.Gone {
				line += " gone"
			}
			if f.Ambiguous {
				line += " ambiguous"
			}
			out = append(out, line)
		}
	}
	return out
}

func TestChildFindsWhatACallWrote(t *testing.T) {
	top := newTree(t, "a.go", "b.go", "c d.go", "line\nbreak", "kept.go")
	for _, name := range []string{"a.go", "b.go", "c d.go", "line\nbreak", "dir/new.go", "cafe\u0301.txt", ".gitignore", "ignored.o"} {
		put(t, top, name)
	}
	call := reconcile.Interval{From: time.Now().Add(time.Hour), To: time.Now().Add(time.Hour + time.Second)}
	for _, name := range []string{"a.go", "c d.go", "dir/new.go", "cafe\u0301.txt"} {
		stamped(t, top, name, call.From.Add(time.Millisecond))
	}
	s := newStore(t, reconcile.Options{})
	other := ticket(top, "two", reconcile.Interval{From: call.From.Add(time.Hour), To: call.To.Add(time.Hour)})
	later(t, s, ticket(top, "one", call), other)
	want := []string{"a.go", "c d.go", "cafe\u0301.txt", "dir/new.go"}
	if diff := cmp.Diff(want, found(s.Collect("one"), top)); diff != "" {
		t.Error(diff)
	}
	if got := s.Collect("two"); len(got) > 0 {
		t.Errorf("the other call wrote nothing, and is told %v", got)
	}
	if got := s.Collect("one"); len(got) > 0 {
		t.Errorf("a report is given twice: %v", got)
	}
}

func TestRemovalIsToldOnce(t *testing.T) {
	top := newTree(t, "a.go", "b.go", "c.go")
	s := newStore(t, reconcile.Options{})
	now := time.Now()
	call := reconcile.Interval{From: now.Add(-time.Minute), To: now.Add(time.Hour)}
	remove := func(name string) {
		if err := os.Remove(filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	remove("a.go")
	later(t, s, ticket(top, "one", call))
	if diff := cmp.Diff([]string{"a.go gone ambiguous"}, found(s.Collect("one"), top)); diff != "" {
		t.Error("at the first look nobody knows when it went:", diff)
	}
	remove("b.go")
	later(t, s, ticket(top, "one", call))
	if diff := cmp.Diff([]string{"b.go gone"}, found(s.Collect("one"), top)); diff != "" {
		t.Error(diff)
	}
}

func TestFilesOfTheStoreArePrivate(t *testing.T) {
	top := newTree(t, "a.go")
	put(t, top, "a.go")
	s := newStore(t, reconcile.Options{})
	later(t, s, ticket(top, "one", reconcile.Interval{From: time.Now().Add(-time.Minute)}))
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(s.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
}

func TestTreeThatTakesTooLongTwiceIsLeftAlone(t *testing.T) {
	top := newTree(t, "a.go")
	now := time.Now()
	slow := newStore(t, reconcile.Options{Limit: time.Nanosecond, Now: func() time.Time { return now }})
	ask := func(s *reconcile.Store) bool {
		t.Helper()
		child, err := s.Later([]string{"true"}, ticket(top, "one", reconcile.Interval{}))
		if err != nil {
			t.Fatal(err)
		}
		if child == nil {
			return false
		}
		if _, err := child.Wait(); err != nil {
			t.Fatal(err)
		}
		_ = s.Serve(t.Context(), ws)
		return true
	}
	quick := newStore(t, reconcile.Options{Dir: slow.Dir, Now: slow.Now})
	for i, s := range []*reconcile.Store{slow, quick, slow, slow} { // once between is forgiven
		if _, off := s.Off(ws); off || !ask(s) {
			t.Fatalf("call %d: it is off already", i)
		}
	}
	if since, off := slow.Off(ws); !off || !since.Equal(now) {
		t.Errorf("off %v since %v", off, since)
	}
	if diff := cmp.Diff([]reconcile.Pause{{Workspace: ws, Since: now}}, reconcile.Paused(slow.Dir, now)); diff != "" {
		t.Error(diff)
	}
	if ask(slow) {
		t.Error("a child was started for a tree that is off")
	}
	if _, off := slow.Off("h-test:/other"); off {
		t.Error("another tree is off too")
	}
	now = now.Add(25 * time.Hour)
	if !ask(quick) {
		t.Error("after a day it is not tried again")
	}
	if _, off := quick.Off(ws); off {
		t.Error("a quick answer does not turn it on again")
	}
}

// While one child looks, another one leaves its ticket to it.
func TestOneChildAtATimeServesAllTickets(t *testing.T) {
	top := newTree(t, "a.go")
	put(t, top, "a.go")
	s := newStore(t, reconcile.Options{})
	call := reconcile.Interval{From: time.Now().Add(-time.Minute), To: time.Now().Add(time.Minute)}
	for _, session := range []coord.SessionID{"one", "two", "three"} {
		child, err := s.Later([]string{"true"}, ticket(top, session, call))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := child.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	for range 3 {
		go func() { done <- s.Serve(t.Context(), ws) }()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, session := range []coord.SessionID{"one", "two", "three"} {
		if diff := cmp.Diff([]string{"a.go"}, found(s.Collect(session), top)); diff != "" {
			t.Errorf("%s: %s", session, diff)
		}
	}
}

func TestBrokenFilesAreNoTrouble(t *testing.T) {
	top := newTree(t, "a.go")
	s := newStore(t, reconcile.Options{})
	put(t, top, "a.go")
	later(t, s, ticket(top, "one", reconcile.Interval{From: time.Now().Add(-time.Minute)}))
	names, err := filepath.Glob(filepath.Join(s.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(name, []byte(`{"session":`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Collect("one"); len(got) > 0 {
		t.Errorf("made %v of it", got)
	}
	later(t, s, ticket(top, "one", reconcile.Interval{From: time.Now().Add(-time.Minute)}))
	if diff := cmp.Diff([]string{"a.go"}, found(s.Collect("one"), top)); diff != "" {
		t.Error(diff)
	}
}

func TestStoreNeedsAnAbsoluteDirectory(t *testing.T) {
	if _, err := reconcile.New(reconcile.Options{Dir: "run"}); err == nil {
		t.Error("a relative one was taken")
	}
}
