package reconcile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

// memory is what is kept of one working tree between calls.
type memory struct {
	Workspace coord.WorkspaceID `json:"workspace"`

	Over int             `json:"over,omitempty"` // times in a row over the limit
	Off  time.Time       `json:"off,omitzero"`   // since when it is not looked at
	Gone map[string]bool `json:"gone"`           // files already known to be removed; nil = not looked yet
}

// Off reports whether a working tree is not looked at any more, because git
// status took longer than the limit twice in a row; since says from when. After
// a day it is tried again. Shown to the user in the status.
func (s *Store) Off(ws coord.WorkspaceID) (since time.Time, off bool) {
	var m memory
	if !load(s.file(string(ws), ".tree"), &m) || m.Off.IsZero() || s.Now().Sub(m.Off) > offFor {
		return time.Time{}, false
	}
	return m.Off, true
}

// Pause is a working tree that is not looked at, see [Store.Off].
type Pause struct {
	Workspace coord.WorkspaceID `json:"workspace"`
	Since     time.Time         `json:"since"`
}

// Paused lists the working trees that are not looked at any more, for a status.
// It makes nothing: a directory that is not there has none.
func Paused(dir string, now time.Time) []Pause {
	names, _ := filepath.Glob(filepath.Join(dir, "*.tree"))
	var out []Pause
	for _, name := range names {
		var m memory
		if load(name, &m) && m.Workspace != "" && !m.Off.IsZero() && now.Sub(m.Off) <= offFor {
			out = append(out, Pause{m.Workspace, m.Off})
		}
	}
	return out
}

// Serve is the child: it answers the tickets of one working tree with one git
// status for all that wait, and ends. While another process does, it ends at
// once; that one sees the ticket. An error is for a log only.
func (s *Store) Serve(ctx context.Context, ws coord.WorkspaceID) error {
	ctx, cancel := context.WithTimeout(ctx, childLife)
	defer cancel()
	defer s.sweep()
	lock := flock.New(s.file(string(ws), ".lock"), flock.SetPermissions(0o600))
	for len(s.tickets(ws)) > 0 { // looked again after the lock is given up: a ticket may have come
		held, err := lock.TryLock()
		if err != nil || !held {
			return err
		}
		err = errors.Join(s.answer(ctx, ws), lock.Unlock())
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) tickets(ws coord.WorkspaceID) []string {
	names, _ := filepath.Glob(s.file(string(ws), ".*.ticket"))
	return names
}

// answer serves the tickets that are there now.
func (s *Store) answer(ctx context.Context, ws coord.WorkspaceID) error {
	var tickets []Ticket
	for _, name := range s.tickets(ws) {
		var t Ticket
		if load(name, &t) && t.Workspace == ws && filepath.IsAbs(t.Top) {
			tickets = append(tickets, t)
		}
		if err := os.Remove(name); err != nil {
			return err // it would be served for ever
		}
	}
	if len(tickets) == 0 {
		return nil
	}
	var m memory
	load(s.file(string(ws), ".tree"), &m)
	m.Workspace = ws
	changes, err := s.status(ctx, tickets[0].Top, &m)
	if err == nil {
		err = s.report(tickets, changes, &m)
	}
	return errors.Join(err, s.leave(key(string(ws))+".tree", m))
}

// status asks git, and counts how often it took too long.
func (s *Store) status(ctx context.Context, top string, m *memory) ([]workspace.Change, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Limit)
	defer cancel()
	changes, err := workspace.Status(ctx, top)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		if m.Over++; m.Over >= maxOver {
			m.Off, m.Over = s.Now(), 0
		}
		return nil, err
	case err == nil:
		m.Over, m.Off = 0, time.Time{}
	}
	return changes, err
}

// report leaves each session what its call has written.
func (s *Store) report(tickets []Ticket, changes []workspace.Change, m *memory) error {
	known := m.Gone
	m.Gone = map[string]bool{}
	files := make([]string, 0, len(changes))
	for _, c := range changes {
		if c.Gone() {
			if len(m.Gone) < maxReport {
				m.Gone[c.Disk] = true
			}
			if known[c.Disk] {
				continue
			}
		}
		files = append(files, filepath.Join(tickets[0].Top, filepath.FromSlash(c.Disk)))
	}
	stats := Look(files)
	var errs []error
	for _, t := range tickets {
		r := Report{Ticket: t, Found: Written(stats, t.Call, t.Others)}
		for i, f := range r.Found {
			r.Found[i].Ambiguous = f.Ambiguous || f.Gone && known == nil
		}
		if r.More = max(0, len(r.Found)-maxReport); r.More > 0 {
			r.Found = r.Found[:maxReport]
		}
		if len(r.Found) > 0 {
			errs = append(errs, s.leave(key(string(t.Session))+".*.found", r))
		}
	}
	return errors.Join(errs...)
}
