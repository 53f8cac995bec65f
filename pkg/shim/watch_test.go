package shim_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/shim"
	"github.com/coordhq/coord/pkg/tool"
)

// watched serves a shim in a working tree with x.go, whose clock the test is, and
// gives what it reports.
func watched(t *testing.T, out tool.WatchOut) (dir string, peer *client, tick chan<- time.Time, reports <-chan []tool.WatchedFile) {
	t.Helper()
	dir = worktree(t, "x.go", "y.go")
	ticks, asked := make(chan time.Time), make(chan []tool.WatchedFile, 100)
	h, peer := serving(t, func(o *shim.Options) {
		o.Dir = dir
		o.Tick = func(time.Duration) <-chan time.Time { return ticks }
	})
	h.with(func() {
		h.watch = func(in tool.WatchIn) tool.WatchOut {
			asked <- in.Changed
			return out
		}
	})
	return dir, peer, ticks, asked
}

func changeFile(t *testing.T, dir, name string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
		t.Fatal(err)
	}
}

func TestAChangedFileOfAClientWithoutHooksIsReported(t *testing.T) {
	x, err := coord.ParsePath("x.go")
	if err != nil {
		t.Fatal(err)
	}
	dir, peer, tick, reports := watched(t, tool.WatchOut{Files: []coord.Path{x}})
	if text, isError := peer.call(1, "announce_work", `{"subject":"s","target_files":["x.go"]}`); isError {
		t.Fatal(text)
	}
	one, two := time.UnixMilli(1_700_000_000_000), time.UnixMilli(1_700_000_010_000)
	tick <- one
	<-reports   // now it knows what to look at
	tick <- one // it takes a tick only when the look before is over
	if got := <-reports; len(got) > 0 {
		t.Errorf("before anything changed: %v", got)
	}
	changeFile(t, dir, "x.go", one)
	changeFile(t, dir, "y.go", one) // nobody's
	tick <- one
	if diff := cmp.Diff([]tool.WatchedFile{{Path: x, Modified: coord.At(one)}}, <-reports, cmpopts.EquateComparable(coord.Path{})); diff != "" {
		t.Errorf("after ten seconds (-want +got):\n%s", diff)
	}
	tick <- two
	if got := <-reports; len(got) > 0 {
		t.Errorf("nothing has changed since: %v", got)
	}
	changeFile(t, dir, "x.go", two)
	peer.call(2, "list_agents", `{}`)
	if diff := cmp.Diff([]tool.WatchedFile{{Path: x, Modified: coord.At(two)}}, <-reports, cmpopts.EquateComparable(coord.Path{})); diff != "" {
		t.Errorf("with a call (-want +got):\n%s", diff)
	}
}

func TestTheFilesOfAClientWithHooksAreNotLookedAt(t *testing.T) {
	dir, peer, tick, reports := watched(t, tool.WatchOut{Hooks: true})
	peer.call(1, "announce_work", `{"subject":"s","target_files":["x.go"]}`)
	tick <- time.Now()
	<-reports
	changeFile(t, dir, "x.go", time.UnixMilli(1_700_000_000_000))
	tick <- time.Now()
	if got := <-reports; len(got) > 0 {
		t.Errorf("reported %v", got)
	}
}
