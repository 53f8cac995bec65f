package hook

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook/reconcile"
)

// ReconcileWord is the subcommand under which this program looks at a working
// tree after the hook has ended.
const ReconcileWord = "reconcile"

// ReconcileDir is where hooks and their children leave what shell commands have
// written, below the home.
func ReconcileDir(home config.Home) string { return filepath.Join(home.RunDir(), "reconcile") }

// Reconcile is the child that a hook leaves behind after a shell command: it asks
// git what has changed in a working tree. The session's next hook tells the hub.
func Reconcile(ctx context.Context, dir string, ws coord.WorkspaceID) int {
	store, err := reconcile.New(reconcile.Options{Dir: dir})
	if err != nil || store.Serve(ctx, ws) != nil {
		return exitFailed
	}
	return exitOK
}

// findings adds to a call what the session's shell commands have written: what
// children of earlier hooks have found and, after a command that may write, what
// the times of files tell. They are hints: what goes wrong here is let be.
func (r *run) findings(ctx context.Context, call *coord.HookCall) {
	store, err := reconcile.New(reconcile.Options{Dir: ReconcileDir(r.settings.Home)})
	if err != nil {
		return
	}
	for _, report := range store.Collect(call.Session) {
		call.Found = append(call.Found, reported(report)...)
	}
	over := r.in.event == coord.HookAfterTool || r.in.event == coord.HookToolFailed
	if over && call.Tool == coord.ShellTool && !r.in.harmless {
		r.look(ctx, store, call)
	}
	call.Found = call.Found[:min(len(call.Found), maxFound)]
}

// maxFound is as many findings as the hub takes in one call.
const maxFound = 500

// look finds what the command that has just ended has written.
func (r *run) look(ctx context.Context, store *reconcile.Store, call *coord.HookCall) {
	answer, err := r.hub.post(coord.HookWatch, *call)
	if err != nil || answer.Watch == nil {
		return
	}
	during := interval(r.began, call.Duration, answer.Watch.Began)
	if during.From.Equal(during.To) {
		return // nobody knows how long it ran
	}
	others := spans(answer.Watch.Others)
	files, names := map[string]coord.HookFile{}, []string{}
	add := func(name string, f coord.HookFile) {
		if _, have := files[name]; !have && !slices.Contains(call.Files, f) {
			files[name], names = f, append(names, name)
		}
	}
	for _, p := range answer.Watch.Files {
		add(filepath.Join(r.here.Top, filepath.FromSlash(p.String())), coord.HookFile{Path: p, Project: r.here.Project, Workspace: r.here.ID})
	}
	listed := map[string]bool{}
	for _, name := range r.in.changed {
		if f, _, ok, err := r.places.file(ctx, r.here, name); err == nil && ok {
			real := filepath.Join(r.here.Top, filepath.FromSlash(f.Path.String()))
			if f.Workspace != r.here.ID {
				real = name
			}
			add(real, f)
			listed[real] = true
		}
	}
	for _, w := range reconcile.Written(reconcile.Look(names), during, others) {
		call.Found = append(call.Found, found(files[w.File], call.Subagent, during, w))
		delete(listed, w.File)
	}
	for name := range listed { // the client says so, the file's times do not
		if f, ok := files[name]; ok {
			call.Found = append(call.Found, found(f, call.Subagent, during, reconcile.Finding{Ambiguous: true}))
		}
	}
	if !r.in.listed && r.here.Git {
		r.later(store, reconcile.Ticket{Session: call.Session, Subagent: call.Subagent, ToolUse: call.ToolUse, Workspace: r.here.ID, Project: r.here.Project,
			Top: r.here.Top, Call: during, Others: others})
	}
}

// later leaves the rest to a child, which outlives this process.
func (r *run) later(store *reconcile.Store, t reconcile.Ticket) {
	self, err := os.Executable()
	if err != nil {
		return
	}
	if child, err := store.Later([]string{self, ReconcileWord}, t); err == nil && child != nil {
		_ = child.Release()
	}
}

// interval is when a command ran: as long as the client says, else since its
// hook let it through.
func interval(end time.Time, took int64, began coord.Millis) reconcile.Interval {
	if took == 0 && began > 0 {
		took = max(coord.At(end).Sub(began).Milliseconds(), 0)
	}
	return reconcile.During(end, time.Duration(took)*time.Millisecond)
}

// spans are given in whole milliseconds: what ends in one lasts until the next.
func spans(in []coord.HookSpan) []reconcile.Interval {
	out := make([]reconcile.Interval, len(in))
	for i, s := range in {
		out[i].From = s.From.Time()
		if s.To > 0 {
			out[i].To = s.To.Time().Add(time.Millisecond)
		}
	}
	return out
}

// reported gives the findings of a child in the hub's words.
func reported(r reconcile.Report) []coord.HookFound {
	var out []coord.HookFound
	for _, w := range r.Found {
		rel, err := filepath.Rel(r.Top, w.File)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue
		}
		p, err := coord.ParseDiskName(filepath.ToSlash(rel))
		if err != nil {
			continue
		}
		out = append(out, found(coord.HookFile{Path: p, Project: r.Project, Workspace: r.Workspace}, r.Subagent, r.Call, w))
	}
	return out
}

func found(f coord.HookFile, subagent string, during reconcile.Interval, w reconcile.Finding) coord.HookFound {
	return coord.HookFound{File: f, Subagent: subagent, From: coord.At(during.From), To: coord.At(during.To), Gone: w.Gone, Unsure: w.Ambiguous}
}
