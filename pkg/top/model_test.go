package top_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/top"
)

var update = flag.Bool("update", false, "write the screens anew")

// noon is the moment of all these tests.
func noon() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

func before(d time.Duration) coord.Millis { return coord.At(noon().Add(-d)) }

// stage is a Model and what it was asked to load.
type stage struct {
	t *testing.T
	*top.Model
	threads map[coord.ThreadID]tool.ThreadView
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, threads: map[coord.ThreadID]tool.ThreadView{}}
	s.Model = top.NewModel(func(id coord.ThreadID) (tool.ThreadView, error) {
		v, ok := s.threads[id]
		if !ok {
			return v, errors.New("no such thread")
		}
		return v, nil
	}, noon(), time.UTC)
	return s
}

// send gives the model a message, and what the command it answers with brings.
func (s *stage) send(msgs ...tea.Msg) {
	for _, msg := range msgs {
		_, cmd := s.Update(msg)
		if _, isTick := msg.(top.Tick); cmd != nil && !isTick {
			s.send(cmd())
		}
	}
}

func (s *stage) keys(names ...string) {
	special := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "down": tea.KeyDown, "up": tea.KeyUp, "backspace": tea.KeyBackspace}
	for _, name := range names {
		k := tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
		if code, ok := special[name]; ok {
			k = tea.KeyPressMsg{Code: code}
		}
		s.send(k)
	}
}

// screen is what is shown, without colours.
func (s *stage) screen() string { return ansi.Strip(s.Screen()) }

func (s *stage) has(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.screen(), text) {
			s.t.Errorf("the screen does not show %q:\n%s", text, s.screen())
		}
	}
}

func (s *stage) hasNot(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.screen(), text) {
			s.t.Errorf("the screen shows %q:\n%s", text, s.screen())
		}
	}
}

func ref(name string) tool.AgentRef {
	return tool.AgentRef{ID: coord.AgentID("a-" + name), Name: name}
}

func path(t *testing.T, name string) coord.Path {
	t.Helper()
	p, err := coord.ParsePath(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const shop, docs coord.ProjectID = "example.org/mia/shop", "example.org/mia/docs"

// busyDay is an overview with everything in it.
func busyDay(t *testing.T) tool.OverviewOut {
	agent := func(name string, project coord.ProjectID, is tool.Activity, since time.Duration) tool.AgentLine {
		return tool.AgentLine{AgentView: tool.AgentView{ID: ref(name).ID, Name: name, Status: coord.Online, Activity: is, Client: "claude-code"}, Project: project, Since: before(since)}
	}
	alice, bob := agent("alice", shop, "working", 12*time.Second), agent("bob", shop, "waiting", 80*time.Second)
	alice.CurrentFile, bob.ThreadID = path(t, "src/models/user.ts"), "T-3"
	carol, dora, eve := agent("carol", shop, "waiting", 4*time.Minute), agent("dora", docs, "idle", 3*time.Hour), agent("eve", docs, "", 50*time.Hour)
	dora.LastAction, eve.Status = "wrote the guide", coord.Offline
	user := path(t, "src/models/user.ts")
	row := func(id coord.ThreadID, subject string, status coord.ThreadStatus, how coord.Resolution, by, with string) tool.ThreadLine {
		return tool.ThreadLine{Project: shop, Category: coord.Concerned, Layer: coord.LayerSameFile, Awaiting: []tool.AgentRef{},
			ThreadRow: tool.ThreadRow{ThreadID: id, Subject: subject, Status: status, Type: how, Initiator: ref(by), Respondents: []tool.AgentRef{ref(with)},
				Files: []coord.Path{user}, Score: 100, Round: 1, Created: before(2 * time.Minute)}}
	}
	open, resolving, done, lapsed := row("T-3", "Add an email column", coord.ThreadOpen, "", "bob", "alice"), row("T-4", "Rename the order service", coord.ThreadResolving, "", "carol", "alice"),
		row("T-2", "Move the session store", coord.ThreadResolved, coord.Consensus, "alice", "carol"), row("T-1", "Sort imports", coord.ThreadExpired, "", "eve", "dora")
	open.Deadline, open.Awaiting = before(-8*time.Minute-5*time.Second), []tool.AgentRef{ref("alice")}
	resolving.Deadline, resolving.Round, resolving.Awaiting = before(-42*time.Second), 2, []tool.AgentRef{ref("alice")}
	resolving.Proposal = &tool.ProposalView{Number: 2, By: ref("carol"), Summary: "carol first"}
	done.Ended, lapsed.Ended, lapsed.Project = before(5*time.Minute), before(3*time.Hour), docs
	return tool.OverviewOut{
		Hub:      tool.HubStatus{Version: "0.3.0", Started: before(2*time.Hour + 5*time.Minute)},
		Projects: []tool.ProjectLine{{ID: docs, Online: 1}, {ID: shop, Online: 3}},
		Agents:   []tool.AgentLine{alice, bob, carol, dora, eve},
		Threads:  []tool.ThreadLine{resolving, open, done, lapsed},
		Leases: []tool.LeaseLine{
			{ID: "L-1", Project: shop, Path: user, Holder: ref("alice"), Touched: before(12 * time.Second), Held: true,
				Waiting: []tool.WaitLine{{Agent: ref("carol"), Since: before(4 * time.Minute), Reserved: before(-42 * time.Second)}, {Agent: ref("bob"), Since: before(80 * time.Second)}}},
			{ID: "L-2", Project: docs, Path: path(t, "guide/a/very/long/way/down/to/the/file/that/is/meant/getting-started.md"), Holder: ref("dora"), Touched: before(3 * time.Hour)},
		},
		Files: []tool.FileLine{
			{Project: shop, HotFile: tool.HotFile{Path: user, Agents: []tool.AgentRef{ref("alice"), ref("bob")}, Edits: 12}},
			{Project: docs, HotFile: tool.HotFile{Path: path(t, "guide/index.md"), Agents: []tool.AgentRef{ref("dora")}, Edits: 1}},
		},
	}
}

func event(seq coord.Seq, kind coord.EventKind, actor coord.AgentID, thread coord.ThreadID, payload any) top.News {
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(err) // values of this test
	}
	return top.News{Event: coord.Event{Seq: seq, Kind: kind, Project: shop, Actor: actor, Thread: thread, Time: before(time.Duration(100-seq) * time.Second), Payload: raw}}
}

// busy is a stage that shows everything.
func busy(t *testing.T) *stage {
	s := newStage(t)
	s.send(top.Live{}, top.State{Overview: busyDay(t)},
		top.Costs{Quota: []coord.QuotaUse{{Bucket: coord.QuotaFiveHour, Utilization: 42}, {Bucket: coord.QuotaSevenDay, Utilization: 97}}, Tokens: &top.Tokens{Input: 1_200_000, Output: 90_400, Cost: 4.956, Priced: true}},
		event(1, coord.KindAnnounced, "a-alice", "", coord.Announced{Subject: "Split the user model", TargetFiles: []string{"src/models/user.ts"}}),
		event(2, coord.KindThreadOpened, "a-bob", "T-3", coord.ThreadOpened{Subject: "Add an email column"}),
		event(3, coord.KindMessagePosted, "a-bob", "T-3", coord.MessagePosted{Type: coord.QuestionMessage, Content: "May I add\nthe column first?"}),
		event(4, coord.KindFileEdited, "a-alice", "", coord.FileTouched{Path: path(t, "src/models/user.ts")}),
		event(5, coord.KindFileReleased, "human:mia", "", coord.FileTouched{Path: path(t, "db/schema.sql"), Agent: ref("carol").ID, Name: "carol"}))
	return s
}

func TestScreens(t *testing.T) {
	conversation := func(s *stage) {
		s.threads["T-4"] = tool.ThreadView{ThreadID: "T-4", Subject: "Rename the order service", Status: coord.ThreadResolving, Initiator: ref("carol"), Respondents: []tool.AgentRef{ref("alice")},
			Round: 2, Deadline: before(-42 * time.Second), Proposal: &tool.ProposalView{Number: 2, By: ref("carol"), Summary: "carol first", Awaiting: []tool.AgentRef{ref("alice")}},
			Messages: []tool.MessageView{{Author: ref("carol"), Type: coord.ContextMessage, Content: "I rename it in one go, it will take ten minutes and touch every caller there is.", Time: before(time.Minute)},
				{Author: ref("alice"), Type: coord.WarningMessage, Content: "Mind the migration:\n\tdb/schema.sql", Time: before(30 * time.Second)}}}
		s.keys("enter")
	}
	for _, c := range []struct {
		name          string
		width, height int
		do            func(*stage)
	}{
		{"120x40", 120, 40, nil}, {"80x24", 80, 24, nil}, {"40x24", 40, 24, nil}, {"30x8", 30, 8, nil},
		{"conversation-80x24", 80, 24, conversation}, {"conversation-40x20", 40, 20, conversation},
		{"help-80x24", 80, 24, func(s *stage) { s.keys("?") }},
		{"project-80x24", 80, 24, func(s *stage) { s.keys("p") }},
		{"search-80x24", 80, 24, func(s *stage) { s.keys("/", "u", "s", "e", "r") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := busy(t)
			s.send(tea.WindowSizeMsg{Width: c.width, Height: c.height})
			if c.do != nil {
				c.do(s)
			}
			var got strings.Builder
			for l := range strings.SplitSeq(s.screen(), "\n") {
				got.WriteString(strings.TrimRight(l, " ") + "\n")
				if n := ansi.StringWidth(l); n > c.width {
					t.Errorf("a line of %d columns: %q", n, l)
				}
			}
			if n := strings.Count(got.String(), "\n"); n != c.height {
				t.Errorf("%d lines, want %d", n, c.height)
			}
			file := filepath.Join("testdata", c.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file) // #nosec G304 -- of this test
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

// Whatever the size, the screen has it, and nothing panics.
func TestAnySizeIsKept(t *testing.T) {
	for _, width := range []int{1, 7, 20, 39, 60, 99, 100, 130} {
		for _, height := range []int{1, 5, 12, 24} {
			s := busy(t)
			s.send(tea.WindowSizeMsg{Width: width, Height: height})
			for _, key := range []string{"", "tab", "down", "G", "?", "esc", "enter", "down", "esc"} {
				if key != "" {
					s.keys(key)
				}
				for l := range strings.SplitSeq(s.screen(), "\n") {
					if n := ansi.StringWidth(l); n > width {
						t.Fatalf("%d×%d after %q: a line of %d columns: %q", width, height, key, n, l)
					}
				}
			}
		}
	}
}

func TestCountdownsAndTimesGoOnByThemselves(t *testing.T) {
	s := busy(t)
	s.has("8:05", "0:42")
	s.send(top.Tick{Now: noon().Add(45 * time.Second)})
	s.has("7:20", "0:00")
}

func TestALostHubIsSaidAndWhatWasKnownStays(t *testing.T) {
	s := newStage(t)
	s.has("connecting")
	s.send(top.Lost{Err: coord.Errorf(coord.Unavailable, "", "no socket"), At: noon()})
	s.has("no hub; waiting", "coord-hub start")
	s = busy(t)
	s.send(tea.WindowSizeMsg{Width: 120, Height: 40}, top.Lost{Err: errors.New("eof"), At: noon()}, top.Tick{Now: noon().Add(7 * time.Second)}, top.Lost{Err: errors.New("eof"), At: noon().Add(7 * time.Second)})
	s.has("no hub; waiting 7s", "this is of 12:00:00", "alice", "Add an email column")
	s.send(top.Live{})
	s.has("● live")
	s.hasNot("no hub")
}

func TestARestoredLogForgetsTheEvents(t *testing.T) {
	s := busy(t)
	s.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	s.has("mia (a person) frees db/schema.sql")
	s.send(top.Live{Forget: true})
	s.hasNot("mia (a person) frees")
}

func TestProjectsAreShownOneByOne(t *testing.T) {
	s := busy(t)
	s.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	s.keys("p") // docs
	s.has("dora", "project mia/docs")
	s.hasNot("alice", "T-3")
	s.keys("p") // shop
	s.has("alice", "T-3")
	s.hasNot("dora")
	s.keys("p") // all
	s.has("alice", "dora")
}

// Who was told that a file is free does not wait for it any more.
func TestToldIsNotWaiting(t *testing.T) {
	s, day := busy(t), busyDay(t)
	for i := range day.Leases[0].Waiting {
		w := &day.Leases[0].Waiting[i]
		w.Reserved, w.Told = 0, before(time.Minute)
	}
	s.send(top.State{Overview: day}, tea.WindowSizeMsg{Width: 120, Height: 40})
	s.has("in line: 1 carol told it is free")
	s.hasNot("waits for alice  src/models", "wanted")
}

func TestSearchKeepsWhatMatches(t *testing.T) {
	s := busy(t)
	s.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	s.keys("/", "E", "m", "a", "i", "l", "x", "backspace", "enter")
	s.has("T-3 Add an email column", "bob opens a consultation", "/Email")
	s.hasNot("T-4 Rename", "mia (a person) frees")
	s.keys("esc")
	s.has("T-4 Rename", "mia (a person) frees")
}

func TestTheChosenRowStaysChosen(t *testing.T) {
	s := busy(t)
	s.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	s.has("▌ T-4 Rename")
	s.keys("j")
	s.has("▌ T-3 Add")
	o := busyDay(t)
	o.Threads[1].Deadline = before(-time.Second) // now it comes first
	s.send(top.State{Overview: o})
	s.has("▌ T-3 Add")
	s.keys("tab")
	s.has("▌ 11:58:25 mia (a person) frees")
	s.hasNot("▌ T-3")
}

func TestAConversationFollowsItsThread(t *testing.T) {
	s := busy(t)
	view := tool.ThreadView{ThreadID: "T-4", Subject: "Rename the order service", Status: coord.ThreadOpen}
	s.threads["T-4"] = view
	s.keys("enter")
	s.has("Nobody has said anything yet.")
	for i := range 40 {
		view.Messages = append(view.Messages, tool.MessageView{Author: ref("carol"), Content: fmt.Sprint("line ", i), Time: before(0)})
	}
	s.threads["T-4"] = view
	s.send(event(9, coord.KindMessagePosted, "a-carol", "T-4", coord.MessagePosted{Content: "line 39"}))
	s.has("line 39")
	s.hasNot("line 0\n")
	s.keys("g")
	s.has("line 0")
	s.hasNot("line 39")
	s.keys("esc")
	s.has("CONSULTATIONS")
	s.keys("j", "enter")
	s.has("It cannot be read: no such thread")
}

// A peer's text must not move the cursor, colour the screen or break its lines.
func TestPeerTextIsHarmless(t *testing.T) {
	const evil = "\x1b[2Jred\x1b]0;title\x07\r\n\u202eabc\u200b\t\x9b31m"
	s := busy(t)
	o := busyDay(t)
	o.Agents[0].Name, o.Agents[3].LastAction, o.Agents[0].Branch = evil, evil, evil
	o.Projects[0].ID, o.Hub.Version = evil, evil
	o.Threads[0].Subject, o.Threads[0].Initiator.Name, o.Threads[0].Awaiting[0].Name = evil, evil, evil
	o.Leases[0].Holder.Name, o.Leases[0].Waiting[0].Agent.Name, o.Files[0].Agents[0].Name = evil, evil, evil
	s.threads["T-4"] = tool.ThreadView{ThreadID: "T-4", Subject: evil, Summary: evil, Status: coord.ThreadResolved, Initiator: tool.AgentRef{Name: evil},
		Proposal: &tool.ProposalView{Summary: evil}, Messages: []tool.MessageView{{Author: tool.AgentRef{Name: evil}, Content: evil, Type: evil}}}
	s.send(tea.WindowSizeMsg{Width: 120, Height: 40}, top.State{Overview: o}, event(9, coord.KindMessagePosted, "x", evil, coord.MessagePosted{Name: evil, Content: evil}),
		event(10, evil, "human:"+evil, "", map[string]string{}))
	check := func() {
		t.Helper()
		if n := strings.Count(s.Screen(), "\n"); n != 39 {
			t.Errorf("%d line ends", n)
		}
		for _, r := range s.screen() {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Fatalf("the screen holds %q", r)
			}
		}
		if strings.Contains(s.Screen(), "\x1b[2J") || strings.Contains(s.Screen(), "\x1b]") {
			t.Error("a peer's escape sequence reaches the terminal")
		}
	}
	check()
	s.keys("p")
	check()
	s.keys("p", "p", "enter")
	s.has("[2Jred")
	check()
}
