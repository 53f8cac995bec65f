package coordtest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest"
	"github.com/coordhq/coord/pkg/coordtest/machine"
	"github.com/coordhq/coord/pkg/tool"
)

// watch is a curl that follows GET /api/events.
type watch struct {
	t     *testing.T
	lines *bufio.Reader
}

// follow runs a command that follows the stream, until the end of the test, and
// returns once the hub has said hello.
func follow(t *testing.T, cmd *exec.Cmd) *watch {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := &watch{t, bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it follows for ever
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	w.until("hello", func(name, _ string) bool { return name == "hello" })
	return w
}

// curl prepares curl as the documentation calls it.
func curl(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("curl")
	machine.Has(t, err == nil, "curl")
	return exec.Command(program, append([]string{"-sN", "--max-time", "60"}, args...)...) // #nosec G204 -- looked up above
}

// next reads a message: its name, empty for an event of the log, and its data.
func (w *watch) next() (name, data string, err error) {
	for {
		line, err := w.lines.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		switch {
		case field == "event":
			name = value
		case field == "data":
			data = value
		case line == "\n" && data != "":
			return name, data, nil
		}
	}
}

// until gives the first message that is wanted, and all data up to there.
func (w *watch) until(what string, wanted func(name, data string) bool) (all []string) {
	w.t.Helper()
	for {
		name, data, err := w.next()
		if err != nil {
			w.t.Fatalf("the stream ends (%v) before %s, after %q", err, what, all)
		}
		all = append(all, data)
		if wanted(name, data) {
			return all
		}
	}
}

// The line of the documentation, as it stands there, shows a consultation from
// its opening to its end.
func TestCurlAloneFollowsAConsultation(t *testing.T) {
	text, err := os.ReadFile("../../docs/CLIENTS.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^curl -N .*/api/events.*$`).FindString(string(text))
	if line == "" {
		t.Fatal("docs/CLIENTS.md shows no curl that follows the events")
	}
	machine.Has(t, curl(t) != nil, "curl")
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop", "src/user.ts")
	alice, bob := home.Agent("alice", shop.Dir), home.Agent("bob", shop.Dir)
	alice.Announce("src/user.ts")
	line = strings.ReplaceAll(line, "~/.coord/run/hub.sock", home.Hub().Socket)
	w := follow(t, exec.Command("sh", "-c", "exec "+line)) // #nosec G204 -- a line of our documentation

	th := *bob.Announce("src/user.ts").ThreadID
	coordtest.Call(bob, tool.PostToThread, tool.PostToThreadIn{ThreadID: th, Content: "may I go first?"})
	coordtest.Call(bob, tool.ProposeResolution, tool.ProposeResolutionIn{ThreadID: th, Summary: "bob first"})
	coordtest.Call(alice, tool.ApproveResolution, tool.ApproveResolutionIn{ThreadID: th})

	var got []string
	w.until("the resolution", func(_, data string) bool {
		var e struct {
			Kind     string
			ThreadID coord.ThreadID `json:"thread_id"`
			Content  string
			Summary  string
			Status   string
			Type     string
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if e.ThreadID != th {
			t.Errorf("an event of thread %q: %s", e.ThreadID, data)
		}
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(e.Kind, " ", e.Status, " ", e.Type, " ", e.Content, e.Summary)), " "))
		return e.Status == string(coord.ThreadResolved)
	})
	for i, want := range []string{"thread.opened", "may I go first?", "resolving", "bob first", "resolved consensus"} {
		if all := strings.Join(got, "\n"); !strings.Contains(all, want) {
			t.Errorf("part %d, %q, is not in what curl has shown:\n%s", i+1, want, all)
		}
	}
}

// A session's stream ends when the session does, for whoever holds its key.
func TestASessionThatLeavesTakesItsStreamAlong(t *testing.T) {
	home, shop := coordtest.NewHome(t), coordtest.NewRepo(t, "shop")
	alice := home.Agent("alice", shop.Dir)
	ours := project(t, alice)
	c := client.Dial(home.Hub().Socket)
	t.Cleanup(c.Close)
	guest, err := c.Register(t.Context(), coord.Registration{Client: coord.ClientInfo{Name: "rest"}, Project: ours, Workspace: "host:/shop", Host: "host"})
	if err != nil {
		t.Fatal(err)
	}
	events := "http://" + home.Hub().HTTP + "/api/events"
	w := follow(t, curl(t, "-H", "Authorization: Bearer "+string(guest.SessionKey), events))
	user := follow(t, curl(t, "-H", "Authorization: Bearer "+token(t, home), events))
	if out, err := curl(t, "-X", "DELETE", "-H", "Authorization: Bearer "+string(guest.SessionKey), "http://"+home.Hub().HTTP+"/api/sessions").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.until("its end is told", func(name, _ string) bool { return name == "ended" })
	if name, data, err := w.next(); err == nil {
		t.Errorf("after the end comes %q %s", name, data)
	}
	alice.Announce("after.ts")
	user.until("what comes later", func(_, data string) bool { return strings.Contains(data, "after.ts") })
}
