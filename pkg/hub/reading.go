package hub

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// findThread gives a thread from memory or, when it ended long ago, from the
// store.
func (h *Hub) findThread(ctx context.Context, project coord.ProjectID, id coord.ThreadID) (*coord.Thread, error) {
	h.mu.RLock()
	th := h.state.threads[id]
	h.mu.RUnlock()
	if th != nil && th.Project == project {
		return th, nil
	}
	th, err := h.store.Thread(ctx, project, id)
	switch {
	case coord.CodeOf(err) == coord.NotFound:
		return nil, noThread(id)
	case err != nil:
		return nil, storage(err)
	}
	return th, nil
}

// archivedThread gives a thread that is no longer in memory, nil for any other.
func (h *Hub) archivedThread(ctx context.Context, project coord.ProjectID, id coord.ThreadID) (*coord.Thread, error) {
	if _, ok := coord.Ordinal("T", id); !ok {
		return nil, nil
	}
	th, err := h.findThread(ctx, project, id)
	if coord.CodeOf(err) == coord.NotFound {
		return nil, nil // the rule says so, in its own words
	}
	return th, err
}

// getThread reads a thread, from memory or the store, and a page of messages.
func (h *Hub) getThread(ctx context.Context, c coord.Caller, in tool.GetThreadIn) (tool.ThreadView, error) {
	th, err := h.findThread(ctx, c.Project, in.ThreadID)
	if err != nil {
		return tool.ThreadView{}, err
	}
	messages, more, err := h.store.Messages(ctx, c.Project, in.ThreadID, in.SinceSeq, orDefault(in.Limit, defaultPage))
	if err != nil {
		return tool.ThreadView{}, storage(err)
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	out := h.state.view(th)
	p := newPage[tool.MessageView](in.Limit)
	p.room = maxAnswer - len(mustJSON(out)) - followingFields
	had := in.Offset
	for i, m := range messages {
		v := h.state.messageView(m)
		if i == 0 && had > 0 {
			v.Content = dropRunes(v.Content, had)
		}
		if i == 0 { // it is shown in any case, if need be in parts
			cutMessage(&v, p.room)
		}
		if !p.add(v) {
			break
		}
		if v.Cut {
			out.NextOffset = had + utf8.RuneCountInString(v.Content)
			break
		}
		out.NextSeq = m.Seq
	}
	out.Messages, out.More = p.rows, more+len(messages)-len(p.rows)
	if out.More == 0 && out.NextOffset == 0 {
		out.NextSeq = 0
	}
	if out.NextOffset > 0 {
		out.NextSeq = in.SinceSeq
	}
	return out, nil
}

// followingFields is what a page of messages adds to a thread's view beside the
// messages, in bytes: their names and numbers.
const followingFields = len(`,"messages":[],"more_messages":1000000,"next_seq":9000000000000000,"next_offset":4000`)

// cutMessage shortens the content of a message so that its view fits into so
// many bytes, if these are not too few to say anything.
func cutMessage(v *tool.MessageView, room int) {
	over := len(mustJSON(v)) - max(room, minMessage)
	if over <= 0 {
		return
	}
	v.Cut = true
	v.Content = prefix(v.Content, max(jsonSize(v.Content)-over-len(`,"cut":true`), minContent))
}

// What the first message of a page gets in any case, in bytes.
const (
	minMessage = 1 << 10
	minContent = 200 // of its content, whatever its author is called
)

// threadUpdates reads on in all threads of the caller, or in one of any.
func (h *Hub) threadUpdates(ctx context.Context, c coord.Caller, in tool.GetThreadUpdatesIn) (tool.GetThreadUpdatesOut, error) {
	out := tool.GetThreadUpdatesOut{NextSeq: in.SinceSeq}
	p := newPage[tool.MessageView](in.Limit)
	messages, err := h.messagesFor(ctx, c, in, p.limit+1)
	if err != nil {
		return out, err
	}
	for _, m := range messages {
		v := h.state.messageView(m)
		cutMessage(&v, maxPage)
		if out.More = !p.add(v); out.More {
			break
		}
		out.NextSeq = m.Seq
	}
	out.Messages = p.rows
	return out, nil
}

func (h *Hub) messagesFor(ctx context.Context, c coord.Caller, in tool.GetThreadUpdatesIn, limit int) (messages []coord.Message, err error) {
	if in.ThreadID == "" {
		messages, err = h.store.Updates(ctx, c.Project, c.Agent, in.SinceSeq, limit)
	} else {
		if _, err := h.findThread(ctx, c.Project, in.ThreadID); err != nil {
			return nil, err
		}
		messages, _, err = h.store.Messages(ctx, c.Project, in.ThreadID, in.SinceSeq, limit)
	}
	if err != nil {
		return nil, storage(err)
	}
	return messages, nil
}

// Bounds of one search through the stored threads.
const (
	scanStep = 200
	maxScan  = 2000 // threads that a module is looked for in before the caller has to ask on
)

// listThreads lists stored threads, the newest first. The store knows the live
// ones too: a committed change is in both.
func (h *Hub) listThreads(ctx context.Context, c coord.Caller, in tool.ListThreadsIn) (tool.ListThreadsOut, error) {
	f, err := h.threadFilter(c, in)
	if err != nil {
		return tool.ListThreadsOut{}, err
	}
	p := newPage[tool.ThreadRow](in.Limit)
	for scanned := 0; ; {
		batch, err := h.store.Threads(ctx, f, scanStep)
		switch {
		case err != nil:
			return tool.ListThreadsOut{}, storage(err)
		case len(batch) == 0:
			return tool.ListThreadsOut{Threads: p.rows}, nil
		}
		for _, th := range batch {
			if (in.Module == "" || touchesModule(th, in.Module)) && !p.add(h.threadRow(th)) {
				return tool.ListThreadsOut{Threads: p.rows, NextCursor: string(last(p.rows).ThreadID)}, nil
			}
		}
		if scanned += len(batch); scanned >= maxScan {
			return tool.ListThreadsOut{Threads: p.rows, NextCursor: string(last(batch).ID)}, nil
		}
		f.Before, _ = coord.Ordinal("T", last(batch).ID)
	}
}

func last[T any](rows []T) T { return rows[len(rows)-1] }

// threadFilter says what the store is to pick.
func (h *Hub) threadFilter(c coord.Caller, in tool.ListThreadsIn) (ThreadFilter, error) {
	f := ThreadFilter{Project: c.Project, Status: in.Status, RunID: in.RunID}
	if in.Cursor != "" {
		n, ok := coord.Ordinal("T", coord.ThreadID(in.Cursor))
		if !ok {
			return f, badCursor(in.Cursor)
		}
		f.Before = n
	}
	if in.Agent != "" {
		h.mu.RLock()
		a, err := h.state.findAgent(c.Project, in.Agent)
		h.mu.RUnlock()
		if err != nil {
			return f, err
		}
		f.Agent = a.ID
	}
	switch {
	case !in.Mine:
	case c.Agent == "":
		return f, coord.Errorf(coord.Invalid, "name an agent instead", "mine: an operator takes part in no thread")
	case f.Agent != "" && f.Agent != c.Agent:
		return f, coord.Errorf(coord.Invalid, "leave one of the two out", "mine and agent name two agents")
	default:
		f.Agent = c.Agent
	}
	return f, nil
}

// touchesModule reports whether a thread declared the module, one inside it or
// one around it.
func touchesModule(th *coord.Thread, module string) bool {
	want := place(module)
	return slices.ContainsFunc(th.Modules, func(m string) bool {
		has := place(m)
		return within(has, want) || within(want, has)
	})
}

// within reports whether a place is another or lies in it.
func within(inner, outer string) bool {
	return inner == outer || len(inner) > len(outer) && inner[:len(outer)] == outer && inner[len(outer)] == '/'
}

// maxRowFiles bounds the files named in a row of a list.
const maxRowFiles = 3

func (h *Hub) threadRow(th *coord.Thread) tool.ThreadRow {
	h.mu.RLock()
	defer h.mu.RUnlock()
	row := tool.ThreadRow{ThreadID: th.ID, Status: th.Status, Type: th.Resolution, Subject: th.Subject, AnnouncementID: th.Announcement,
		Initiator: h.state.refOf(th.Initiator), AssignedTo: th.AssignedTo, KeepOpen: th.KeepOpen, RunID: th.RunID, Files: list(th.Paths), Score: th.Score, Round: th.Round,
		Deadline: th.Deadline, Created: th.Created, Ended: th.Ended}
	row.Respondents, row.MoreRespondents = h.state.someRefs(th.Respondents)
	if th.Claimer != "" {
		ref := h.state.refOf(th.Claimer)
		row.Claimer = &ref
	}
	if n := len(row.Files); n > maxRowFiles {
		row.Files, row.MoreFiles = row.Files[:maxRowFiles], n-maxRowFiles
	}
	return row
}
