package setup

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/workspace"
)

// Options say what to connect, and how.
type Options struct {
	Home    config.Home         // required; keeps the record
	Getenv  func(string) string // required; HOME and the places of clients
	Dir     string              // the project to connect, absolute; "" with User, or for a snippet
	User    bool                // connect every project of this user
	Clients []Client            // none = Claude

	Hub  string // a hub's URL: a team hub for the shim, any hub with HTTP; "" = this user's own
	HTTP bool   // let the client call /mcp instead of starting a shim

	Plugin   bool // Claude Code: the server and the hooks come with the plugin
	Shared   bool // Claude Code: settings.json, which is committed, in place of settings.local.json
	NoHooks  bool // Claude Code: no hooks
	NoMemory bool // Claude Code: no section in CLAUDE.md

	StatusLine bool // Claude Code: a status line, if there is none

	Shim, Hook string                               // programs to name; "" = the bare names, found on the PATH
	Find       func(program string) (string, error) // where a program is, for User, whose projects have any PATH; nil = the bare names

	project coord.ProjectID // of Dir, with HTTP
	exclude string          // of the clone around Dir: what git ignores there; "" = no repository
	leftOut bool            // the settings there need no rule
}

func (o *Options) validate(ctx context.Context) error {
	switch {
	case o.Home.Dir() == "" || o.Getenv == nil:
		return errors.New("setup: Options.Home and Getenv are required")
	case o.User && o.Dir != "":
		return coord.Errorf(coord.Invalid, "name a directory, or give --user", "a directory and --user exclude each other")
	case o.User && o.Shared:
		return coord.Errorf(coord.Invalid, "leave one out", "--shared is for a project, --user for all of them")
	case o.Plugin && o.HTTP:
		return coord.Errorf(coord.Invalid, "leave one out", "the plugin starts a shim, --http is without one")
	case o.place().home == "":
		return coord.Errorf(coord.Invalid, "set HOME", "HOME is not set")
	}
	if len(o.Clients) == 0 {
		o.Clients = []Client{Claude}
	}
	if o.Plugin && !slices.Contains(o.Clients, Claude) {
		return coord.Errorf(coord.Invalid, "leave --plugin out", "the plugin is for Claude Code")
	}
	if o.Hub != "" {
		hub, err := origin(o.Hub, o.Getenv)
		if err != nil {
			return err
		}
		o.Hub = hub
	}
	if err := o.locate(ctx); err != nil {
		return err
	}
	return o.findPrograms()
}

func (o *Options) findPrograms() (err error) {
	find := o.Find
	if find == nil || !o.User {
		find = func(program string) (string, error) { return program, nil }
	}
	if o.Shim == "" && err == nil {
		o.Shim, err = find(shimProgram)
	}
	if o.Hook == "" && err == nil && !o.NoHooks {
		o.Hook, err = find(hookProgram)
	}
	return err
}

// locate finds the real directory, and its project if that will be written.
func (o *Options) locate(ctx context.Context) error {
	if o.Dir == "" {
		return nil
	}
	real, err := filepath.EvalSymlinks(o.Dir)
	if err != nil {
		return coord.Errorf(coord.Invalid, "name an existing directory", "%s cannot be entered: %v", o.Dir, err)
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return coord.Errorf(coord.Invalid, "name an existing directory", "%s is not a directory", o.Dir)
	}
	o.Dir = real
	if o.exclude = workspace.ExcludeFile(ctx, o.Dir); o.exclude != "" {
		o.leftOut = workspace.LeftOut(ctx, o.Dir, filepath.Join(".claude", "settings.local.json"))
	}
	if !o.HTTP {
		return nil
	}
	w, err := workspace.Locate(ctx, o.Dir, o.Getenv, "")
	o.project = w.Project
	return err
}

func (o *Options) place() place { return place{home: o.Getenv("HOME"), getenv: o.Getenv} }

// defaultAddress is where a hub listens unless it had to move.
const defaultAddress = "http://127.0.0.1:3100"

func (o *Options) connection() connection {
	c := connection{shim: o.Shim, hub: o.Hub}
	if o.HTTP {
		hub := o.Hub
		if d, err := config.ReadDiscovery(o.Home); hub == "" && err == nil && d.HTTP != "" {
			hub = "http://" + d.HTTP
		}
		if hub == "" {
			hub = defaultAddress
		}
		c.address = mcpAddress(hub, o.project)
	}
	return c
}

// Action says what happened to a file.
type Action string

// Actions of Init and Uninstall.
const (
	Made      Action = "made"      // there was none
	Changed   Action = "changed"   // our part is in, or out, the rest is as it was
	Unchanged Action = "unchanged" // there was nothing to do
	Restored  Action = "restored"  // the exact bytes of before are back
	Removed   Action = "removed"   // we had made it
)

// FileResult is what happened to one file.
type FileResult struct {
	Path   string `json:"path"`
	Client Client `json:"client"`
	Action Action `json:"action"`
	Note   string `json:"note,omitempty"`
}

// Result is what Init or Uninstall did.
type Result struct {
	Files []FileResult `json:"files"`
	Notes []string     `json:"notes"` // what the user should know or do
}

func (r *Result) note(text string) { r.Notes = append(r.Notes, text) }

// step is one file to write.
type step struct {
	part
	file file
	text []byte // what to write
	was  *written
}

// Init connects the clients. Either every file is written or none; an error
// names the file that was in the way.
func Init(ctx context.Context, o Options) (Result, error) {
	out := Result{Files: []FileResult{}, Notes: []string{}}
	if err := o.validate(ctx); err != nil {
		return out, err
	}
	if o.Dir == "" && !o.User {
		return out, errors.New("setup: Options.Dir or User is required")
	}
	if err := o.settleHooks(&out); err != nil {
		return out, err
	}
	if err := o.settleStatusLine(&out); err != nil {
		return out, err
	}
	if o.Hub != "" && !o.HTTP {
		out.note("COORDINATOR_URL is written, but nothing uses it yet: this version has no hubs for teams, the sessions work with your own hub")
	}
	parts, err := o.parts()
	if err != nil {
		return out, err
	}
	if err := o.Home.Prepare(); err != nil {
		return out, err
	}
	r, err := openRecord(ctx, o.Home)
	if err != nil {
		return out, err
	}
	defer r.close()
	steps, err := o.plan(parts, r)
	if err != nil {
		return out, err
	}
	return out, o.run(steps, r, &out)
}

// plan reads every file and works out what to write, without writing.
func (o *Options) plan(parts []part, r *record) ([]step, error) {
	var steps []step
	for _, p := range parts {
		f, err := o.open(p.kind, p.path)
		if err != nil {
			return nil, err
		}
		if p.client == Claude && p.path == o.place().claudeHome()+string(filepath.Separator)+".claude.json" && f.text == nil {
			f.mode = 0o600 // as the client makes it
		}
		text, err := p.format.add(f.text)
		if err != nil {
			return nil, invalid(p.path, err)
		}
		steps = append(steps, step{part: p, file: f, text: text, was: r.find(f.real)})
	}
	return steps, nil
}

// open reads a file that we write. That of a clone may lie outside of Dir.
func (o *Options) open(k kind, name string) (file, error) {
	if k == excludeKind {
		return openFile("", name)
	}
	return openFile(o.Dir, name)
}

func invalid(name string, err error) error {
	return &coord.Error{Code: coord.Invalid, What: name + " cannot be edited: " + strings.TrimPrefix(err.Error(), "hujson: "), Next: "correct it, nothing was changed", Err: err}
}

// run writes the steps. The record goes first: a crash between the two leaves a
// record of bytes that are still there.
func (o *Options) run(steps []step, r *record, out *Result) error {
	var done []step
	for _, s := range steps {
		result := FileResult{Path: s.path, Client: s.client, Action: Changed}
		if s.file.linked() {
			result.Note = "a symbolic link, so " + s.file.real + " was written"
		}
		switch {
		case s.file.text != nil && bytes.Equal(s.text, s.file.text):
			result.Action = Unchanged
			out.Files = append(out.Files, result)
			continue
		case s.file.text == nil:
			result.Action = Made
		}
		entry, err := o.entry(s)
		if err == nil {
			r.put(entry)
			err = r.save()
		}
		if err == nil && !s.file.unchanged() {
			err = coord.Errorf(coord.Conflict, "run it again", "%s was changed by somebody else in this moment", s.path)
		}
		if err == nil {
			err = s.file.write(s.text)
		}
		if err != nil {
			return errors.Join(err, takeBack(append(done, s), r))
		}
		done = append(done, s)
		out.Files = append(out.Files, result)
	}
	return nil
}

// entry records a step. A file that we wrote before and nobody touched since
// keeps the bytes of before us; one that was touched counts as it would be
// without our part.
func (o *Options) entry(s step) (written, error) {
	w := written{Path: s.file.real, Place: o.Dir, Client: s.client, Kind: s.kind, Made: s.file.text == nil, Old: s.file.text,
		Sum: sum(s.text), Dirs: s.file.dirs, Mode: s.file.mode}
	if s.was == nil || s.file.text == nil {
		return w, nil
	}
	w.Dirs = s.was.Dirs
	if sum(s.file.text) == s.was.Sum {
		w.Made, w.Old = s.was.Made, s.was.Old
		return w, nil
	}
	c, err := clientNamed(s.client)
	if err != nil {
		return w, err
	}
	clean, err := remover(c, s.kind).remove(s.file.text, s.was.Old)
	w.Made, w.Old = clean == nil, clean
	return w, err
}

// takeBack undoes steps of a run that failed.
func takeBack(steps []step, r *record) error {
	var errs []error
	for _, s := range slices.Backward(steps) {
		errs = append(errs, s.file.write(s.file.text))
		for _, dir := range slices.Backward(s.file.dirs) {
			_ = os.Remove(dir) // only if it is empty
		}
		r.forget(s.file.real)
		if s.was != nil {
			r.put(*s.was)
		}
	}
	return errors.Join(append(errs, r.save())...)
}

// Snippet gives what Init would put into each file, for somebody who does that
// by hand.
func Snippet(ctx context.Context, o Options) ([]Part, error) {
	o.Dir = ""
	if err := o.validate(ctx); err != nil {
		return nil, err
	}
	parts, err := o.parts()
	if err != nil {
		return nil, err
	}
	var out []Part
	for _, p := range parts {
		text, err := p.format.add(nil)
		if err != nil {
			return nil, err
		}
		out = append(out, Part{File: p.path, Client: p.client, Text: string(text)})
	}
	return out, nil
}

// Part is the text of ours for one file.
type Part struct {
	File   string `json:"file"` // relative to a project, or absolute
	Client Client `json:"client"`
	Text   string `json:"text"`
}
