package hub

import (
	"context"
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// Store keeps what must survive the process. It is implemented by hub/sqlite.
//
// One Batch is open at a time, used by the writer goroutine alone; the read
// methods may be called by any goroutine at any time and see committed rows.
type Store interface {
	// Load reads what the in-memory state is built from. It is called once,
	// before the first Begin. A row that cannot be read is skipped and logged.
	Load(ctx context.Context) (*Snapshot, error)

	// Begin opens a transaction that other writers are locked out of.
	Begin(ctx context.Context) (Batch, error)

	// Inbox gives at most limit deliveries of one agent with a seq greater than
	// after, in order, and how many more there are.
	Inbox(ctx context.Context, agent coord.AgentID, after coord.Seq, limit int) ([]coord.Delivery, int, error)

	// Messages gives at most limit messages of one thread with a seq greater
	// than after, in order, and how many more there are.
	Messages(ctx context.Context, project coord.ProjectID, thread coord.ThreadID, after coord.Seq, limit int) ([]coord.Message, int, error)

	// Events gives at most limit events of the log with a seq greater than
	// after, in order; an empty project gives all projects.
	Events(ctx context.Context, project coord.ProjectID, after coord.Seq, limit int) ([]coord.Event, error)

	// Thread reads one thread, ended ones included; coord.NotFound otherwise.
	Thread(ctx context.Context, project coord.ProjectID, id coord.ThreadID) (*coord.Thread, error)

	// Threads gives at most limit threads, ended ones included, the newest first.
	Threads(ctx context.Context, f ThreadFilter, limit int) ([]*coord.Thread, error)

	// Updates gives at most limit messages of the threads that the agent takes
	// or took part in, with a seq greater than after, in order.
	Updates(ctx context.Context, project coord.ProjectID, agent coord.AgentID, after coord.Seq, limit int) ([]coord.Message, error)

	// EditedFiles gives at most limit files that the agent has edited, by path,
	// those after the given path.
	EditedFiles(ctx context.Context, project coord.ProjectID, agent coord.AgentID, after string, limit int) ([]EditedFile, error)

	Close() error
}

// ThreadFilter picks threads of one project. Empty fields pick all.
type ThreadFilter struct {
	Project coord.ProjectID // required
	Status  coord.ThreadStatus
	Agent   coord.AgentID // takes or took part
	RunID   string
	Before  int64 // only threads with a smaller number; 0 = from the newest
}

// EditedFile sums up what one agent did to one file.
type EditedFile struct {
	Path    coord.Path
	Edits   int
	Last    coord.Millis // time of the last edit
	Summary string       // of the last edit
}

// Batch is one transaction of the writer goroutine. After an error of Commit,
// or of Begin, nothing of the batch has happened.
type Batch interface {
	// Reply looks up the answer that an earlier call with this key was given.
	Reply(key ReplyKey) (Reply, bool, error)

	// Apply stores the changes of one request under a savepoint of its own: on
	// error none of them has happened and the batch is still usable.
	Apply(c *Changes) error

	// Commit makes everything durable. The Batch is finished either way.
	Commit() error

	// Rollback drops everything. It does nothing after Commit.
	Rollback()
}

// ReplyKey names one call of one agent for idempotency.
type ReplyKey struct {
	Agent coord.AgentID
	Key   string
}

// Reply is the stored answer to a call. It is kept for 10 minutes.
type Reply struct {
	Key    ReplyKey
	Op     string
	Result json.RawMessage // the answer, when Code is ""
	Code   coord.Code
	Error  string
	Time   coord.Millis
}

// Credential binds the hash of a session key to its agent.
type Credential struct {
	Hash    coord.KeyHash
	Agent   coord.AgentID
	Created coord.Millis
}

// InboxEntry puts one event into one agent's inbox.
type InboxEntry struct {
	Agent coord.AgentID
	Seq   coord.Seq
	Prev  coord.Seq // of the entry before it in the same inbox
}

// Counters are the last numbers given out.
type Counters struct {
	Seq, Announcement, Thread, Message, Lease, Wait int64
}

// Changes is what one request does to the store: nouns are put whole (insert or
// replace by id), the rest is appended. Nil and empty fields change nothing.
type Changes struct {
	Agents        []*coord.Agent
	Credentials   []Credential
	Announcements []*coord.Announcement
	Threads       []*coord.Thread
	Leases        []*coord.Lease
	Waits         []*coord.Wait
	Messages      []coord.Message
	Edits         []coord.Edit
	Events        []coord.Event
	Inbox         []InboxEntry
	Receipts      []coord.Receipt   // of entries that are in an inbox, maybe since this request
	FoldCase      []coord.ProjectID // projects that from now on compare paths without letter case
	DropModules   []coord.ProjectID // projects whose dependency map is emptied, before Modules are put
	Modules       []*coord.Module
	Tokens        []coord.TokenUse
	Reply         *Reply
	Counters      Counters // always set: the last numbers after this request
}

// Empty reports whether there is nothing to store.
func (c *Changes) Empty() bool {
	return len(c.Agents)+len(c.Credentials)+len(c.Announcements)+len(c.Threads)+len(c.Leases)+len(c.Waits)+
		len(c.Messages)+len(c.Edits)+len(c.Events)+len(c.Inbox)+len(c.Receipts)+len(c.FoldCase)+len(c.DropModules)+len(c.Modules)+len(c.Tokens) == 0 && c.Reply == nil
}

// Snapshot is what the state is rebuilt from at start.
type Snapshot struct {
	Epoch         coord.Epoch
	Counters      Counters
	Agents        []*coord.Agent
	Heads         map[coord.AgentID]coord.Seq // newest seq of each inbox
	Credentials   []Credential
	Announcements []*coord.Announcement // the live ones
	Threads       []*coord.Thread       // the live ones, and those that ended within 24 hours
	Leases        []*coord.Lease        // those that have not ended
	Waits         []*coord.Wait         // those that have not ended
	Edits         []coord.Edit          // of the last 24 hours, oldest first
	FoldCase      []coord.ProjectID
	Modules       []*coord.Module
	Tokens        []coord.TokenTotal // what is kept, per agent and model
	Mail          []Letter           // what no agent has seen, by agent and seq
}

// Letter is an event in the inbox of an agent that has not seen it.
type Letter struct {
	Event   coord.Event
	Receipt coord.Receipt
}

// Publication is a committed event on its way to the subscribers.
type Publication struct {
	Event      coord.Event
	Recipients []InboxEntry // Seq equals Event.Seq
}

// Publisher rings the doorbell for committed events. Publish must not block and
// must keep the order; what cannot be delivered is dropped and counted, since
// the log is the truth. It is implemented by hub/broker.
type Publisher interface {
	Publish(batch []Publication)
	Stats() PublisherStats

	// Subscribers counts the connections that a publication on the topic would
	// reach now.
	Subscribers(project coord.ProjectID, topic string) int
}

// Statuses keeps the last status of each agent for those who subscribe later.
// [Publisher.Publish] puts the newer ones; these two are for what no event says.
// It is implemented by hub/broker.
type Statuses interface {
	// SetStatus puts the status of an agent that was there before this hub; the
	// payload is the wire form of an agent.status event.
	SetStatus(project coord.ProjectID, agent coord.AgentID, payload []byte)

	// ClearStatus drops the status of an agent that is forgotten.
	ClearStatus(project coord.ProjectID, agent coord.AgentID)
}

// PublisherStats is what status and metrics show of the publisher.
type PublisherStats struct {
	Connections int    `json:"connections"`
	Published   uint64 `json:"published"` // deliveries handed to the broker
	Dropped     uint64 `json:"dropped"`   // events that found the publisher's queue full
}
