package coordtest_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// load is sessions that announce and post, each text once, until told to stop.
type load struct {
	agents []*coordtest.Agent
	thread coord.ThreadID

	mu           sync.Mutex      // guards acknowledged
	acknowledged map[string]bool // texts whose call was answered
}

func (l *load) done() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.acknowledged)
}

// run has each session write 1/pace times a second.
func (l *load) run(ctx context.Context, t *testing.T, pace time.Duration) (wait func()) {
	var writing sync.WaitGroup
	for _, a := range l.agents {
		writing.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				text := fmt.Sprintf("%s writes %d", a.Name, n)
				var err error
				if n%10 == 0 {
					_, err = coordtest.Try(t.Context(), a, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: text, TargetFiles: []string{fmt.Sprintf("src/%s/%d.go", a.Name, n)}})
				} else {
					_, err = coordtest.Try(t.Context(), a, tool.PostToThread, tool.PostToThreadIn{ThreadID: l.thread, Content: text})
				}
				if err != nil {
					t.Errorf("%s: %v", text, err)
					return
				}
				l.mu.Lock()
				l.acknowledged[text] = true
				l.mu.Unlock()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	return writing.Wait
}

// rest adds sessions without a shim, which announce over the hub's socket: on a
// busy machine shims alone do not reach the rate.
func (l *load) rest(ctx context.Context, t *testing.T, home *coordtest.Home, project coord.ProjectID, sessions int, pace time.Duration) (wait func()) {
	t.Helper()
	c := client.Dial(home.Hub().Socket)
	t.Cleanup(c.Close)
	var writing sync.WaitGroup
	for i := range sessions {
		label := fmt.Sprintf("rest-%d", i)
		me, err := c.Register(t.Context(), coord.Registration{Client: coord.ClientInfo{Name: "rest"}, Project: project, Workspace: "host:/shop", Host: "host", Label: label})
		if err != nil {
			t.Fatal(err)
		}
		writing.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				text := fmt.Sprintf("%s writes %d", label, n)
				args := fmt.Sprintf(`{"subject":%q,"target_files":["rest/%d/%d.go"]}`, text, i, n)
				if _, err := c.Call(t.Context(), me.SessionKey, tool.AnnounceWork.Name, json.RawMessage(args), ""); err != nil {
					t.Errorf("%s: %v", text, err)
					return
				}
				l.mu.Lock()
				l.acknowledged[text] = true
				l.mu.Unlock()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	return writing.Wait
}

// whole opens a database that nobody uses, checks it, and gives the texts in it.
func whole(t *testing.T, file string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("%s: integrity_check says %q, %v", file, verdict, err)
	}
	rows, err := db.QueryContext(t.Context(), "SELECT json_extract(body, '$.content') FROM messages UNION ALL SELECT json_extract(body, '$.subject') FROM announcements")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	texts := map[string]int{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts[text]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

// copyOf is what coord-hub backup and restore say, as far as it counts here.
type copyOf struct {
	File, Kept string
	Epoch      coord.Epoch
}

func hubCommand(t *testing.T, home *coordtest.Home, args ...string) (made copyOf) {
	t.Helper()
	out, err := home.Command(append(args, "--json")...).Output()
	if err != nil {
		t.Fatalf("coord-hub %v: %v: %s", args, err, out)
	}
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatalf("coord-hub %v: %s: %v", args, out, err)
	}
	return made
}

// A backup that is taken while sessions write at least 200 times a second holds
// all that was acknowledged before it began. Restored, it is the log of a new
// epoch; what was there is kept aside, and open sessions go on from what there is.
func TestABackupUnderLoadIsWholeAndSessionsOutliveItsRestore(t *testing.T) {
	const sessions, direct, perSecond = 4, 4, 300 // more than the 200 that are promised
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	l := &load{acknowledged: map[string]bool{}}
	for i := range sessions {
		l.agents = append(l.agents, home.Agent(fmt.Sprintf("agent-%d", i), shop.Dir))
	}
	l.thread = common(t, l.agents)
	alice, bob := l.agents[0], l.agents[1]
	aliceID, bobID := alice.ID(), bob.ID()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	start := time.Now()
	const pace = time.Second * (sessions + direct) / perSecond
	waitDirect, waitShims := l.rest(ctx, t, home, project(t, alice), direct, pace), l.run(ctx, t, pace)
	var last copyOf
	for i := range 3 {
		enough := 200 * (i + 1)
		if !coordtest.Eventually(time.Minute, func() bool { return len(l.done()) >= enough }) {
			t.Fatalf("%d writes in %v", len(l.done()), time.Since(start))
		}
		before := l.done()
		last = hubCommand(t, home, "backup", "--output", filepath.Join(t.TempDir(), "copy.db"))
		held := whole(t, last.File)
		for text := range before {
			if held[text] != 1 {
				t.Errorf("backup %d: %q was acknowledged before it began and is there %d times", i, text, held[text])
			}
		}
		t.Logf("backup %d holds %d texts; %d were acknowledged before it began", i, len(held), len(before))
	}
	rate := float64(len(l.done())) / time.Since(start).Seconds()
	stop()
	waitDirect()
	waitShims()
	all := l.done()
	t.Logf("%d writes, %.0f a second, checks of the copies included", len(all), rate)
	if rate < 200 {
		t.Logf("the machine was too busy for 200 writes a second")
	}

	restored := hubCommand(t, home, "restore", last.File)
	if restored.Epoch == last.Epoch {
		t.Errorf("the epoch is %s still", last.Epoch)
	}
	kept := whole(t, restored.Kept)
	for text := range all {
		if kept[text] != 1 {
			t.Errorf("what was kept aside has %q %d times", text, kept[text])
		}
	}
	hubCommand(t, home, "start")
	if alice.ID() != aliceID || bob.ID() != bobID {
		t.Errorf("the sessions are %s and %s, were %s and %s", alice.ID(), bob.ID(), aliceID, bobID)
	}
	held := whole(t, last.File)
	shown := map[string]bool{}
	for since := coord.Seq(0); ; {
		page := coordtest.Call(bob, tool.GetThread, tool.GetThreadIn{ThreadID: l.thread, SinceSeq: since, Limit: 200})
		for _, m := range page.Messages {
			since, shown[m.Content] = m.Seq, true
			if held[m.Content] != 1 {
				t.Errorf("the thread shows %q, which the backup does not have", m.Content)
			}
		}
		if page.More == 0 {
			break
		}
	}
	for text := range held {
		if strings.HasPrefix(text, "agent-") && !strings.HasSuffix(text, "0") && !shown[text] { // posts; every tenth is an announcement
			t.Errorf("the thread does not show %q", text)
		}
	}
	for n := range 3 {
		coordtest.Call(alice, tool.PostToThread, tool.PostToThreadIn{ThreadID: l.thread, Content: fmt.Sprintf("after %d", n)})
	}
	isLast := func(e coord.Event) bool {
		return e.Kind == coord.KindMessagePosted && coordtest.Payload[coord.MessagePosted](t, e).Content == "after 2"
	}
	bob.AwaitThat("what is said after the restore", isLast)
	var heard []string
	for _, e := range bob.Heard() {
		if e.Kind != coord.KindMessagePosted {
			continue
		}
		if text := coordtest.Payload[coord.MessagePosted](t, e).Content; strings.HasPrefix(text, "after ") {
			heard = append(heard, text)
		}
	}
	if got := strings.Join(heard, ", "); got != "after 0, after 1, after 2" {
		t.Errorf("bob has heard %s after the restore", got)
	}
}
