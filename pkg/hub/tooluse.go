package hub

import (
	"sync"

	"github.com/coordhq/coord/pkg/coord"
)

// maxToolUses bounds the tool uses that are remembered: a hook tells of one just
// before the call comes.
const maxToolUses = 1024

// toolUses joins a call that comes through a shim to the subagent that makes it:
// the client's hook knows the subagent and names the tool use; so does the call.
type toolUses struct {
	mu    sync.Mutex // guards what follows
	of    map[toolUse]string
	order []toolUse // the oldest first
}

type toolUse struct {
	agent coord.AgentID
	id    string
}

func newToolUses() *toolUses { return &toolUses{of: map[toolUse]string{}} }

// told notes that a subagent is about to make a call.
func (u *toolUses) told(agent coord.AgentID, id, subagent string) {
	if id == "" || subagent == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	key := toolUse{agent, id}
	if _, known := u.of[key]; !known {
		u.order = append(u.order, key)
	}
	u.of[key] = subagent
	for len(u.order) > maxToolUses {
		delete(u.of, u.order[0])
		u.order = u.order[1:]
	}
}

// subagent tells who makes a call, "" = the main thread.
func (u *toolUses) subagent(agent coord.AgentID, id string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.of[toolUse{agent, id}]
}
