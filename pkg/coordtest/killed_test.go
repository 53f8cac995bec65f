package coordtest_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/tool"
)

// DESIGN 6 promises: nothing is lost or out of order; a confirmed event is never
// shown again; an unconfirmed one may be, with the same seq and again, at most
// one batch per kill. Here hub, shim and hooks are processes, and any of them is
// killed at any point of a delivery; pkg/hub's promise_test sends more events
// through the rules alone.
func TestThePromiseOfDeliveryHoldsWhateverProcessIsKilled(t *testing.T) {
	const events = 200
	seed := seedOf(t)
	m := newReader(t, rand.New(rand.NewPCG(seed, 3)))
	for sent := 0; sent < events; {
		for range min(1+m.rng.IntN(12), events-sent) {
			sent++
			m.post(fmt.Sprintf("message %d", sent))
		}
		m.step()
		if m.rng.IntN(3) == 0 {
			m.step()
		}
	}
	m.post("each of them is killed once at least")
	m.hook(hubDies)
	m.hook(itDies)
	m.call(itDies)
	ctx, cancel := context.WithTimeout(t.Context(), patienceOfKills)
	defer cancel()
	for m.left() > 0 && ctx.Err() == nil {
		m.hook(survives)
		m.call(survives)
	}
	for len(m.rows(unread)) > 0 && ctx.Err() == nil { // the last answer may not have been reported yet
		m.hook(survives)
	}
	m.check()
}

// The hook is killed while it writes: nobody reads its output, which is full.
func TestNewsThatAKilledHookHadInHandIsOfferedAtOnce(t *testing.T) {
	m := newReader(t, rand.New(rand.NewPCG(1, 1)))
	m.post("hello")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fillUp(t, w)
	cmd := m.bob.Command("post-tool")
	cmd.Stdin, cmd.Stdout = strings.NewReader(m.bob.Payload("post_read", coordtest.Fill{"file": "README.md"})), w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !coordtest.Eventually(20*time.Second, func() bool { return len(m.rows("state = 'offered'")) > 0 }) {
		t.Error("the hook is offered nothing")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	began := time.Now()
	for m.left() > 0 && time.Since(began) < offerHold {
		m.hook(survives)
	}
	if took := time.Since(began); took > offerHold/2 {
		t.Errorf("it was offered again after %v", took)
	}
}

const offerHold = 30 * time.Second // of an offer that nobody is known to have lost

// fillUp writes to a pipe until it takes no more.
func fillUp(t *testing.T, w *os.File) {
	t.Helper()
	raw, err := w.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var full error
	if err := raw.Write(func(fd uintptr) bool {
		for full == nil {
			_, full = syscall.Write(int(fd), []byte{' '})
		}
		return true
	}); err != nil || !errors.Is(full, syscall.EAGAIN) {
		t.Fatalf("fill a pipe: %v, %v", err, full)
	}
}

// patienceOfKills is how long the last news may take.
const patienceOfKills = 40 * time.Second

// fate says whom a step of the reader loses.
type fate int

const (
	survives fate = iota
	hubDies
	itDies // the process that brings the news: hook or shim
)

// reader is a client's model, whose news comes through a shim and hooks.
type reader struct {
	t    *testing.T
	rng  *rand.Rand
	home *coordtest.Home
	db   *sql.DB

	alice  *coordtest.Agent // who writes
	bob    *coordtest.HookSession
	shim   *coordtest.Agent // of bob
	given  int              // events of this shim that were looked at
	id     coord.AgentID    // of bob
	thread coord.ThreadID

	shown   map[coord.Seq]int // event → number of kills before the delivery that showed it last
	newest  coord.Seq         // of the first showings
	kills   map[string]int    // by victim
	killed  int
	repeats int
}

func newReader(t *testing.T, rng *rand.Rand) *reader {
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	m := &reader{t: t, rng: rng, home: home, shown: map[coord.Seq]int{}, kills: map[string]int{}}
	m.alice = home.Agent("alice", repo.Dir)
	m.bob = home.HookSessionHere("bob", repo.Dir)
	hello := m.bob.Start().Raw + "\n" + m.bob.Prompt().Raw
	m.shim = m.bob.Shim()
	m.id = m.shim.ID()
	m.shim.Announce("src/shared.go")
	m.thread = *m.alice.Announce("src/shared.go").ThreadID
	db, err := sql.Open("sqlite3", "file:"+home.Path.Database()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	m.db = db
	m.see(nil, 0, told(t, m.inbox(), hello))
	m.see(nil, 0, m.heard())
	return m
}

func (m *reader) post(text string) {
	m.t.Helper()
	coordtest.Call(m.alice, tool.PostToThread, tool.PostToThreadIn{ThreadID: m.thread, Content: text})
}

// step lets the reader come back once, by a hook or a call, and perhaps loses
// somebody on the way.
func (m *reader) step() {
	m.t.Helper()
	f := survives
	switch n := m.rng.IntN(100); {
	case n < 8:
		f = hubDies
	case n < 40:
		f = itDies
	}
	if m.rng.IntN(2) == 0 {
		m.hook(f)
	} else {
		m.call(f)
	}
}

// soon is a moment within a delivery.
func (m *reader) soon() time.Duration { return time.Duration(m.rng.IntN(25_000)) * time.Microsecond }

// lose runs a delivery and kills at a random moment of it; it returns when both
// are over.
func (m *reader) lose(victim string, kill func() error, deliver func()) {
	m.t.Helper()
	if kill == nil {
		deliver()
		return
	}
	m.kills[victim]++
	m.killed++
	done := make(chan error, 1)
	timer := time.AfterFunc(m.soon(), func() { done <- kill() })
	deliver()
	if timer.Stop() { // it was quicker
		done <- kill()
	}
	if err := <-done; err != nil {
		m.t.Fatalf("kill %s: %v", victim, err)
	}
}

func (m *reader) killHub() error {
	_, err := m.home.TryKillHub()
	return err
}

// hook lets a tool call that did nothing of note end.
func (m *reader) hook(f fate) {
	m.t.Helper()
	confirmed, killed := m.confirmed(), m.killed
	cmd := m.bob.Command("post-tool")
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = strings.NewReader(m.bob.Payload("post_read", coordtest.Fill{"file": "README.md"})), &out
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	var exit *exec.ExitError
	wait := func() {
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			m.t.Fatal(err)
		}
	}
	victim, kill := "", (func() error)(nil)
	switch f {
	case hubDies:
		victim, kill = "hub", m.killHub
	case itDies:
		victim, kill = "hook", func() error {
			if err := cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
				return err
			}
			return nil
		}
	}
	m.lose(victim, kill, wait)
	m.see(confirmed, killed, told(m.t, m.inbox(), out.String()))
}

// call makes a tool call, in whose answer news rides along or is asked for.
func (m *reader) call(f fate) {
	m.t.Helper()
	confirmed, killed := m.confirmed(), m.killed
	name := tool.CoordinatorStatus.Name
	if m.rng.IntN(2) == 0 {
		name = tool.GetQueuedMessages.Name
	}
	victim, kill := "", (func() error)(nil)
	switch f {
	case hubDies:
		victim, kill = "hub", m.killHub
	case itDies:
		victim, kill = "shim", m.shim.Kill
	}
	m.lose(victim, kill, func() {
		ctx, cancel := context.WithTimeout(m.t.Context(), patienceOfKills)
		defer cancel()
		if _, err := m.shim.Raw(ctx, name, map[string]any{}); err != nil && f == survives {
			m.t.Fatalf("%s: %v", name, err)
		}
	})
	m.see(confirmed, killed, m.heard())
	if f == itDies {
		<-m.shim.Exited()
		m.shim, m.given = m.bob.Shim(), 0
	}
}

// heard is what the answers of bob's shim have brought since the last look.
func (m *reader) heard() (out []showing) {
	for _, e := range m.shim.Heard()[m.given:] {
		out = append(out, showing{e.Seq, e.Again})
		m.given++
	}
	return out
}

// showing is an event as the model sees it.
type showing struct {
	seq   coord.Seq
	again bool
}

// newsLine is a line of news in a hook's context: one event, or a run of them.
var newsLine = regexp.MustCompile(`^- E-(\d+)(?:–E-(\d+))? .*? ago[^:]*?(, said before)?: `)

// told reads the news in what a hook has printed. A run stands for all events of
// the inbox between its ends.
func told(t *testing.T, inbox []coord.Seq, printed string) (out []showing) {
	t.Helper()
	for _, line := range strings.Split(strings.ReplaceAll(printed, `\n`, "\n"), "\n") {
		g := newsLine.FindStringSubmatch(line)
		if g == nil {
			continue
		}
		first, _ := strconv.ParseInt(g[1], 10, 64) // digits
		last := first
		if g[2] != "" {
			last, _ = strconv.ParseInt(g[2], 10, 64)
		}
		for _, seq := range inbox {
			if coord.Seq(first) <= seq && seq <= coord.Seq(last) {
				out = append(out, showing{seq, g[3] != ""})
			}
		}
	}
	return out
}

// see checks what the model is shown against the promise; killed is how many had
// been killed when the delivery began.
func (m *reader) see(confirmed map[coord.Seq]bool, killed int, events []showing) {
	m.t.Helper()
	for _, e := range events {
		kills, before := m.shown[e.seq]
		switch {
		case confirmed[e.seq]:
			m.t.Errorf("event %d is shown again although it was confirmed", e.seq)
		case before && !e.again:
			m.t.Errorf("event %d is shown again without saying so", e.seq)
		case before && kills == m.killed:
			m.t.Errorf("event %d is shown again although nobody was killed since", e.seq)
		case !before && e.seq < m.newest:
			m.t.Errorf("event %d comes after %d", e.seq, m.newest)
		}
		if before {
			m.repeats++
		}
		m.shown[e.seq], m.newest = killed, max(m.newest, e.seq)
	}
}

// rows reads bob's inbox in the database, in order.
func (m *reader) rows(where string) (out []coord.Seq) {
	m.t.Helper()
	rows, err := m.db.QueryContext(m.t.Context(), "SELECT seq FROM inbox WHERE agent = ? AND "+where+" ORDER BY seq", string(m.id))
	if err != nil {
		m.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq coord.Seq
		if err := rows.Scan(&seq); err != nil {
			m.t.Fatal(err)
		}
		out = append(out, seq)
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	return out
}

// unread picks what no receipt says was read.
const unread = "state <> 'seen'"

func (m *reader) inbox() []coord.Seq { return m.rows("true") }

// confirmed are the events that have been read, as the hub's receipts say.
func (m *reader) confirmed() map[coord.Seq]bool {
	out := map[coord.Seq]bool{}
	for _, seq := range m.rows("state = 'seen'") {
		out[seq] = true
	}
	return out
}

// left counts the events that the model has not been shown.
func (m *reader) left() int {
	return len(slices.DeleteFunc(m.inbox(), func(seq coord.Seq) bool { _, shown := m.shown[seq]; return shown }))
}

func (m *reader) check() {
	m.t.Helper()
	inbox := m.inbox()
	m.t.Logf("%d events; killed: %v; %d came again", len(inbox), m.kills, m.repeats)
	if n := m.left(); n > 0 {
		m.t.Errorf("%d of %d events were lost", n, len(inbox))
	}
	if seqs := m.rows(unread); len(seqs) > 0 {
		m.t.Errorf("the receipts of %d say that they were not read", seqs)
	}
	const batch = 50 // events that an answer brings at most
	if m.repeats > m.killed*batch {
		m.t.Errorf("%d came again, after %d kills", m.repeats, m.killed)
	}
}
