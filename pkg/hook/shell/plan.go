package shell

import (
	"path/filepath"
	"strings"
)

// Op is how a target is written.
type Op string

// The ways of writing a file.
const (
	OpRedirect Op = "redirect" // > file
	OpAppend   Op = "append"   // >> file, tee -a
	OpTee      Op = "tee"
	OpInPlace  Op = "in_place" // sed -i, perl -i, sponge, ed
	OpCopy     Op = "copy"     // cp, install, dd of=
	OpMove     Op = "move"     // the destination of mv
	OpRemove   Op = "remove"   // rm, and the source of mv
	OpPatch    Op = "patch"
	OpTouch    Op = "touch" // touch, truncate
	OpLink     Op = "link"
	OpFormat   Op = "format" // a formatter: it may find nothing to do
	OpOutput   Op = "output" // curl -o, sort -o
)

// Target is one file that a command is going to write.
type Target struct {
	// Path is absolute if [Place.Dir] is, not cleaned (".." comes after
	// symbolic links), spelled as the command does.
	Path string
	Op   Op

	// Glob says that Path is a pattern the shell or the program expands; a
	// backslash takes the meaning from the next character.
	Glob bool
	// Tree says that Path stands for all files below it if it is a directory.
	Tree bool
	// Base is the name of the file written in Path if Path is a directory, as
	// for the last argument of cp; "" when Path is the file itself.
	Base string
	// Search, when not nil, says which files below Path are meant instead.
	Search *Search
}

// File gives the path that is written: Path, or Base in it when isDir reports
// that Path is a directory. For a [Target.Glob] the result is a pattern.
func (t Target) File(isDir func(path string) bool) string {
	if t.Base != "" && (strings.HasSuffix(t.Path, "/") || isDir(t.Path)) {
		return filepath.Join(t.Path, t.Base)
	}
	return t.Path
}

// Plan is what a command is going to do to files. The zero Plan writes nothing.
type Plan struct {
	Targets []Target // in the order of the command, each once; never more than 500
	Git     []GitAct // git commands that act on uncommitted files

	// ReadOnly: every part of the command is known to change no file's content.
	ReadOnly bool
	// Unreadable: some part may write files that are not in Targets. Reason is
	// the first, for a log: "make is not known".
	Unreadable bool
	Reason     string
}

// Place is where a command starts.
type Place struct {
	Dir string // the client's working directory, absolute
	Top string // top of the working tree, for $(git rev-parse --show-toplevel); "" = not known

	// Getenv gives the user's environment; only a few variables that a shell
	// does not set anew are asked for, such as HOME. nil = nothing is known.
	Getenv func(string) string

	// Read gives the text of a patch, for what it names; false when it is too long
	// or no plain file. nil = nothing is read.
	Read func(path string) (string, bool)
}

// maxTargets is as many as the hub takes in one question.
const maxTargets = 500

func (p *Plan) add(t Target) {
	if len(p.Targets) == maxTargets {
		p.giveUp("it names more than 500 files")
		return
	}
	for _, have := range p.Targets {
		if have.Path == t.Path && have.Base == t.Base && have.Search == t.Search {
			return
		}
	}
	p.Targets = append(p.Targets, t)
}

func (p *Plan) giveUp(reason string) {
	if !p.Unreadable {
		p.Unreadable, p.Reason = true, reason
	}
}

// done fills what follows from the rest.
func (p *Plan) done() Plan {
	p.ReadOnly = len(p.Targets) == 0 && len(p.Git) == 0 && !p.Unreadable
	return *p
}
