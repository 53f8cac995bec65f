package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Bounds of one reading. A command that goes over one of them is unreadable
// from there on; they keep the worst input at about a tenth of a second.
const (
	maxCommand = 32 << 10 // bytes that are parsed, long here-documents not counted
	maxSteps   = 5_000    // commands looked at, each round of a loop counted
	maxFields  = 50_000   // words made by expansion
	maxDepth   = 100      // statements inside statements
	maxNested  = 8        // shells, functions and substitutions inside each other
	maxVars    = 200
	maxValue   = 4 << 10 // bytes of one word that is kept
)

// Read reads a command for bash, sh or zsh. It never fails: what it does not
// understand makes the plan Unreadable.
func Read(command string, at Place) Plan {
	return read(at, func(r *reader) { r.source(command, newScene(at.Dir)) })
}

// broken is the reason of a plan whose reading panicked. The parser is not
// ours, and a hook that dies refuses the command.
const broken = "reading it failed"

func read(at Place, into func(*reader)) (p Plan) {
	r := &reader{plan: &Plan{}, at: at}
	defer func() {
		if recover() != nil {
			r.plan.giveUp(broken)
			p = r.plan.done()
		}
	}()
	into(r)
	return r.plan.done()
}

// reader walks over the statements of a command as the shell would, with every
// command taken to succeed.
type reader struct {
	plan   *Plan
	at     Place
	steps  int
	fields int
	depth  int // statements inside each other
	nested int // shells and functions inside each other

	searches map[string][]Target // what the words of find stand for, see found
}

// source reads shell text; what stands before a syntax error counts.
func (r *reader) source(text string, s *scene) {
	if r.nested++; r.nested > maxNested {
		r.plan.giveUp("shells are nested too deeply")
		r.nested--
		return
	}
	defer func() { r.nested-- }()
	text = foldHeredocs(text)
	if len(text) > maxCommand || deep(text) {
		r.plan.giveUp("the command is too long or too deeply nested")
		return
	}
	for stmt, err := range syntax.NewParser(syntax.Variant(syntax.LangBash)).StmtsSeq(strings.NewReader(text)) {
		if err != nil {
			r.plan.giveUp("its syntax is not that of bash")
			return
		}
		r.stmt(stmt, s)
	}
}

// maxOpeners is how deep brackets may nest and how many compound commands a
// text may begin.
const maxOpeners = 500

// deep guesses whether parsing would nest deeper than people write. It counts
// openers without their closers, quoted or not; each level costs the parser
// stack, and a stack that overflows cannot be caught.
func deep(text string) bool {
	depth, deepest := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(', '{', '[':
			depth++
			deepest = max(deepest, depth)
		case ')', '}', ']':
			depth = max(0, depth-1)
		}
	}
	for _, keyword := range []string{"if ", "while ", "until ", "! "} {
		deepest += strings.Count(text, keyword)
	}
	return deepest > maxOpeners
}
