package sqlite

import (
	"encoding/json"
	"fmt"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub"
)

// putters store the parts of a Changes, those that are referred to first.
var putters = [...]func(*writer, *hub.Changes) error{
	(*writer).putAgents,
	(*writer).putCredentials,
	(*writer).putAnnouncements,
	(*writer).putThreads,
	(*writer).putParties,
	(*writer).putLeases,
	(*writer).putWaits,
	(*writer).putMessages,
	(*writer).putEdits,
	(*writer).putEvents,
	(*writer).putInbox,
	(*writer).putReceipts,
	(*writer).putFoldCase,
	(*writer).putModules,
	(*writer).putTokens,
	(*writer).putReply,
}

func (w *writer) put(c *hub.Changes) error {
	for _, put := range putters {
		if err := put(w, c); err != nil {
			return err
		}
	}
	return nil
}

// noun stores one row that ends with the JSON of v.
func (w *writer) noun(s statement, v any, columns ...any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.exec(s, append(columns, string(body))...)
}

func (w *writer) putAgents(c *hub.Changes) error {
	for _, a := range c.Agents {
		if err := w.noun(putAgent, a, string(a.ID), string(a.Project), string(a.Status), a.Live(),
			int64(a.LastSeen), int64(a.Seen)); err != nil {
			return fmt.Errorf("agent %s: %w", a.ID, err)
		}
	}
	return nil
}

func (w *writer) putCredentials(c *hub.Changes) error {
	for _, k := range c.Credentials {
		if err := w.exec(putCredential, k.Hash[:], string(k.Agent), int64(k.Created)); err != nil {
			return fmt.Errorf("credential of %s: %w", k.Agent, err)
		}
	}
	return nil
}

func (w *writer) putAnnouncements(c *hub.Changes) error {
	for _, a := range c.Announcements {
		if err := w.noun(putAnnouncement, a, string(a.Project), string(a.ID), string(a.Agent), string(a.State), a.Live(),
			int64(a.Created), int64(a.Ended)); err != nil {
			return fmt.Errorf("announcement %s: %w", a.ID, err)
		}
	}
	return nil
}

func (w *writer) putThreads(c *hub.Changes) error {
	for _, t := range c.Threads {
		number, _ := coord.Ordinal("T", t.ID)
		if err := w.noun(putThread, t, string(t.Project), string(t.ID), number, t.RunID, string(t.Initiator), string(t.Status), t.Status.Live(),
			int64(t.Created), int64(t.Ended)); err != nil {
			return fmt.Errorf("thread %s: %w", t.ID, err)
		}
	}
	return nil
}

// putParties notes who takes part in a thread, or is to. Nobody is ever taken
// off: who left it took part.
func (w *writer) putParties(c *hub.Changes) error {
	for _, t := range c.Threads {
		for _, a := range append(append(t.Participants(), t.Parties...), t.AssignedTo) {
			if a == "" {
				continue
			}
			if err := w.exec(putParty, string(t.Project), string(a), string(t.ID)); err != nil {
				return fmt.Errorf("party %s of thread %s: %w", a, t.ID, err)
			}
		}
	}
	return nil
}

func (w *writer) putLeases(c *hub.Changes) error {
	for _, l := range c.Leases {
		if err := w.noun(putLease, l, string(l.Project), string(l.ID), string(l.Agent), string(l.Workspace), l.Path.String(),
			int64(l.Taken), int64(l.Ended)); err != nil {
			return fmt.Errorf("lease %s: %w", l.ID, err)
		}
	}
	return nil
}

func (w *writer) putWaits(c *hub.Changes) error {
	for _, q := range c.Waits {
		if err := w.noun(putWait, q, string(q.Project), string(q.ID), string(q.Agent), int64(q.Since), int64(q.Ended)); err != nil {
			return fmt.Errorf("wait %s: %w", q.ID, err)
		}
	}
	return nil
}

func (w *writer) putMessages(c *hub.Changes) error {
	for i := range c.Messages {
		m := &c.Messages[i]
		if err := w.noun(putMessage, m, string(m.Project), string(m.ID), string(m.Thread), int64(m.Seq),
			int64(m.Time)); err != nil {
			return fmt.Errorf("message %s in thread %s: %w", m.ID, m.Thread, err)
		}
	}
	return nil
}

func (w *writer) putEdits(c *hub.Changes) error {
	for i := range c.Edits {
		e := &c.Edits[i]
		if err := w.exec(putEdit, string(e.Project), string(e.Workspace), e.Path.String(), string(e.Agent), int64(e.Time),
			e.Summary); err != nil {
			return fmt.Errorf("edit of %s: %w", e.Path, err)
		}
	}
	return nil
}

func (w *writer) putEvents(c *hub.Changes) error {
	for i := range c.Events {
		e := &c.Events[i]
		if err := w.exec(putEvent, int64(e.Seq), string(e.Project), string(e.Kind), string(e.Actor), string(e.Thread),
			int64(e.Time), string(e.Priority), string(e.Payload)); err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	return nil
}

func (w *writer) putInbox(c *hub.Changes) error {
	for _, e := range c.Inbox {
		if err := w.exec(putInbox, string(e.Agent), int64(e.Seq), int64(e.Prev)); err != nil {
			return fmt.Errorf("event %d for %s: %w", e.Seq, e.Agent, err)
		}
	}
	return nil
}

func (w *writer) putReceipts(c *hub.Changes) error {
	for _, r := range c.Receipts {
		if err := w.exec(putReceipt, string(r.State), string(r.Rung), int64(r.At), r.Offers, string(r.Agent), int64(r.Seq)); err != nil {
			return fmt.Errorf("receipt of event %d for %s: %w", r.Seq, r.Agent, err)
		}
	}
	return nil
}

func (w *writer) putFoldCase(c *hub.Changes) error {
	for _, p := range c.FoldCase {
		if err := w.exec(putFoldCase, string(p)); err != nil {
			return fmt.Errorf("case policy of %s: %w", p, err)
		}
	}
	return nil
}

func (w *writer) putModules(c *hub.Changes) error {
	for _, p := range c.DropModules {
		if err := w.exec(dropModules, string(p)); err != nil {
			return fmt.Errorf("drop modules of %s: %w", p, err)
		}
	}
	for _, m := range c.Modules {
		if err := w.noun(putModule, m, string(m.Project), string(m.ID), int64(m.Updated)); err != nil {
			return fmt.Errorf("module %s: %w", m.ID, err)
		}
	}
	return nil
}

func (w *writer) putTokens(c *hub.Changes) error {
	for i := range c.Tokens {
		u := &c.Tokens[i]
		if err := w.exec(putTokens, string(u.Agent), string(u.Project), u.Model, u.Turn, u.Input, u.Output, u.CacheRead, u.CacheCreation, u.Thinking,
			int64(u.Time)); err != nil {
			return fmt.Errorf("tokens of %s: %w", u.Agent, err)
		}
	}
	return nil
}

func (w *writer) putReply(c *hub.Changes) error {
	r := c.Reply
	if r == nil {
		return nil
	}
	if err := w.exec(putReply, string(r.Key.Agent), r.Key.Key, r.Op, string(r.Result), string(r.Code), r.Error,
		int64(r.Time)); err != nil {
		return fmt.Errorf("reply to %s: %w", r.Key.Key, err)
	}
	return nil
}
