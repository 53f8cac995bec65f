package setup

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/driver"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/workspace"
)

// Doctor is a live test of everything between a session and the hub. It works
// in a project of its own that nobody else sees, and ends what it has begun.
type Doctor struct {
	Home    config.Home                               // required
	Getenv  func(string) string                       // required
	Find    func(program string) (string, error)      // where a program of ours is; required
	Stop    func(ctx context.Context) error           // stops the hub that the test has started; required without Hub
	Version string                                    // of this program
	Dir     string                                    // where the user stands: git is tried there; "" = nowhere
	Paused  func(coord.WorkspaceID) (time.Time, bool) // since when nobody looks there with git any more; nil = not known
	Hub     string                                    // a team hub to test in place of this user's own, "" = none
	Told    func(Check)                               // called after each check; nil = nobody is told
}

// Check is one line of the doctor's report.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`         // what was seen, or what went wrong
	Hint   string `json:"hint,omitempty"` // what to do about it
	MS     int64  `json:"ms"`
}

// Report is all lines.
type Report struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// probe is a check before it is made.
type probe struct {
	name  string
	needs []string // checks that must be OK, else this one is not tried
	hint  string   // for an error that has none of its own
	run   func(context.Context) (string, error)
}

// probeLimit is how long one check may take.
const probeLimit = 20 * time.Second

// Examine makes every check. The error is about the request, not the patient.
func (d Doctor) Examine(ctx context.Context) (Report, error) {
	if d.Home.Dir() == "" || d.Getenv == nil || d.Find == nil {
		return Report{}, errors.New("setup: Doctor.Home, Getenv and Find are required")
	}
	var probes []probe
	if d.Hub != "" {
		hub, err := origin(d.Hub, d.Getenv)
		if err != nil {
			return Report{}, err
		}
		probes = (&remote{d: d, hub: hub}).probes()
	} else {
		p := &patient{d: d}
		probes = p.probes()
		defer p.leave()
	}
	out := Report{OK: true, Checks: []Check{}}
	bad := map[string]bool{}
	for _, p := range probes {
		c := p.make(ctx, bad)
		bad[p.name] = !c.OK
		out.OK = out.OK && c.OK
		out.Checks = append(out.Checks, c)
		if d.Told != nil {
			d.Told(c)
		}
	}
	return out, nil
}

func (p probe) make(ctx context.Context, bad map[string]bool) Check {
	c := Check{Name: p.name}
	for _, need := range p.needs {
		if bad[need] {
			c.Detail, c.Hint = "not tried", "first mend: "+need
			return c
		}
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	start := time.Now()
	detail, err := p.run(ctx)
	c.MS, c.OK, c.Detail = time.Since(start).Milliseconds(), err == nil, detail
	if err != nil {
		c.Detail, c.Hint = err.Error(), p.hint
		var e *coord.Error
		if errors.As(err, &e) {
			c.Detail, c.Hint = e.What, e.Next
		}
	}
	return c
}

// patient is this user's own installation under test.
type patient struct {
	d       Doctor
	shim    string
	dir     string          // the project's directory, temporary
	project coord.ProjectID // made up
	fresh   bool            // no hub was running before
	a, b    *driver.Session
	hub     config.Discovery
	token   string
	session coord.SessionID // of the hook's made-up client session
}

func (p *patient) probes() []probe {
	const reinstall = "run make install again"
	return []probe{
		{"config", nil, "see coord-hub status", p.config},
		{"programs", nil, reinstall, p.programs},
		{"git", []string{"config"}, "run git status in your project and mend what it says", p.git},
		{"spawn", []string{"config", "programs"}, "see coord-hub logs", p.spawn},
		{"handshake", []string{"spawn"}, "see coord-hub logs", p.handshake},
		{"tool call", []string{"handshake"}, "see coord-hub logs", p.toolCall},
		{"push", []string{"tool call"}, "see coord-hub logs; the MQTT socket may be unreachable", p.push},
		{"http /mcp", []string{"spawn"}, "see coord-hub status for the address", p.mcp},
		{"mqtt tcp", []string{"spawn"}, "see coord-hub status for the address", p.mqttTCP},
		{"mqtt websocket", []string{"spawn"}, "see coord-hub status for the address", p.mqttWS},
		{"dashboard", []string{"spawn"}, "see coord-hub logs", p.dashboard},
		{"gate", []string{"tool call"}, "see COORDINATOR_ENFORCE", p.gate},
		{"hook", []string{"gate"}, reinstall, p.hook},
		{"release", []string{"gate"}, "see coord-hub logs", p.release},
	}
}

func (p *patient) config(context.Context) (string, error) {
	for _, program := range []config.Program{config.Serve, config.Auto, config.Shim} {
		s, err := config.Load(config.Source{Program: program, Getenv: p.d.Getenv})
		if err != nil {
			return "", err
		}
		if len(s.Wrong) > 0 {
			return "", coord.Errorf(coord.Invalid, "correct it", "%s", s.Wrong[0])
		}
		if len(s.Warnings) > 0 {
			return "", coord.Errorf(coord.Invalid, "correct "+p.d.Home.ConfigFile(), "%s", s.Warnings[0])
		}
	}
	if err := p.d.Home.Prepare(); err != nil {
		return "", err
	}
	return p.d.Home.Dir(), nil
}

func (p *patient) programs(context.Context) (string, error) {
	var found []string
	for _, name := range []string{shimProgram, "coord-hub"} {
		where, err := p.d.Find(name)
		if err != nil {
			return "", err
		}
		if found = append(found, where); name == shimProgram {
			p.shim = where
		}
	}
	return strings.Join(found, ", "), nil
}

// gitPatience is as long as the look at a working tree after a shell command may
// take; see package reconcile.
const gitPatience = 5 * time.Second

func (d *Doctor) paused(ws coord.WorkspaceID) (time.Time, bool) {
	if d.Paused == nil {
		return time.Time{}, false
	}
	return d.Paused(ws)
}

// git wants git to be there and, where the user stands in a repository, to
// answer in time: which project it is, and what is not committed.
func (p *patient) git(ctx context.Context) (string, error) {
	version, err := exec.CommandContext(ctx, "git", "--version").Output()
	if err != nil {
		return "", coord.Errorf(coord.Unavailable, "install git, or put it on the PATH of your client too", "git cannot be run (%v): projects are told apart by their directory only, and nobody knows what is uncommitted", err)
	}
	said := strings.TrimSpace(string(version))
	if p.d.Dir == "" {
		return said, nil
	}
	host, err := p.d.Home.HostID()
	if err != nil {
		return "", err
	}
	w, err := workspace.Locate(ctx, p.d.Dir, p.d.Getenv, host)
	switch {
	case err != nil:
		return "", err
	case strings.Contains(w.Trouble, "dubious ownership"):
		return "", coord.Errorf(coord.Unavailable, "run git config --global --add safe.directory "+w.Top, "git refuses %s: it belongs to another user", w.Top)
	case w.Trouble != "":
		return "", coord.Errorf(coord.Unavailable, "run git status there and mend what it says", "%s: %s", w.Top, w.Trouble)
	case !w.Git:
		return said + "; no repository here", nil
	}
	if since, off := p.d.paused(w.ID); off {
		return "", coord.Errorf(coord.Unavailable, "make git status faster, for example with git config core.untrackedCache true; it is tried again after a day",
			"what shell commands write in %s is not looked for since %s: git status took over %v twice", w.Top, since.Format("15:04"), gitPatience)
	}
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	start := time.Now()
	if _, err := workspace.Status(ctx, w.Top); err != nil {
		return "", coord.Errorf(coord.Unavailable, "run git status there and see what it says, or why it takes long", "git status in %s: %v", w.Top, err)
	}
	return fmt.Sprintf("%s; git status in %s took %d ms", said, w.Top, time.Since(start).Milliseconds()), nil
}

// spawn starts a shim, which finds or starts the hub, in a project of our own.
func (p *patient) spawn(ctx context.Context) (detail string, err error) {
	c := client.Dial(p.d.Home.Socket())
	defer c.Close()
	_, err = c.Hello(ctx)
	p.fresh = err != nil
	if p.dir, err = os.MkdirTemp("", "coord-doctor-"); err != nil {
		return "", err
	}
	if p.dir, err = filepath.EvalSymlinks(p.dir); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(p.dir, "CLAUDE.md"), nil, 0o600); err != nil { // marks the top of a project
		return "", err
	}
	p.project = coord.TrialProject(strings.ToLower(rand.Text()[:10]))
	if p.a, err = p.start(ctx, "doctor-a"); err != nil {
		return "", err
	}
	if _, err = driver.Call(ctx, p.a, tool.CoordinatorStatus, tool.CoordinatorStatusIn{}); err != nil {
		return "", err
	}
	if p.hub, err = config.ReadDiscovery(p.d.Home); err != nil {
		return "", err
	}
	raw, err := os.ReadFile(p.d.Home.TokenFile())
	p.token = strings.TrimSpace(string(raw))
	detail = fmt.Sprintf("hub pid %d was running", p.hub.PID)
	if p.fresh {
		detail = fmt.Sprintf("a shim started hub pid %d", p.hub.PID)
	}
	return detail, err
}

func (p *patient) start(ctx context.Context, name string) (*driver.Session, error) {
	return driver.Start(ctx, driver.Options{Shim: p.shim, Home: p.d.Home.Dir(), Dir: p.dir, Name: name,
		Env: []string{"COORDINATOR_PROJECT=" + string(p.project)}})
}

// handshake asks the hub who it is, over the socket that shims use.
func (p *patient) handshake(ctx context.Context) (string, error) {
	c := client.Dial(p.d.Home.Socket())
	defer c.Close()
	h, err := c.Hello(ctx)
	if err != nil {
		return "", err
	}
	if h.Protocol != config.Protocol || h.Version != p.d.Version {
		return "", coord.Errorf(coord.Conflict, "run coord-hub restart", "the hub is version %s (protocol %d), this program %s (protocol %d)",
			h.Version, h.Protocol, p.d.Version, config.Protocol)
	}
	return fmt.Sprintf("hub %s, protocol %d", h.Version, h.Protocol), nil
}

func (p *patient) toolCall(ctx context.Context) (string, error) {
	out, err := driver.Call(ctx, p.a, tool.RegisterAgent, tool.RegisterAgentIn{Name: "doctor-a"})
	if err != nil {
		return "", err
	}
	if out.Project != p.project {
		return "", coord.Errorf(coord.Internal, "unset COORDINATOR_PROJECT and try again", "the session is in project %s, not in %s", out.Project, p.project)
	}
	return "register_agent answered through the shim", nil
}

// push lets a second session announce what the first one has announced: the
// first must hear of it without asking.
func (p *patient) push(ctx context.Context) (detail string, err error) {
	if p.b, err = p.start(ctx, "doctor-b"); err != nil {
		return "", err
	}
	work := tool.AnnounceWorkIn{Subject: "coord-hub doctor", TargetFiles: []string{"probe.txt"}}
	if _, err := driver.Call(ctx, p.a, tool.AnnounceWork, work); err != nil {
		return "", err
	}
	type heard struct {
		at  time.Time
		err error
	}
	done := make(chan heard, 1)
	go func() {
		_, err := p.a.Await(ctx, func(e coord.Event) bool { return e.Kind == coord.KindThreadOpened })
		done <- heard{time.Now(), err}
	}()
	start := time.Now()
	if _, err := driver.Call(ctx, p.b, tool.AnnounceWork, work); err != nil {
		return "", err
	}
	h := <-done
	if h.err != nil {
		return "", h.err
	}
	return fmt.Sprintf("thread.opened seen after %.1f ms", float64(h.at.Sub(start).Microseconds())/1000), nil
}

// target is the file that the gate is tried with.
const target = "held.txt"

// gate lets one session hold a file and wants the hub to refuse it to the other.
func (p *patient) gate(ctx context.Context) (string, error) {
	if _, err := driver.Call(ctx, p.a, tool.Heartbeat, tool.HeartbeatIn{CurrentFile: target}); err != nil {
		return "", err
	}
	if p.b == nil {
		b, err := p.start(ctx, "doctor-b")
		if err != nil {
			return "", err
		}
		p.b = b
	}
	out, err := driver.Call(ctx, p.b, tool.CheckFileConflict, tool.CheckFileConflictIn{FilePath: target})
	if err != nil {
		return "", err
	}
	if out.Verdict != "leased" {
		return "", coord.Errorf(coord.Internal, "see coord-hub logs", "a file that another session holds is called %q", out.Verdict)
	}
	return "a held file is refused to others", nil
}

// release frees the file as the user's override does.
func (p *patient) release(ctx context.Context) (string, error) {
	c := client.Dial(p.d.Home.Socket())
	defer c.Close()
	freed, err := c.ReleasePath(ctx, coord.PathRelease{Project: p.project, Path: target})
	if err != nil {
		return "", err
	}
	if !slices.Contains(freed.Told, "doctor-a") {
		return "", fmt.Errorf("the holder was not told, only %v", freed.Told)
	}
	_, err = p.a.Await(ctx, func(e coord.Event) bool { return e.Kind == coord.KindFileReleased })
	return "a person's override reached the holder", err
}

// hook runs coord-hook as the client does before an edit of the held file.
func (p *patient) hook(ctx context.Context) (string, error) {
	program, err := p.d.Find(hookProgram)
	if err != nil {
		return "", err
	}
	p.session = coord.SessionID("doctor-" + strings.ToLower(rand.Text()[:10]))
	edit := map[string]any{"tool_name": "Edit", "tool_use_id": "toolu_doctor",
		"tool_input": map[string]string{"file_path": filepath.Join(p.dir, target), "old_string": "a", "new_string": "b"}}
	out, err := p.runHook(ctx, program, "pre-tool", "PreToolUse", edit)
	if err != nil {
		return "", err
	}
	_, _ = p.runHook(ctx, program, "session-end", "SessionEnd", map[string]any{"reason": "other"}) // it ends by itself, later
	var answer struct {
		Specific struct {
			Decision string `json:"permissionDecision"`
			Reason   string `json:"permissionDecisionReason"`
		} `json:"hookSpecificOutput"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || answer.Specific.Decision != "deny" {
		return "", coord.Errorf(coord.Internal, "see COORDINATOR_ENFORCE and coord-hub logs", "the edit of a held file is not refused: %.200q", out)
	}
	return "an edit of a held file is refused", nil
}

// leave ends the sessions, removes the directory and stops the hub if it is
// there only because of us.
func (p *patient) leave() {
	for _, s := range []*driver.Session{p.a, p.b} {
		if s != nil {
			_ = s.Close() // a shim that has to be forced was told of by a check
		}
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
	if p.fresh && p.d.Stop != nil {
		ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
		defer cancel()
		_ = p.d.Stop(ctx) // an unused hub leaves by itself
	}
}
