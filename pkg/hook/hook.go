package hook

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/workspace"
)

// Limits of one run. A client waits for its hooks, so they are short.
const (
	deadline      = 300 * time.Millisecond  // of all but reading the input, when the settings cannot be read
	startDeadline = 1500 * time.Millisecond // at least, at a session's start: a hub may have to be started first
	maxInput      = 64 << 20                // bytes; clients send whole files along
)

// Exit codes. 2 would make a client refuse the tool call; only the waiter of
// rewake uses it, to wake a session.
const (
	exitOK     = 0
	exitFailed = 1
	exitWake   = 2
)

// Options are what one run works with.
type Options struct {
	Stdin  io.Reader // required
	Stdout io.Writer // required; the client reads it
	Stderr io.Writer // required; words of a woken session, and errors of use

	Client string              // "" = claude
	Event  string              // the event as the command line names it, in our words or the client's
	Getenv func(string) string // nil = os.Getenv

	Version   string // of coord-hook
	HubBinary string // "" = coord-hub beside this program, else on PATH
}

func (o *Options) validate() error {
	if o.Stdin == nil || o.Stdout == nil || o.Stderr == nil {
		return errors.New("hook: Options.Stdin, Stdout and Stderr are required")
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Client == "" {
		o.Client = claudeName
	}
	return nil
}

// Run handles one hook and gives the exit code.
func Run(ctx context.Context, o Options) int {
	began := time.Now()
	if err := o.validate(); err != nil {
		return exitFailed
	}
	if o.Client != claudeName {
		_, _ = io.WriteString(o.Stderr, "coord-hook: no hooks of client "+o.Client+" are known; use --client claude\n")
		return exitFailed
	}
	if o.Event != "" && !knownEvent(o.Event) {
		_, _ = io.WriteString(o.Stderr, "coord-hook: there is no event "+strconv.Quote(o.Event)+"; coord-hook --help lists them\n")
		return exitFailed
	}
	in, err := readClaude(io.LimitReader(o.Stdin, maxInput+1), o.Event, o.Getenv)
	if errors.Is(err, errNotForUs) {
		return exitOK
	}
	r := &run{Options: o, in: in, began: began, writes: len(in.files) > 0}
	r.settings, r.unset = config.Load(config.Source{Program: config.Hook, Getenv: o.Getenv})
	if err != nil {
		r.unreadable(err)
		return exitOK
	}
	if in.event == coord.HookRewake {
		return r.rewake(ctx)
	}
	limit := deadline
	if r.unset == nil {
		limit = r.settings.HookTimeout
	}
	if in.event == coord.HookSessionStart {
		limit = max(limit, startDeadline)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r.handle(ctx)
	return exitOK
}

// run is one hook at work.
type run struct {
	Options
	in       input
	began    time.Time // when this process did
	places   places
	here     workspace.Workspace // of the working directory
	unnamed  *coord.Error        // why one of its files cannot be told to a hub
	settings *config.Settings
	unset    error // why there are no settings
	hub      *line
	outage   outage
	spaces   map[coord.WorkspaceID]workspace.Workspace // around the files of this hook
	trees    []tree                                    // with the git commands that touch them
	writes   bool                                      // files of a project are about to be written
	inGit    time.Duration                             // spent on asking git for the hub
}

// handle asks the hub and prints what it answers.
func (r *run) handle(ctx context.Context) {
	answer, err := r.ask(ctx)
	if err != nil {
		answer = r.failed(err)
	} else {
		r.outage.over()
	}
	if err := printClaude(r.Stdout, r.in, answer); err == nil && answer.Receipt != nil && r.hub != nil {
		r.confirm(answer.Receipt)
	}
	if r.hub != nil {
		r.hub.close()
	}
}

// ask makes the call. When the hub wants somebody's transcript or the state of
// files looked at first, it looks and asks again: a holder whose turn turns out to
// be over leaves a lease, of which the hub then wants to know whether its file is
// committed.
func (r *run) ask(ctx context.Context) (coord.HookAnswer, error) {
	call, err := r.prepare(ctx)
	if err != nil {
		return coord.HookAnswer{}, err
	}
	if r.unnamed != nil && r.in.event == coord.HookBeforeTool && call.Enforce != coord.EnforceOff {
		return r.cannotName(call.Enforce), nil
	}
	if r.in.event == coord.HookSessionStart && (call.Source == "startup" || call.Source == "resume") {
		if err := config.ClearStopped(r.settings.Home); err != nil { // the user begins to work: a stop of before is over
			return coord.HookAnswer{}, err
		}
	}
	if r.hub, err = reach(ctx, r.settings.Home, r.HubBinary, r.Client); err != nil {
		return coord.HookAnswer{}, err
	}
	r.findings(ctx, call)
	spending := r.spent(call)
	answer, err := r.hub.post(r.in.event, *call)
	if err != nil {
		return coord.HookAnswer{}, err
	}
	for asksMore(*call, answer) {
		for _, s := range answer.Look {
			call.Looked = append(call.Looked, coord.Interruption{Agent: s.Agent, Heard: s.Heard, Interrupted: interrupted(s.Transcript)})
		}
		call.Checked = append(call.Checked, r.check(ctx, answer.Check)...)
		if answer, err = r.hub.post(r.in.event, *call); err != nil {
			return coord.HookAnswer{}, err
		}
	}
	if spending != nil && answer.Counted {
		spending.counted()
	}
	r.guardTrees(ctx, &answer)
	return answer, nil
}

// asksMore reports whether an answer asks for something that the call does not
// say yet.
func asksMore(call coord.HookCall, a coord.HookAnswer) bool {
	return slices.ContainsFunc(a.Look, func(s coord.Suspicion) bool {
		return !slices.ContainsFunc(call.Looked, func(l coord.Interruption) bool { return l.Agent == s.Agent })
	}) || slices.ContainsFunc(a.Check, func(d coord.Doubt) bool {
		return !slices.ContainsFunc(call.Checked, func(f coord.Finding) bool { return f.Doubt == d })
	})
}

// cannotName is the answer about a file that nobody else could be told of.
func (r *run) cannotName(enforce coord.Enforce) coord.HookAnswer {
	words := "coord: " + r.unnamed.What + ". Nobody else could be told that you write it. Give the file another name."
	if enforce == coord.EnforceWarn {
		return coord.HookAnswer{Context: words}
	}
	return coord.HookAnswer{Refused: true, Reason: words + " Your user can let it through with COORDINATOR_ENFORCE=warn."}
}

// prepare says in the hub's words what has happened.
func (r *run) prepare(ctx context.Context) (*coord.HookCall, error) {
	if r.unset != nil {
		return nil, r.unset
	}
	home := r.settings.Home
	r.outage = outageOf(home, r.in.call.Session)
	if err := home.Prepare(); err != nil {
		return nil, err
	}
	host, err := home.HostID()
	if err != nil {
		return nil, err
	}
	p := places{home: home, host: host, getenv: r.Getenv}
	here, err := p.at(ctx, r.in.cwd)
	if err != nil {
		return nil, err
	}
	r.places, r.here = p, here
	call := r.in.call
	call.Harmless = r.in.harmless
	call.Host, call.Project, call.Workspace, call.Branch, call.FoldCase = host, here.Project, here.ID, here.Branch, here.FoldCase
	call.Fixed, call.Inside = here.Fixed, here.Cwd != here.Top
	call.Label, call.Enforce, call.Missed = r.settings.AgentName, r.settings.Enforce, r.outage.count()
	call.WakeOff = r.settings.NoWake
	call.PID, call.PIDStart = clientProcess(r.Getenv)
	if r.in.event == coord.HookSessionStart {
		call.Version = r.Version
	}
	r.spaces = map[coord.WorkspaceID]workspace.Workspace{here.ID: here}
	if call.Files, err = r.resolve(ctx, p, here, r.in.files); err != nil {
		return nil, err
	}
	if call.Reads, err = r.resolve(ctx, p, here, r.in.reads); err != nil {
		return nil, err
	}
	if r.trees, err = p.trees(ctx, r.in.git); err != nil {
		return nil, err
	}
	for _, t := range r.trees {
		if r.in.event == coord.HookBeforeTool || t.act.Settles() {
			call.Trees = append(call.Trees, coord.HookTree{Project: t.space.Project, Workspace: t.space.ID})
			r.spaces[t.space.ID] = t.space
		}
	}
	r.writes = len(call.Files) > 0
	return &call, nil
}

// resolve names files as their projects do, without those that are none's.
func (r *run) resolve(ctx context.Context, p places, here workspace.Workspace, names []string) ([]coord.HookFile, error) {
	var out []coord.HookFile
	for _, name := range names {
		f, w, ok, err := p.file(ctx, here, name)
		var e *coord.Error
		switch {
		case errors.As(err, &e) && (e.Code == coord.Invalid || e.Code == coord.TooLarge):
			r.unnamed = e
		case err != nil:
			return nil, err
		case ok:
			r.spaces[w.ID] = w
			out = append(out, f)
		}
	}
	return out, nil
}

// clientProcess names the client program, as it names itself to its hooks.
func clientProcess(getenv func(string) string) (pid int, start int64) {
	pid = number(getenv("CLAUDE_PID"))
	if pid <= 0 {
		return 0, 0
	}
	start, err := process.StartTime(pid)
	if err != nil {
		return 0, 0
	}
	return pid, start
}

// confirmLimit bounds the receipt, which nobody waits for.
const confirmLimit = 200 * time.Millisecond

// confirm tells the hub that its news has been written out. Without it the hub
// offers the news again.
func (r *run) confirm(receipt *coord.HookReceipt) {
	call := coord.HookCall{Session: r.in.call.Session, Receipt: receipt, Host: r.hub.host, Project: r.hub.project, Workspace: r.hub.workspace}
	call.PID, call.PIDStart = clientProcess(r.Getenv)
	r.hub.extend(confirmLimit)
	_, _ = r.hub.post(coord.HookWritten, call)
}
