package coordtest

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/coordhq/coord/pkg/coord"
)

// HookArgs are what a hook of a scenario says beyond its role.
type HookArgs struct {
	Session    coord.SessionID `json:"session_id"` // "" = that of the role
	Source     string          `json:"source"`
	Subagent   string          `json:"subagent"`
	Tool       coord.HookTool  `json:"tool"`
	Files      []coord.Path    `json:"files"` // in the role's working tree
	Reads      []coord.Path    `json:"reads"`
	Background bool            `json:"background"`
	Enforce    coord.Enforce   `json:"enforce"`
}

// hookCall is one hook of a session in a role.
func (r Role) hookCall(args HookArgs) coord.HookCall {
	reg := r.registration()
	call := coord.HookCall{Session: args.Session, Subagent: args.Subagent, PID: reg.PID, PIDStart: reg.PIDStart, Host: reg.Host, Project: reg.Project,
		Workspace: reg.Workspace, Label: reg.Label, Source: args.Source, Tool: args.Tool, Background: args.Background, Enforce: args.Enforce}
	if call.Session == "" {
		call.Session = reg.Session
	}
	here := func(paths []coord.Path) (out []coord.HookFile) {
		for _, p := range paths {
			out = append(out, coord.HookFile{Path: p, Project: reg.Project, Workspace: reg.Workspace})
		}
		return out
	}
	call.Files, call.Reads = here(args.Files), here(args.Reads)
	return call
}

// checked answers what a hub wants looked at: no transcript ends in an
// interruption, and just the files with a lease are uncommitted.
func checked(call coord.HookCall, raw json.RawMessage) (coord.HookCall, bool) {
	var answer coord.HookAnswer
	if json.Unmarshal(raw, &answer) != nil || len(answer.Look)+len(answer.Check) == 0 {
		return call, false
	}
	for _, s := range answer.Look {
		call.Looked = append(call.Looked, coord.Interruption{Agent: s.Agent, Heard: s.Heard})
	}
	for _, d := range answer.Check {
		call.Checked = append(call.Checked, coord.Finding{Doubt: d, Known: true, Dirty: d.Lease != ""})
	}
	return call, true
}

// Client brings on a session that no shim speaks for. The hub's id of it is not
// known here.
func (p *InProcess) Client(name string, as Role) {
	p.processes.start(as.Process)
	p.actors[name] = &actor{Registered: coord.Registered{AgentID: coord.AgentID("client-" + name)}, role: as}
}

// Hook runs a hook of an agent's or client's session, with the user's own
// credential, and asks again when the hub wants something looked at.
func (p *InProcess) Hook(name string, event coord.HookEvent, args HookArgs) (json.RawMessage, error) {
	return p.hookThrough(name, args, func(call coord.HookCall) (json.RawMessage, error) {
		ctx := coord.WithCaller(context.Background(), coord.Caller{Member: "tester", Operator: true})
		return p.hub.Hook(ctx, "claude", event, call)
	})
}

func (p *InProcess) hookThrough(name string, args HookArgs, send func(coord.HookCall) (json.RawMessage, error)) (json.RawMessage, error) {
	a := p.actors[name]
	if a == nil {
		return nil, coord.Errorf(coord.NotFound, "bring it on with agent or client", "there is no session %q", name)
	}
	call := a.role.hookCall(args)
	raw, err := send(call)
	if err != nil {
		return nil, err
	}
	if again, ask := checked(call, raw); ask {
		return send(again)
	}
	return raw, nil
}

// Hook is a hook that comes through the HTTP door.
func (w *wire) Hook(name string, event coord.HookEvent, args HookArgs) (json.RawMessage, error) {
	return w.hookThrough(name, args, func(call coord.HookCall) (json.RawMessage, error) {
		body, err := json.Marshal(call)
		if err != nil {
			return nil, err
		}
		return w.door.do(http.MethodPost, "/api/hooks/claude/"+string(event), w.door.token, body, "")
	})
}
