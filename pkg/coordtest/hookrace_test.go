package coordtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
)

// racer is a session whose hooks are sent to a hub's socket directly.
type racer struct {
	http *http.Client
	name string
}

func newRacer(socket, name string) *racer {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &racer{name: name, http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// hook sends one hook about a file, "" = none; what the hub wants looked at first
// is not known.
func (r *racer) hook(event coord.HookEvent, file string) (answer coord.HookAnswer, err error) {
	const project, tree = "example.com/shop", "racers:/shop"
	call := coord.HookCall{Session: coord.SessionID(r.name), Host: "racers", Project: project, Workspace: tree, Label: r.name}
	if file != "" {
		p, err := coord.ParsePath(file)
		if err != nil {
			return answer, err
		}
		call.Tool, call.Files = coord.EditTool, []coord.HookFile{{Path: p, Project: project, Workspace: tree}}
	}
	for range 2 {
		if answer, err = r.send(event, call); err != nil || len(answer.Check) == 0 {
			break
		}
		for _, d := range answer.Check {
			call.Checked = append(call.Checked, coord.Finding{Doubt: d})
		}
	}
	return answer, err
}

func (r *racer) send(event coord.HookEvent, call coord.HookCall) (answer coord.HookAnswer, err error) {
	body, err := json.Marshal(call)
	if err != nil {
		return answer, err
	}
	req, err := http.NewRequest(http.MethodPost, "http://localhost/api/hooks/claude/"+string(event), bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Coord-Session", r.name)
	res, err := r.http.Do(req)
	if err != nil {
		return answer, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("%s: %s: %s: %w", event, res.Status, raw, err)
	}
	return answer, json.Unmarshal(raw, &answer)
}

// Two sessions ask for one path at the same instant, again and again: exactly
// one may write.
func TestOfTwoSimultaneousEditsExactlyOneIsLetThrough(t *testing.T) {
	t.Parallel()
	const (
		trials = 1000
		pairs  = 5 // see TestOfTwoSimultaneousAnnouncementsExactlyOneIsClear
	)
	home, repo := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	home.Agent("first", repo.Dir).Status() // it starts the hub
	var all [pairs][2]*racer
	for i := range all {
		for j := range all[i] {
			all[i][j] = newRacer(home.Hub().Socket, fmt.Sprintf("racer-%d-%d", i, j))
		}
	}
	wins := map[string]int{}
	for trial := range trials {
		two := all[trial%pairs]
		file := fmt.Sprintf("src/trial%04d.go", trial)
		var answers [2]coord.HookAnswer
		if err := together(2, func(i int) (err error) {
			answers[i], err = two[i].hook(coord.HookBeforeTool, file)
			return err
		}); err != nil {
			t.Fatalf("trial %d: %v", trial, err)
		}
		if answers[0].Refused == answers[1].Refused {
			t.Fatalf("trial %d: not one winner: %+v and %+v", trial, answers[0], answers[1])
		}
		winner, loser := two[0], two[1]
		if answers[0].Refused {
			winner, loser = loser, winner
		}
		wins[winner.name]++
		// The winner's turn ends, the loser writes, and its turn ends too: nobody
		// waits for anybody when the next trial begins.
		for _, step := range []struct {
			who   *racer
			event coord.HookEvent
			file  string
		}{{winner, coord.HookPrompt, ""}, {loser, coord.HookBeforeTool, file}, {loser, coord.HookPrompt, ""}} {
			answer, err := step.who.hook(step.event, step.file)
			if err != nil || answer.Refused {
				t.Fatalf("trial %d: %s of %s: %+v, %v", trial, step.event, step.who.name, answer, err)
			}
		}
	}
	t.Logf("who won: %v", wins)
}

// hookStage answers hooks of sessions inside the test process.
type hookStage struct {
	t *testing.T
	*coordtest.InProcess
}

func (s hookStage) hook(name string, event coord.HookEvent, args coordtest.HookArgs) coord.HookAnswer {
	s.t.Helper()
	raw, err := s.Hook(name, event, args)
	if err != nil {
		s.t.Fatalf("%s: %s: %v", name, event, err)
	}
	var answer coord.HookAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// client brings on a session, in a turn.
func (s hookStage) client(name string, pid int) {
	s.t.Helper()
	s.Client(name, coordtest.Role{Project: "example.com/shop", Workspace: "main", Client: "claude-code", Label: name, Session: "session-" + name,
		Process: coord.Process{PID: pid, Start: 7}})
	s.hook(name, coord.HookSessionStart, coordtest.HookArgs{Source: "startup"})
	s.hook(name, coord.HookPrompt, coordtest.HookArgs{})
}

func editOf(name string) coordtest.HookArgs {
	p, err := coord.ParsePath(name)
	if err != nil {
		panic(err)
	}
	return coordtest.HookArgs{Tool: coord.EditTool, Files: []coord.Path{p}}
}

func TestFiftyWaitersAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiters = 50
		s := hookStage{t, coordtest.NewInProcess(t)}
		edit := editOf("x")
		s.client("holder", 99)
		s.hook("holder", coord.HookBeforeTool, edit)
		s.hook("holder", coord.HookAfterTool, edit)
		var names []string
		for i := range waiters {
			name := fmt.Sprintf("waiter-%02d", i)
			names = append(names, name)
			s.client(name, 100+i)
			place := "next in line"
			if i > 0 {
				place = fmt.Sprintf("behind %d other", i)
			}
			if a := s.hook(name, coord.HookBeforeTool, edit); !a.Refused || !strings.Contains(a.Reason, place) {
				t.Fatalf("%s: %+v, want a refusal with the place %q", name, a, place)
			}
		}
		before := "holder"
		for i, next := range names {
			s.hook(before, coord.HookIdle, coordtest.HookArgs{}) // its turn is over
			if last := names[waiters-1]; i < waiters-1 {
				if a := s.hook(last, coord.HookBeforeTool, edit); !a.Refused || !strings.Contains(a.Reason, next) {
					t.Fatalf("%s while the path is kept for %s: %+v", last, next, a)
				}
			}
			if a := s.hook(next, coord.HookAfterTool, coordtest.HookArgs{}); !strings.Contains(a.Context, "is free for you") {
				t.Fatalf("%s is told %+v, want that it is next", next, a)
			}
			if a := s.hook(next, coord.HookBeforeTool, edit); a.Refused {
				t.Fatalf("%s, whose turn it is, is refused: %s", next, a.Reason)
			}
			s.hook(next, coord.HookAfterTool, edit)
			before = next
		}
	})
}

func TestAnHourOfDisjointWorkByHooksSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hookStage{t, coordtest.NewInProcess(t)}
		names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		for i, name := range names {
			s.client(name, 100+i)
		}
		said := 0
		quiet := func(name string, event coord.HookEvent, args coordtest.HookArgs) {
			raw, err := s.Hook(name, event, args)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, event, err)
			}
			if string(raw) != "{}" {
				said++
				t.Errorf("%s: %s: %s, want silence", name, event, raw)
			}
		}
		for minute := range 60 {
			for _, name := range names {
				mine := editOf(fmt.Sprintf("%s/file%d.go", name, minute%7))
				shell := mine
				shell.Tool = coord.ShellTool
				quiet(name, coord.HookPrompt, coordtest.HookArgs{})
				quiet(name, coord.HookAfterTool, coordtest.HookArgs{Reads: append(editOf("shared/api.go").Files, mine.Files...)})
				quiet(name, coord.HookBeforeTool, mine)
				quiet(name, coord.HookAfterTool, mine)
				sub := mine
				sub.Subagent = "sub-1"
				sub.Files = editOf(name + "/sub.go").Files
				quiet(name, coord.HookBeforeTool, sub)
				quiet(name, coord.HookAfterTool, sub)
				quiet(name, coord.HookSubagentStop, coordtest.HookArgs{Subagent: "sub-1"})
				quiet(name, coord.HookBeforeTool, shell)
				quiet(name, coord.HookAfterTool, shell)
				if minute%5 == 4 {
					quiet(name, coord.HookStop, coordtest.HookArgs{})
				}
				if said > 5 {
					t.FailNow()
				}
			}
			time.Sleep(time.Minute)
		}
	})
}
