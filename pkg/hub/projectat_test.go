package hub_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

// A hook asks git anew each time: after the first commit it names another
// project than its session did before.
func TestHooksReportIntoTheProjectOfTheirWorkingTree(t *testing.T) {
	r := newRig(t)
	r.named("alice").announce("f.go")
	user := coord.WithCaller(context.Background(), coord.Caller{Operator: true, Member: "me"})
	const ws = coord.WorkspaceID("host-1:/shop")
	p, err := coord.ParsePath("f.go")
	if err != nil {
		t.Fatal(err)
	}
	hook := func(session coord.SessionID, fixed bool) coord.HookAnswer {
		t.Helper()
		in := coord.HookCall{Session: session, Host: "host-1", Project: "root:c0ffee", Fixed: fixed, Workspace: ws, Tool: "Edit", ToolUse: "t-1",
			Enforce: coord.EnforceDeny, Files: []coord.HookFile{{Path: p, Project: "root:c0ffee", Workspace: ws}}}
		raw, err := r.Hook(user, "claude", coord.HookBeforeTool, in)
		if err != nil {
			t.Fatal(err)
		}
		var out coord.HookAnswer
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := hook("s-guest", false); !got.Refused && len(got.Check) == 0 { // it may want the file looked at before it refuses
		t.Errorf("the guest may write what alice announced: %+v", got)
	}
	if got := hook("s-named", true); got.Refused || len(got.Check) > 0 {
		t.Errorf("in a project that the user has named: %+v, want no refusal", got)
	}
}
