package coordtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/driver"
)

// Scenario is one play: a section of a txtar file.
type Scenario struct {
	File, Name string // of the file without its suffix, of the section
	script     string
}

// Scenarios reads every scenario of the files that the pattern matches. A file
// is a txtar archive; its comment says what it is about, each of its sections
// is a play of its own, on an empty hub. A line is one command, further
// indented lines continue it, # starts a comment, and $alice stands for the
// agent id of alice:
//
//	agent NAME [key=value …]               an agent registers and connects; see below
//	NAME OPERATION {arguments}             a call; the lines below judge its answer
//	expect {json}                          the answer holds at least this
//	refused CODE words                     the call was refused so, the words in its text
//	hears NAME KIND {json}                 the next event in NAME's inbox
//	hears NAME nothing                     there is none
//	client NAME [key=value …]              a client session of which only hooks speak; keys as of agent
//	hook NAME EVENT {arguments}            a hook of an agent's or client's session; the lines below judge its answer
//	clock DURATION                         time passes
//	sleep DURATION                         the machine sleeps: all clocks jump, nothing runs meanwhile
//	lose NAME / find NAME                  NAME's connection breaks, comes back
//	kill NAME                              NAME's client and shim are gone, without a word
//	leave NAME                             NAME's session ends
//	restart                                the hub stops and starts on its database
//
// The keys of agent are project, workspace (the name of a working tree), pid and
// start (of the client's process), session (the client's id of it), client (its
// program), label, and door: shim, or hooks for an agent that no shim speaks for.
//
// In json, an object holds at least the given fields, a list has exactly the
// given entries, and null also stands for a field that is not there.
func Scenarios(t testing.TB, pattern string) []Scenario {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario matches %s (%v)", pattern, err)
	}
	var out []Scenario
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range archive.Files {
			out = append(out, Scenario{strings.TrimSuffix(filepath.Base(file), ".txtar"), section.Name, string(section.Data)})
		}
	}
	return out
}

// Arrangements names the arrangements that can play the scenario, and says what
// keeps the others from it.
func (s Scenario) Arrangements() (names, reasons []string) {
	for _, a := range arrangements() {
		if a.plays(s.script) {
			names = append(names, a.name)
		}
	}
	for _, n := range needs(s.script) {
		reasons = append(reasons, string(n))
	}
	return names, reasons
}

// Play plays scenarios in every arrangement that can, as subtests named
// arrangement/file/scenario.
func Play(t *testing.T, scenarios []Scenario) {
	for _, a := range arrangements() {
		t.Run(a.name, func(t *testing.T) {
			open := a.open(t)
			for _, s := range scenarios {
				if a.plays(s.script) {
					t.Run(s.File+"/"+s.Name, func(t *testing.T) { a.play(t, open, s.script) })
				}
			}
		})
	}
}

func (a arrangement) play(t *testing.T, open func(testing.TB) (Stage, error), script string) {
	perform := func(t *testing.T) {
		stage, err := open(t)
		if err != nil {
			t.Fatalf("set the stage: %v", err)
		}
		p := &play{Stage: stage, t: t}
		p.run(script)
	}
	if a.fake {
		synctest.Test(t, perform)
		return
	}
	perform(t)
}

// play is one running scenario.
type play struct {
	Stage
	t      *testing.T
	called string // the call whose answer is judged; "" when there is none
	answer json.RawMessage
	err    error // of that call; nil once a line has judged it
}

func (p *play) run(script string) {
	for _, c := range commands(script) {
		if err := p.do(c.text); err != nil {
			p.t.Fatalf("line %d: %s\n%v", c.line, c.text, err)
		}
		p.Settle()
	}
	if p.err != nil {
		p.t.Fatalf("last call: %s: %v", p.called, p.err)
	}
}

type command struct {
	line int
	text string
}

// commands joins continued lines and drops comments and empty lines.
func commands(script string) []command {
	var out []command
	for i, line := range strings.Split(script, "\n") {
		text := strings.TrimSpace(line)
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case line[0] == ' ' || line[0] == '\t':
			if len(out) > 0 {
				out[len(out)-1].text += " " + text
			}
		default:
			out = append(out, command{i + 1, text})
		}
	}
	return out
}

func (p *play) do(text string) error {
	verb, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	if verb != "refused" && p.err != nil {
		return fmt.Errorf("%s was refused: %w", p.called, p.err)
	}
	verbs := map[string]func(string) error{
		"agent": p.agent, "expect": p.expect, "refused": p.refused, "hears": p.hears, "clock": p.clock, "sleep": p.sleep,
		"lose": p.breaks(breakable.Lose), "find": p.breaks(breakable.Find), "kill": p.breaks(breakable.Kill),
		"client": p.client, "hook": p.hook, "leave": p.known(p.Leave), "restart": func(string) error { return p.Restart() },
	}
	if run, ok := verbs[verb]; ok {
		return run(rest)
	}
	return p.known(func(string) error {
		op, args, _ := strings.Cut(rest, " ")
		if strings.TrimSpace(args) == "" {
			args = "{}"
		}
		p.called = text
		p.answer, p.err = p.Call(verb, op, json.RawMessage(p.fill(args)))
		return nil
	})(verb)
}

// known wraps a command whose argument must name an agent.
func (p *play) known(run func(string) error) func(string) error {
	return func(name string) error {
		if p.ID(name) == "" {
			return fmt.Errorf("there is no agent or command %q", name)
		}
		return run(name)
	}
}

// breaks wraps a command for which connections or programs must break.
func (p *play) breaks(run func(breakable, string) error) func(string) error {
	return p.known(func(name string) error {
		stage, ok := p.Stage.(breakable)
		if !ok {
			return errors.New("nothing breaks on command here")
		}
		return run(stage, name)
	})
}

func (p *play) agent(rest string) error { return p.role(rest, p.Join) }

// role reads a name and its settings.
func (p *play) role(rest string, run func(string, Role) error) error {
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return errors.New("agent wants a name")
	}
	as := Role{Project: project, Workspace: "main", Label: fields[0]}
	for _, kv := range fields[1:] {
		key, value, _ := strings.Cut(kv, "=")
		set, ok := settings[key]
		if !ok {
			return fmt.Errorf("agent has no setting %q", key)
		}
		if err := set(&as, value); err != nil {
			return fmt.Errorf("%s: %w", kv, err)
		}
	}
	return run(fields[0], as)
}

// client brings on a session that the hub will know by its hooks.
func (p *play) client(rest string) error {
	stage, ok := p.Stage.(hooked)
	if !ok {
		return errors.New("no hooks are taken here")
	}
	return p.role(rest, func(name string, as Role) error {
		stage.Client(name, as)
		return nil
	})
}

// hook runs a hook. Its arguments are those of POST /api/hooks/claude/EVENT,
// without what the role says; a file is given by its path.
func (p *play) hook(rest string) error {
	stage, ok := p.Stage.(hooked)
	if !ok {
		return errors.New("no hooks are taken here")
	}
	name, rest, _ := strings.Cut(rest, " ")
	event, args, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if strings.TrimSpace(args) == "" {
		args = "{}"
	}
	var call HookArgs
	dec := json.NewDecoder(strings.NewReader(args))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&call); err != nil {
		return err
	}
	p.called = "hook " + rest
	p.answer, p.err = stage.Hook(name, coord.HookEvent(event), call)
	return nil
}

func (p *play) expect(want string) error {
	if p.called == "" {
		return errors.New("there is no call to expect anything of")
	}
	return p.holds(p.answer, want)
}

func (p *play) refused(rest string) error {
	if p.err == nil {
		return fmt.Errorf("it was not refused; the answer is %s", p.answer)
	}
	code, words, _ := strings.Cut(rest, " ")
	got := p.err
	p.err, p.called = nil, ""
	_, wordsOnly := errors.AsType[driver.ToolError](got) // all that a model gets
	if !wordsOnly && coord.CodeOf(got) != coord.Code(code) || !strings.Contains(got.Error(), p.fill(words)) {
		return fmt.Errorf("it was refused otherwise: %s: %w", coord.CodeOf(got), got)
	}
	return nil
}

func (p *play) hears(rest string) error {
	name, rest, _ := strings.Cut(rest, " ")
	kind, want, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return p.known(func(string) error {
		event, any, err := p.Next(name)
		if err != nil {
			return err
		}
		switch {
		case kind == "nothing" && !any:
			return nil
		case !any:
			return fmt.Errorf("%s hears nothing", name)
		case event.Kind != coord.EventKind(kind):
			return fmt.Errorf("%s hears %s: %s", name, event.Kind, event.Payload)
		case strings.TrimSpace(want) == "":
			return nil
		}
		return p.holds(event.Payload, want)
	})(name)
}

func (p *play) clock(rest string) error {
	d, err := time.ParseDuration(strings.TrimPrefix(rest, "+"))
	if err != nil {
		return err
	}
	<-time.After(d) // the bubble's time: it passes at once, timers fire on the way
	return nil
}

func (p *play) sleep(rest string) error {
	d, err := time.ParseDuration(rest)
	if err != nil {
		return err
	}
	stage, ok := p.Stage.(sleepy)
	if !ok {
		return errors.New("nothing sleeps here")
	}
	stage.Sleep(d)
	return nil
}

// The references of a script: $alice, and T-1 with its like.
var (
	reference = regexp.MustCompile(`\$[a-z]\w*`)
	numbered  = regexp.MustCompile(`\b([ATM])-(\d+)\b`)
)

// fill puts agent ids in place of $names, and the hub's numbers in place of
// those that count from the beginning of the scenario.
func (p *play) fill(text string) string {
	text = reference.ReplaceAllStringFunc(text, func(ref string) string {
		if id := p.ID(ref[1:]); id != "" {
			return string(id)
		}
		return ref
	})
	hub, ok := p.Stage.(counted)
	if !ok {
		return text
	}
	return numbered.ReplaceAllStringFunc(text, func(id string) string {
		n, err := strconv.Atoi(id[2:])
		if err != nil {
			return id
		}
		return fmt.Sprintf("%s-%d", id[:1], hub.Number(id[:1], n))
	})
}

// holds checks that got contains want.
func (p *play) holds(got json.RawMessage, want string) error {
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		return fmt.Errorf("answer %s: %w", got, err)
	}
	if err := json.Unmarshal([]byte(p.fill(want)), &w); err != nil {
		return fmt.Errorf("expectation: %w", err)
	}
	if at := differs(w, g, "$"); at != "" {
		return fmt.Errorf("%s\nthe whole answer: %s", at, got)
	}
	return nil
}

// differs says where got does not contain want; "" when it does.
func differs(want, got any, at string) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", at, got)
		}
		for key, value := range w {
			if d := differs(value, g[key], at+"."+key); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s is %v, want a list of %d", at, got, len(w))
		}
		for i := range w {
			if d := differs(w[i], g[i], fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
		return ""
	default:
		if !reflect.DeepEqual(want, got) {
			return fmt.Sprintf("%s is %v, want %v", at, got, want)
		}
		return ""
	}
}
