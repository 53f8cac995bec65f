package shim

import (
	"context"
	"fmt"
	"os"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
	"github.com/coordhq/coord/pkg/shim/spawn"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/workspace"
)

// claudeCode is how Claude Code names itself. Only its own session id is
// believed: other clients may run below it and inherit its environment.
const claudeCode = "claude-code"

// link is a session at a hub that answers. It is replaced, never changed.
type link struct {
	hub      *client.Client
	instance string // of the hub
	me       coord.Registered
	host     coord.HostID
	space    workspace.Workspace
}

// establish finds or starts the hub and becomes an agent there: the one it was
// before, if the hub still knows its key.
//
// The first time is that of a user who begins to work: a hub that was stopped
// by hand is started again. Later ones leave it at that.
func (s *session) establish(ctx context.Context, last *link, first bool) (*link, error) {
	l, err := s.locate(ctx, last)
	if err != nil {
		return nil, err
	}
	hub, hello, err := spawn.Ensure(ctx, spawn.Options{Home: s.o.Home, Version: s.o.Version, HubBinary: s.o.HubBinary, NewUse: first, Log: s.started})
	if err != nil {
		return nil, err
	}
	l.hub, l.instance = hub, hello.Instance
	if last != nil {
		last.hub.Close()
		known, err := l.resume(ctx)
		if known || err != nil {
			return l, err
		}
	}
	l.me, err = hub.Register(ctx, s.registration(l))
	if err != nil {
		hub.Close()
		return nil, err
	}
	if l.me.Project != "" { // the hub knows who else is in this directory
		l.space.Project = l.me.Project
	}
	s.log.Info("registered", "agent", l.me.AgentID, "name", l.me.Name, "project", l.space.Project, "hub", l.instance, "resumed", l.me.Resumed)
	return l, nil
}

// locate prepares the home at the first time, and says where the client works.
func (s *session) locate(ctx context.Context, last *link) (*link, error) {
	if last != nil {
		return &link{me: last.me, host: last.host, space: last.space}, nil
	}
	if err := s.o.Home.Prepare(); err != nil {
		return nil, err
	}
	if err := s.logFile.open(); err != nil {
		s.log.Warn("no log file", "error", err)
	}
	host, err := s.o.Home.HostID()
	if err != nil {
		return nil, err
	}
	space, err := workspace.Locate(ctx, s.workDir(), s.o.Getenv, host)
	if err != nil {
		return nil, err
	}
	if space.Trouble != "" {
		s.log.Warn("git cannot be asked", "directory", space.Cwd, "trouble", space.Trouble)
		s.notices.trouble(space.Top, space.Trouble)
	}
	return &link{host: host, space: space}, nil
}

// workDir is where the client says it works, else where it started us.
func (s *session) workDir() string {
	dir := s.o.Getenv("CLAUDE_PROJECT_DIR")
	if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
		return dir
	}
	return s.o.Dir
}

// resume asks whether the hub still knows the session's key, and where the
// agent stands in its inbox.
func (l *link) resume(ctx context.Context) (known bool, err error) {
	var out tool.SyncOut
	out, err = l.ask(ctx, tool.SyncIn{})
	switch coord.CodeOf(err) {
	case "":
		l.me.Epoch, l.me.Seen, l.me.Head = out.Epoch, out.Seen, out.Head
		return true, nil
	case coord.Unauthorized:
		return false, nil
	}
	l.hub.Close()
	return false, fmt.Errorf("resume the session: %w", err)
}

// registration says who we are. A key of before lets the hub recognise us.
func (s *session) registration(l *link) coord.Registration {
	s.mu.Lock()
	info := s.info
	s.mu.Unlock()
	r := coord.Registration{
		Client: info, PID: s.parent, Project: l.space.Project, Fixed: l.space.Fixed, Workspace: l.space.ID, Branch: l.space.Branch,
		Host: l.host, Label: s.o.AgentName, FoldCase: l.space.FoldCase, Resume: l.me.SessionKey,
	}
	if start, err := process.StartTime(s.parent); err == nil {
		r.PIDStart = start
	}
	if info.Name == claudeCode {
		r.Session = coord.SessionID(s.o.Getenv("CLAUDE_CODE_SESSION_ID"))
	}
	return r
}

// leave tells the hub that the client is gone: what it has got last, then
// goodbye. It does not take longer than leaveLimit.
func (s *session) leave() {
	s.mu.Lock()
	l := s.link
	s.mu.Unlock()
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveLimit)
	defer cancel()
	if seen := s.queue.Seen(); seen > l.me.Seen {
		_, _ = l.ask(ctx, tool.SyncIn{Epoch: l.me.Epoch, Seen: seen}) // a repetition is all that is at stake
	}
	if err := l.hub.Leave(ctx, l.me.SessionKey); err != nil {
		s.log.Info("left without a goodbye", "error", err)
	}
	l.hub.Close()
}
