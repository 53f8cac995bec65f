package hook

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hook/shell"
	"github.com/coordhq/coord/pkg/workspace"
)

// maxTree bounds the files that one target which stands for a directory or a
// pattern may name; one that names more is left to what is found afterwards.
const maxTree = 200

// readShell reads what a command is going to write. After the command the same
// files count as written.
func readShell(in *input, tool, command string, getenv func(string) string) {
	read := shell.Read
	if tool == "PowerShell" {
		read = shell.ReadPowerShell
	}
	type found struct {
		files []string
		git   []shell.GitAct

		harmless bool
	}
	done := make(chan found, 1)
	go func() {
		plan := read(command, shell.Place{Dir: in.cwd, Top: topOf(in.cwd), Getenv: getenv, Read: readPatch})
		f := found{git: plan.Git, harmless: plan.ReadOnly}
		for _, t := range plan.Targets {
			f.files = append(f.files, filesOf(t, in.event != coord.HookBeforeTool)...)
		}
		done <- f
	}()
	patience := time.NewTimer(readLimit)
	defer patience.Stop()
	select {
	case f := <-done:
		in.files, in.git, in.harmless = f.files, f.git, f.harmless
	case <-patience.C: // a command made to be slow to read; it is left behind with this process
	}
}

// topOf gives the top of the working tree around a directory, as git would print
// it; "" without one.
func topOf(dir string) string {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return ""
	}
	return workspace.RepositoryAbove(real)
}

// readLimit bounds the reading of one command.
const readLimit = 150 * time.Millisecond

// filesOf names the files behind one target. Of a pattern or directory those
// that exist count; after a removal none does.
func filesOf(t shell.Target, after bool) []string {
	if t.Search != nil {
		return searched(t)
	}
	name := t.File(isDir)
	switch {
	case t.Glob:
		found, err := filepath.Glob(name)
		if err != nil || len(found) > maxTree {
			return nil
		}
		var out []string
		for _, f := range found {
			out = append(out, below(f, t.Tree)...)
		}
		return out
	case after && t.Op == shell.OpFormat:
		return nil // it may have found nothing to do
	}
	return below(name, t.Tree)
}

// below names the files of a directory that stands for all it holds.
func below(name string, tree bool) []string {
	if !isDir(name) {
		return []string{name}
	}
	if !tree {
		return nil
	}
	var out []string
	err := filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir():
			return nil
		case len(out) == maxTree:
			return errTooMany
		}
		out = append(out, file)
		return nil
	})
	if err != nil {
		return nil
	}
	return out
}

// maxSeen bounds the entries that a search may look at.
const maxSeen = 50_000

// searched names the files to which find comes.
func searched(t shell.Target) []string {
	var out []string
	seen := 0
	err := filepath.WalkDir(t.Path, func(file string, d fs.DirEntry, err error) error {
		if seen++; seen > maxSeen {
			return errTooMany
		}
		if err != nil {
			return nil // find says so and goes on
		}
		rel, err := filepath.Rel(t.Path, file)
		if err != nil {
			return err
		}
		if rel == "." {
			rel = ""
		}
		found, deeper := t.Search.Visit(filepath.ToSlash(rel), kindOf(d))
		if found && (!d.IsDir() || t.Tree) {
			out = append(out, below(file, t.Tree)...)
		}
		if len(out) > maxTree {
			return errTooMany
		}
		if d.IsDir() && !deeper {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return out
}

func kindOf(d fs.DirEntry) shell.Kind {
	switch {
	case d.IsDir():
		return shell.Dir
	case d.Type().IsRegular():
		return shell.File
	case d.Type()&fs.ModeSymlink != 0:
		return shell.Link
	}
	return shell.Other
}

// maxPatch is the longest patch that is read, in bytes.
const maxPatch = 1 << 20

// readPatch gives the text of a patch that a command is going to apply.
func readPatch(name string) (string, bool) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // #nosec G304 -- what the user's own client is about to read; a pipe must not block us
	if err != nil {
		return "", false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxPatch {
		return "", false
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxPatch))
	return string(raw), err == nil
}

var errTooMany = errors.New("too many files")

func isDir(name string) bool {
	info, err := os.Stat(name) // #nosec G703 -- looked at, not opened: where the user's own client writes
	return err == nil && info.IsDir()
}
