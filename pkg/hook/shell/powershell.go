package shell

import (
	"path/filepath"
	"strings"
)

// ReadPowerShell reads a command for PowerShell: the cmdlets that write files,
// redirections, and native programs as [Read] does. It knows no expressions;
// what needs them is unreadable.
func ReadPowerShell(command string, at Place) Plan {
	if len(command) > maxCommand {
		command = foldHereStrings(command)
	}
	return read(at, func(r *reader) {
		if len(command) > maxCommand {
			r.plan.giveUp("the command is too long")
			return
		}
		r.cmdlets(psLex(command), newScene(at.Dir))
	})
}

// foldHereStrings empties here-strings, which are long when a file is written.
func foldHereStrings(text string) string {
	var out strings.Builder
	for _, quote := range []string{"'", `"`} {
		for {
			before, rest, found := strings.Cut(text, "@"+quote+"\n")
			out.WriteString(before)
			if !found {
				break
			}
			out.WriteString("''")
			_, text, found = strings.Cut(rest, "\n"+quote+"@")
			if !found {
				return out.String()
			}
		}
		text = out.String()
		out.Reset()
	}
	return text
}

// cmdlets reads statements. A block is read in place, whether it runs or not:
// changes of directory in it are taken to be undone.
func (r *reader) cmdlets(tokens []psToken, s *scene) {
	var words []psToken
	var blocks []*scene
	flush := func() {
		r.cmdlet(words, s)
		words = nil
	}
	for _, token := range tokens {
		switch {
		case token.kind == psEnd:
			flush()
		case token.kind == psOpen:
			flush()
			if blocks = append(blocks, s); len(blocks) > maxDepth {
				r.plan.giveUp("the command is too deeply nested")
				return
			}
			s = s.fork()
		case token.kind == psClose:
			flush()
			if n := len(blocks); n > 0 {
				blocks[n-1].merge(s)
				s, blocks = blocks[n-1], blocks[:n-1]
			}
		default:
			words = append(words, token)
		}
	}
	flush()
}

// cmdlet reads one command with its redirections.
func (r *reader) cmdlet(tokens []psToken, s *scene) {
	if r.steps++; r.steps > maxSteps {
		r.plan.giveUp("the command is too long")
		return
	}
	words := r.psRedirections(tokens, s)
	if len(words) == 0 || r.psAssigns(words, s) {
		return
	}
	name := strings.ToLower(words[0].text)
	if words[0].text == "&" || words[0].text == "." {
		if words = words[1:]; len(words) == 0 {
			return
		}
		name = strings.ToLower(words[0].text)
	}
	args := make([]word, 0, len(words))
	for _, w := range words[1:] {
		args = append(args, r.psWord(w, s)...)
	}
	if name = strings.TrimSuffix(name, ".exe"); psAliases()[name] != "" {
		name = psAliases()[name]
	}
	c, known := psCommands()[name]
	switch {
	case words[0].quoted && len(args) == 0, psKeywords[name]:
	case name == "set-location" || name == "push-location":
		r.psLocation(args, s)
	case name == "pop-location":
		s.dir = ""
	case known:
		r.psApply(c, args, s)
	case psReads(name):
	case strings.HasPrefix(name, "[") || strings.HasPrefix(name, "$") || strings.HasPrefix(name, "("):
		if strings.ContainsAny(name, "([:=") {
			r.plan.giveUp("an expression may write files")
		}
	case strings.Contains(name, "-") && !readers()[name]:
		r.plan.giveUp(name + " is not known")
	default:
		r.invoke(append([]word{{text: name, known: true}}, args...), s, input{})
	}
}

// psRedirections adds the targets of > and >> and gives the other words.
func (r *reader) psRedirections(tokens []psToken, s *scene) []psToken {
	var words []psToken
	for i := 0; i < len(tokens); i++ {
		op := strings.TrimLeft(tokens[i].text, "123456*")
		switch {
		case tokens[i].quoted || op != ">" && op != ">>":
			if !strings.HasPrefix(op, ">&") || tokens[i].quoted {
				words = append(words, tokens[i])
			}
		case i+1 < len(tokens):
			i++
			if strings.EqualFold(tokens[i].text, "$null") {
				continue
			}
			target := Target{Op: OpRedirect}
			if op == ">>" {
				target.Op = OpAppend
			}
			for _, w := range r.psWord(tokens[i], s) {
				r.write(s, w, target)
			}
		}
	}
	return words
}

// psAssigns reads $x = 'text'; the right side of another assignment is read as
// a command.
func (r *reader) psAssigns(words []psToken, s *scene) bool {
	if len(words) < 2 || words[0].quoted || !strings.HasPrefix(words[0].text, "$") || !strings.HasSuffix(words[1].text, "=") || words[1].quoted {
		return false
	}
	name := strings.ToLower(words[0].text[1:])
	s.set(name, word{})
	switch {
	case len(words) == 3 && words[2].quoted && words[1].text == "=":
		if values := r.psWord(words[2], s); len(values) == 1 {
			s.set(name, values[0])
		}
	case len(words) > 2 && !words[2].quoted:
		r.cmdlet(words[2:], s)
	}
	return true
}

// psWord gives the values of one argument: a list a,b is two.
func (r *reader) psWord(token psToken, s *scene) []word {
	if token.raw || token.quoted && !strings.Contains(token.text, "$") {
		return []word{{text: token.text, known: true, glob: false}}
	}
	pieces := []string{token.text}
	if !token.quoted {
		pieces = strings.Split(token.text, ",")
	}
	var out []word
	for _, piece := range pieces {
		if piece = strings.Trim(piece, `"'`); piece == "" {
			continue
		}
		w := word{text: piece, known: true, glob: !token.quoted && strings.ContainsAny(piece, "*?[")}
		if at := strings.IndexByte(piece, '$'); at >= 0 || strings.ContainsAny(piece, "()`@") {
			w = r.psVariable(piece, at, s)
		}
		out = append(out, w)
	}
	return out
}

// psVariable expands one variable at a place of a text.
func (r *reader) psVariable(text string, at int, s *scene) word {
	if at < 0 {
		return word{}
	}
	end := at + 1
	for end < len(text) && (text[end] == '_' || text[end] == ':' || 'a' <= text[end]|0x20 && text[end]|0x20 <= 'z' || '0' <= text[end] && text[end] <= '9') {
		end++
	}
	if strings.ContainsAny(text[end:], "$()`@") {
		return word{}
	}
	name := strings.ToLower(text[at+1 : end])
	value, ok := s.vars[name]
	switch {
	case ok:
	case name == "pwd":
		value = word{text: s.dir, known: s.dir != ""}
	case name == "home" || name == "env:home" || name == "env:userprofile":
		value = r.variable("HOME", s)
	}
	return word{text: text[:at] + value.text + text[end:], known: value.known, glob: value.glob}
}

func (r *reader) psLocation(args []word, s *scene) {
	for _, arg := range args {
		if strings.HasPrefix(arg.text, "-") {
			continue
		}
		if s.cd(arg.text); !arg.known || arg.glob {
			s.dir = ""
		}
		return
	}
}

// psCommand is what a cmdlet writes.
type psCommand struct {
	op       Op
	path     string // parameters that name the file, the first is positional
	from     string // … that name sources; then path is the second positional
	values   string // other parameters that take a value
	every    bool   // all positionals are files
	appends  string
	removes  bool
	beside   bool // path is a name in the directory of the source
	unlessIs string
}

func (r *reader) psApply(c psCommand, args []word, s *scene) {
	named := map[string][]word{}
	var positional []word
	for i := 0; i < len(args); i++ {
		name := strings.ToLower(args[i].text)
		if !args[i].known || !strings.HasPrefix(name, "-") {
			positional = append(positional, args[i])
			continue
		}
		name, value, attached := strings.Cut(name, ":")
		switch takes := listed(c.path+" "+c.from+" "+c.values, name); {
		case takes && attached:
			named[name] = append(named[name], word{text: value, known: args[i].known})
		case takes && i+1 < len(args):
			i++
			named[name] = append(named[name], args[i])
		default:
			named[name] = nil
		}
	}
	if _, dry := named["-whatif"]; dry {
		return
	}
	for _, kind := range named["-itemtype"] {
		if listed(c.unlessIs, strings.ToLower(kind.text)) {
			return
		}
	}
	take := func(names string) (values []word) {
		for _, name := range strings.Fields(names) {
			values = append(values, named[name]...)
		}
		if len(values) > 0 {
			return values
		}
		n := min(1, len(positional))
		if c.every {
			n = len(positional)
		}
		values, positional = positional[:n], positional[n:]
		return values
	}
	sources := []word{}
	if c.from != "" {
		sources = take(c.from)
	}
	r.psWrite(c, named, sources, take(c.path), s)
}

func (r *reader) psWrite(c psCommand, named map[string][]word, sources, files []word, s *scene) {
	target := Target{Op: c.op}
	if _, ok := named[c.appends]; ok && c.appends != "" {
		target.Op = OpAppend
	}
	if _, ok := named["-recurse"]; ok || c.op == OpMove {
		target.Tree = true
	}
	if c.removes {
		for _, source := range sources {
			r.write(s, source, Target{Op: OpRemove, Tree: true})
		}
	}
	if c.op != OpOutput && c.from != "" && len(sources) == 1 && sources[0].known && !sources[0].glob {
		target.Base = filepath.Base(sources[0].text)
	}
	for _, file := range files {
		if c.beside && file.known && len(sources) > 0 {
			file = word{text: filepath.Join(filepath.Dir(sources[0].text), file.text), known: sources[0].known}
			target.Base = ""
		}
		r.write(s, file, target)
	}
	if len(files) == 0 && c.op != OpOutput {
		r.plan.giveUp("a file comes through the pipe")
	}
}
