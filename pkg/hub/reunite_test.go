package hub_test

import (
	"context"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

// TestAResumedSessionIsItsOldAgent: the client starts its shim with an id of its
// own before it resumes the session, and either may be heard first.
func TestAResumedSessionIsItsOldAgent(t *testing.T) {
	shim := func(pid int, session coord.SessionID) coord.Registration {
		reg := registration("alice")
		reg.Client.Name, reg.PID, reg.PIDStart, reg.Session = "claude-code", pid, int64(10*pid), session
		return reg
	}
	hook := func(r *rig, pid int, session coord.SessionID, source string) {
		t.Helper()
		ctx := coord.WithCaller(context.Background(), coord.Caller{Member: "me"})
		in := coord.HookCall{Session: session, Source: source, PID: pid, PIDStart: int64(10 * pid),
			Host: "host-1", Project: "shop", Workspace: "host-1:/shop", Label: "alice"}
		if _, err := r.Hook(ctx, "claude", coord.HookSessionStart, in); err != nil {
			t.Fatal(err)
		}
	}
	for name, shimFirst := range map[string]bool{"the hook is first": false, "the shim is first": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			hook(r, 7, "s", "startup")
			before := r.join(shim(7, "s"))
			r.alive = func(p coord.Process) bool { return p.PID != 7 }
			if err := r.Leave(before.ctx); err != nil {
				t.Fatal(err)
			}
			if shimFirst {
				early := r.join(shim(8, "fresh"))
				hook(r, 8, "s", "resume")
				if _, known := r.Authenticate(early.SessionKey); known {
					t.Error("the shim that came first goes on as an agent of its own")
				}
				r.Connected(early.AgentID, true) // let in before the hook, as are these calls
				for _, op := range []string{"sync", "heartbeat"} {
					_, err := r.Call(early.ctx, op, []byte("{}"), "")
					want(t, op+" as the agent that is no more", coord.CodeOf(err), coord.Unauthorized)
				}
			} else {
				hook(r, 8, "s", "resume")
			}
			now := r.join(shim(8, "fresh"))
			want(t, "agent", now.AgentID, before.AgentID)
			want(t, "name", now.Name, "alice")
			if err := r.Tick(context.Background()); err != nil {
				t.Fatal(err)
			}
			want(t, "agents, gone ones too", len(now.call("list_agents", object{"online_only": false})["agents"].([]any)), 1)
			hook(r, 8, "s", "compact")
			if _, known := r.Authenticate(now.SessionKey); !known {
				t.Error("the session's key is no longer known")
			}
		})
	}
}
