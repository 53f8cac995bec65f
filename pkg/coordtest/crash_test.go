package coordtest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/tool"
)

// Four sessions announce and post 200 times while replies get lost and the hub
// is killed again and again. What was acknowledged is there once; what was not
// is there once or not at all; everybody gets all of their news in order, and
// nothing twice: the shims live, and know what they have told.
func TestNothingIsLostWhenHubsDieAndRepliesGetLost(t *testing.T) {
	const (
		workers = 4
		each    = 50
		odds    = 0.15
	)
	seed := seedOf(t)
	rng := rand.New(rand.NewPCG(seed, 1))

	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	lossy := home.Lossy(seed, odds)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := &crash{t: t, home: home, posted: map[string]bool{}, announced: map[string]bool{}, progress: make(chan struct{}, workers*each)}
	for i := range workers {
		c.agents = append(c.agents, lossy.Agent(fmt.Sprintf("agent-%d", i), repo.Dir))
	}
	c.thread = common(t, c.agents)
	readers := c.read(ctx)
	deaths := make(chan error, 1)
	go func() { deaths <- c.kill(killAt(rng, kills, workers*each)) }()
	if err := together(workers, func(i int) error { return c.work(ctx, i, each) }); err != nil {
		t.Fatal(err)
	}
	close(c.progress)
	if err := <-deaths; err != nil {
		t.Fatal(err)
	}
	lossy.Heal()
	if err := together(workers, func(i int) error { return c.finish(ctx, i) }); err != nil { // with every reply, so that each reader knows where the end is
		t.Fatal(err)
	}
	if err := readers(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d acknowledged, %d refused, %d hubs killed, %d replies lost", workers*each-c.refused, c.refused, kills, lossy.Cut())
	if lossy.Cut() == 0 {
		t.Error("no reply was lost: the test proves nothing")
	}
	if c.refused > workers*each/10 {
		t.Errorf("%d of %d calls were refused: sessions do not outlive their hub", c.refused, workers*each)
	}

	c.checkThread()
	db := copied(t, home.Path.Database())
	c.checkOnce(db, "SELECT json_extract(body, '$.content') FROM messages", c.posted)
	c.checkOnce(db, "SELECT json_extract(body, '$.subject') FROM announcements", c.announced)
	for _, a := range c.agents {
		checkInbox(t, db, a, c.ids[a.Name])
	}
}

const kills = 4 // of hubs

// seedOf draws the seed of a test's randomness, or takes it from COORD_SEED.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("COORD_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("COORD_SEED=%d", seed)
	return seed
}

// crash is the state that the parts of the test share.
type crash struct {
	t        *testing.T
	home     *coordtest.Home
	agents   []*coordtest.Agent
	ids      map[string]coord.AgentID
	thread   coord.ThreadID
	progress chan struct{} // one for each call that was answered

	mu        sync.Mutex      // guards the rest
	posted    map[string]bool // content → acknowledged
	announced map[string]bool // subject → acknowledged
	refused   int
}

// common opens a thread that all agents take part in.
func common(t *testing.T, agents []*coordtest.Agent) coord.ThreadID {
	t.Helper()
	var v tool.AnnounceWorkOut
	for _, a := range agents {
		v = a.Announce("src/shared.go")
	}
	if len(v.ConcernedAgents) != len(agents)-1 {
		t.Fatalf("the last to announce is told %+v, want a thread with all others", v)
	}
	return *v.ThreadID
}

// killAt draws after how many answered calls the hub dies.
func killAt(rng *rand.Rand, kills, calls int) []int {
	at := make([]int, kills)
	for i := range at {
		at[i] = calls/10 + rng.IntN(calls*8/10)
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// kill ends the hub whenever so many calls have been answered.
func (c *crash) kill(at []int) error {
	var errs []error
	answered := 0
	for range c.progress {
		if answered++; slices.Contains(at, answered) {
			_, err := c.home.TryKillHub()
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// work alternates posts to the common thread and announcements of a file that
// the other workers announce too. Every text is unique.
func (c *crash) work(ctx context.Context, worker, calls int) error {
	a := c.agents[worker]
	for n := range calls {
		text := fmt.Sprintf("%s call %d", a.Name, n)
		var err error
		acknowledged := c.posted
		if n%2 == 0 {
			_, err = coordtest.Try(ctx, a, tool.PostToThread, tool.PostToThreadIn{ThreadID: c.thread, Content: text})
		} else {
			acknowledged = c.announced
			_, err = coordtest.Try(ctx, a, tool.AnnounceWork, tool.AnnounceWorkIn{Subject: text, TargetFiles: []string{fmt.Sprintf("src/step%d.go", n)}})
		}
		if _, refused := errors.AsType[driver.ToolError](err); err != nil && (!refused || ctx.Err() != nil) {
			return fmt.Errorf("%s: %w", text, err)
		}
		c.mu.Lock()
		acknowledged[text] = err == nil
		if err != nil {
			c.t.Logf("%s: %v", text, err)
			c.refused++
		}
		c.mu.Unlock()
		c.progress <- struct{}{}
	}
	return nil
}

const lastWord = "that is all"

// finish posts the last message of a worker.
func (c *crash) finish(ctx context.Context, worker int) error {
	a := c.agents[worker]
	_, err := coordtest.Try(ctx, a, tool.PostToThread, tool.PostToThreadIn{ThreadID: c.thread, Content: lastWord})
	return err
}

// read lets every agent wait for its news until it has heard the last word of
// all others. The result waits for that.
func (c *crash) read(ctx context.Context) func() error {
	c.ids = map[string]coord.AgentID{}
	for _, a := range c.agents {
		c.ids[a.Name] = a.ID()
	}
	done := make(chan error, 1)
	go func() {
		done <- together(len(c.agents), func(i int) error {
			for heard := 0; heard < len(c.agents)-1; {
				if err := c.agents[i].Wait(ctx, 10*time.Second); err != nil {
					return fmt.Errorf("%s waits for news: %w", c.agents[i].Name, err)
				}
				heard = lastWords(c.t, c.agents[i].Heard())
			}
			return nil
		})
	}()
	return func() error { return <-done }
}

func lastWords(t *testing.T, events []coord.Event) int {
	authors := map[coord.AgentID]bool{}
	for _, d := range events {
		if d.Kind == coord.KindMessagePosted && coordtest.Payload[coord.MessagePosted](t, d).Content == lastWord {
			authors[d.Actor] = true
		}
	}
	return len(authors)
}

// checkThread reads the thread page by page, as a session does.
func (c *crash) checkThread() {
	c.t.Helper()
	count, since := map[string]int{}, coord.Seq(0)
	for {
		page := coordtest.Call(c.agents[0], tool.GetThread, tool.GetThreadIn{ThreadID: c.thread, SinceSeq: since, Limit: 200})
		for _, m := range page.Messages {
			if m.Seq <= since {
				c.t.Fatalf("get_thread since %d gives message %s of seq %d", since, m.MessageID, m.Seq)
			}
			count[m.Content]++
			since = m.Seq
		}
		if page.More == 0 {
			break
		}
	}
	c.compare("get_thread", count, c.posted)
}

// checkOnce compares the texts that a query gives with those acknowledged.
func (c *crash) checkOnce(db *sql.DB, query string, acknowledged map[string]bool) {
	c.t.Helper()
	rows, err := db.QueryContext(c.t.Context(), query)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	count := map[string]int{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			c.t.Fatal(err)
		}
		count[text]++
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
	c.compare(query, count, acknowledged)
}

func (c *crash) compare(where string, count map[string]int, acknowledged map[string]bool) {
	c.t.Helper()
	for text, ok := range acknowledged {
		if n := count[text]; n > 1 || (ok && n == 0) {
			c.t.Errorf("%s: %q is there %d times; acknowledged: %v", where, text, n, ok)
		}
	}
}

// checkInbox compares what an agent received with its inbox in the database:
// each event in order, none missing and none twice.
func checkInbox(t *testing.T, db *sql.DB, a *coordtest.Agent, id coord.AgentID) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT inbox.seq, prev, kind FROM inbox JOIN events USING (seq) WHERE agent = ? ORDER BY inbox.seq", string(id))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var stored []coord.Delivery
	for rows.Next() {
		var d coord.Delivery
		if err := rows.Scan(&d.Seq, &d.Prev, &d.Kind); err != nil {
			t.Fatal(err)
		}
		stored = append(stored, d)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(stored) == 0 {
		t.Fatalf("%s has an empty inbox", a.Name)
	}
	received, next := a.Heard(), 0
	for _, d := range received {
		switch {
		case next < len(stored) && d.Seq == stored[next].Seq && d.Kind == stored[next].Kind:
			if next > 0 && stored[next].Prev != stored[next-1].Seq {
				t.Errorf("%s: event %d names %d as the one before it, that is %d", a.Name, d.Seq, stored[next].Prev, stored[next-1].Seq)
			}
			next++
		case next > 0 && d.Seq <= stored[next-1].Seq:
			t.Errorf("%s: event %d (%s) came again, marked so: %v", a.Name, d.Seq, d.Kind, d.Again)
		default:
			t.Fatalf("%s: after %d of %d events comes seq %d (%s), want %+v", a.Name, next, len(stored), d.Seq, d.Kind, stored[min(next, len(stored)-1)])
		}
	}
	if next < len(stored) { // the last words that it waited for are the newest events
		t.Errorf("%s misses its last %d events", a.Name, len(stored)-next)
	}
}

// copied opens a copy of a database that is in use.
func copied(t *testing.T, path string) *sql.DB {
	t.Helper()
	open := func(path string) *sql.DB {
		db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Errorf("close %s: %v", path, err)
			}
		})
		return db
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	if _, err := open(path).ExecContext(t.Context(), "VACUUM INTO ?", file); err != nil {
		t.Fatalf("copy the database: %v", err)
	}
	return open(file)
}
