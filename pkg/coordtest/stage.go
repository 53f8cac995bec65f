package coordtest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Stage is an arrangement of programs that a scenario is played on: rules alone,
// rules behind HTTP, shims beside them, real processes. Its methods are called
// from one goroutine. A stage is cleared away with its test.
type Stage interface {
	// Join brings an agent on; two names may turn out to be one agent.
	Join(name string, as Role) error
	// ID is the agent id of a name, "" when nobody joined under it.
	ID(name string) coord.AgentID
	// Call runs an operation as the agent. A refusal is an error.
	Call(name, op string, args json.RawMessage) (json.RawMessage, error)
	// Next gives the next event of the agent's inbox; false when there is none.
	Next(name string) (coord.Event, bool, error)
	// Leave ends the agent's session as its client does.
	Leave(name string) error
	// Restart stops the hub and starts it again on its database.
	Restart() error
	// Settle waits until what a step has started is done, as far as the
	// arrangement can tell.
	Settle()
}

// counted is a stage whose hub has given ids before: T-1 of the scenario is
// another number there.
type counted interface {
	Number(letter string, n int) int
}

// breakable is a stage on which connections can break and programs die.
type breakable interface {
	Lose(name string) error
	Find(name string) error
	Kill(name string) error
}

// sleepy is a stage whose machine can be put to sleep.
type sleepy interface{ Sleep(d time.Duration) }

// hooked is a stage that takes hooks of clients.
type hooked interface {
	// Client brings on a session that no shim speaks for.
	Client(name string, as Role)
	// Hook runs a hook of a session and gives the hub's answer.
	Hook(name string, event coord.HookEvent, args HookArgs) (json.RawMessage, error)
}

// Role is who joins, from where. The zero Process, Session and Client are those
// of the arrangement.
type Role struct {
	Project   string
	Found     bool   // the project is what git said, not the user's word
	Workspace string // name of a working tree
	Process   coord.Process
	Session   string
	Client    string
	Label     string // "" = the name
	Hooks     bool   // only hooks speak for it: no shim, and so no inbox connection
}

// settings are what a role can be given as key=value.
var settings = map[string]func(r *Role, value string) error{
	"project":   func(r *Role, v string) error { r.Project = v; return nil },
	"found":     func(r *Role, v string) error { r.Project, r.Found = v, true; return nil },
	"workspace": func(r *Role, v string) error { r.Workspace = v; return nil },
	"session":   func(r *Role, v string) error { r.Session = v; return nil },
	"client":    func(r *Role, v string) error { r.Client = v; return nil },
	"label":     func(r *Role, v string) error { r.Label = v; return nil },
	"pid": func(r *Role, v string) (err error) {
		r.Process.PID, err = strconv.Atoi(v)
		return err
	},
	"start": func(r *Role, v string) (err error) {
		r.Process.Start, err = strconv.ParseInt(v, 10, 64)
		return err
	},
	"door": func(r *Role, v string) error {
		if v != "shim" && v != "hooks" {
			return fmt.Errorf("a door is shim or hooks, not %q", v)
		}
		r.Hooks = v == "hooks"
		return nil
	},
}

// need is what a scenario asks of its stage beyond calls and news.
type need string

// Why a scenario is not for every arrangement.
const (
	needsClock  need = "a clock that can be moved"
	needsBreaks need = "connections and programs that break on command"
	needsHidden need = "operations that no tool offers"
	needsHooks  need = "hooks that nobody's program runs"
	needsRoles  need = "a client's pid, session or name of the scenario's choice"
)

// marks tell a need by the lines of a script.
var marks = []struct {
	need need
	line *regexp.Regexp
}{
	{needsClock, regexp.MustCompile(`(?m)^(clock|sleep) |"timeout_seconds"`)},
	{needsBreaks, regexp.MustCompile(`(?m)^(lose|find|kill) `)},
	{needsHidden, regexp.MustCompile(`(?m)^\w+ (acquire|edited|turn|release|sync|watch)\b|"expansions"`)},
	{needsHooks, regexp.MustCompile(`(?m)^(client|hook) `)},
	{needsRoles, regexp.MustCompile(`(?m)^agent .*\b(pid|start|session|client|door|label|found)=`)},
}

// needs lists what a script asks for.
func needs(script string) []need {
	var out []need
	for _, m := range marks {
		if m.line.MatchString(script) {
			out = append(out, m.need)
		}
	}
	return out
}

// arrangement is one way to put the programs together.
type arrangement struct {
	name string
	can  []need
	fake bool // time stands still until the play moves it

	// open is called once with the test of the arrangement, what it gives once
	// with the test of each scenario.
	open func(testing.TB) func(testing.TB) (Stage, error)
}

// afresh is for arrangements that share nothing among scenarios.
func afresh(open func(testing.TB) (Stage, error)) func(testing.TB) func(testing.TB) (Stage, error) {
	return func(testing.TB) func(testing.TB) (Stage, error) { return open }
}

// arrangements is every way in which scenarios are played.
func arrangements() []arrangement {
	all := []need{needsClock, needsBreaks, needsHidden, needsHooks, needsRoles}
	return []arrangement{
		{"rules", all, true, afresh(func(t testing.TB) (Stage, error) { return NewInProcess(t), nil })},
		{"http", all, true, afresh(openWire)},
		{"daemon", []need{needsHidden, needsRoles}, false, afresh(openDaemon)},
		{"shims", nil, false, afresh(openShims)},
		{"processes", nil, false, openCompany},
	}
}

// ArrangementNames lists the ways in which scenarios are played.
func ArrangementNames() []string {
	var out []string
	for _, a := range arrangements() {
		out = append(out, a.name)
	}
	return out
}

// plays reports whether the arrangement can play a script.
func (a arrangement) plays(script string) bool {
	return !slices.ContainsFunc(needs(script), func(n need) bool { return !slices.Contains(a.can, n) })
}
