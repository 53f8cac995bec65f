// Package tool declares every operation of the product once: its name, what it
// takes and gives as Go types, its hints and its words for a model. Schemas,
// MCP tools, the hub's REST route, the shim's argument check and the README
// table are all made from [Table].
//
// Arguments are described by struct tags on the In type:
//
//	json:"name"      the argument's name
//	doc:"words"      its description in the schema
//	req:"true"       must be present and not empty
//	max:"200"        characters of a string, entries of a list, or largest number
//	enum:"a,b"       the allowed values; the first is the default, and when it is
//	                 empty none is
//	path:"file"      a path; path:"target" a path, directory or glob; path:"id"
//	                 an id ([IsID]) or a path: paths are resolved to the
//	                 project's form where the files are
//	line:"true"      a name or a text of one line: line breaks become spaces
//	alias:"other"    another accepted name
//	wire:"true"      between shim and hub only; not offered to a client
//
// The package imports only the words of the product, so that the shim can
// answer tools/list without a hub.
package tool

import (
	"reflect"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Op is one operation, without its types.
type Op struct {
	Name string
	Text string // description for a model; ≤ 600 characters
	In   reflect.Type
	Out  reflect.Type

	ReadOnly   bool // changes nothing; needs no idempotency key
	AlwaysLoad bool // clients that defer tools keep this one loaded
	Core       bool // part of COORDINATOR_TOOLS=core
	Local      bool // a shim answers it from its own queue
	Hidden     bool // between shim and hub only, never an MCP tool

	Waits time.Duration // the hub may take this long to answer; 0 = it answers at once
}

// LongestWait bounds a wait at the hub: what Claude Code bears before it moves
// a call to the background. Other clients get half of it.
const LongestWait = 100 * time.Second

// Spec is an Op whose types the compiler knows; the hub binds a handler to it.
type Spec[In, Out any] struct{ *Op }

func declare[In, Out any](op Op) Spec[In, Out] {
	op.In, op.Out = reflect.TypeFor[In](), reflect.TypeFor[Out]()
	return Spec[In, Out]{&op}
}

// AgentRef names an agent to a reader.
type AgentRef struct {
	ID   coord.AgentID `json:"id"`
	Name string        `json:"name"`
}

// Lookup finds an operation by name.
func Lookup(name string) (*Op, bool) {
	for _, op := range Table {
		if op.Name == name {
			return op, true
		}
	}
	return nil, false
}

// Offered lists the operations that are MCP tools, in table order; core keeps
// only the small set of COORDINATOR_TOOLS=core.
func Offered(core bool) []*Op {
	var out []*Op
	for _, op := range Table {
		if !op.Hidden && (op.Core || !core) {
			out = append(out, op)
		}
	}
	return out
}

// Table is every operation, in the order clients see them. It is never changed.
var Table = []*Op{
	AnnounceWork.Op,
	PostToThread.Op,
	ProposeResolution.Op,
	ApproveResolution.Op,
	ContestResolution.Op,
	CloseThread.Op,
	CancelThread.Op,
	GetThread.Op,
	GetThreadUpdates.Op,
	ListThreads.Op,
	WaitForMessage.Op,
	GetQueuedMessages.Op,
	RegisterAgent.Op,
	ListAgents.Op,
	AgentActivity.Op,
	WaitForPeers.Op,
	Heartbeat.Op,
	LogActionSummary.Op,
	HotFiles.Op,
	GetSessionFiles.Op,
	CheckFileConflict.Op,
	SetDependencyMap.Op,
	GetBlastRadius.Op,
	GetModuleInfo.Op,
	MqttPublish.Op,
	CoordinatorStatus.Op,
	Introspection.Op,
	AnswerIntrospection.Op,
	ClaimTask.Op,
	UnclaimTask.Op,
	CompleteTask.Op,
	Sync.Op,
	Acquire.Op,
	Edited.Op,
	Turn.Op,
	Release.Op,
	Watch.Op,
	RecordTokens.Op,
	TokensUsed.Op,
	Offer.Op,
	Written.Op,
	AwaitWake.Op,
	ViewAgents.Op,
	ViewThreads.Op,
	ViewLeases.Op,
	ViewFiles.Op,
	ViewStats.Op,
	Overview.Op,
	StatusLine.Op,
}
