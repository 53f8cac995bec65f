package shell

import "strings"

// limited gives, for each verb, the command on paths of one's own. It ends
// before the "--".
var limited = map[string]func(GitAct) string{
	"checkout":   func(GitAct) string { return "git checkout" },
	"restore":    func(GitAct) string { return "git restore" },
	"reset":      func(GitAct) string { return "git restore --source=HEAD --staged --worktree" },
	"clean":      func(GitAct) string { return "git clean -f" },
	"add":        func(GitAct) string { return "git add" },
	"stage":      func(GitAct) string { return "git add" },
	"stash":      stashing,
	"stash push": stashing,
	"stash save": stashing,
	"commit":     committing,
}

// instead gives the command for the session's own files; mine is relative to
// the directory of the command.
func (act GitAct) instead(mine []string) string {
	if act.Harm == Moves && !act.SharedStash {
		return act.besides()
	}
	command, ok := limited[act.Verb]
	if !ok || len(mine) == 0 {
		return ""
	}
	return command(act) + " -- " + pathList(mine)
}

// besides offers a working tree of one's own for another branch.
func (act GitAct) besides() string {
	if act.Verb != "checkout" && act.Verb != "switch" || len(act.Args) != 1 || strings.HasPrefix(act.Args[0], "-") {
		return ""
	}
	name := act.Args[0][strings.LastIndexByte(act.Args[0], '/')+1:]
	return "git worktree add " + Quote("../"+name) + " " + Quote(act.Args[0])
}

func stashing(act GitAct) string {
	if act.Reach&Untracked != 0 {
		return "git stash push -u"
	}
	return "git stash push"
}

// maxMessage is how long a commit message may be to be repeated.
const maxMessage = 80

func committing(act GitAct) string {
	words := make([]word, len(act.Args))
	for i, arg := range act.Args {
		words[i] = known(arg)
	}
	a := parse(words, gitVerbs()["commit"].options)
	command := "git commit"
	if a.has("--amend") {
		command += " --amend"
	}
	for _, option := range []string{"-m", "--message"} {
		for _, m := range a.values[option] {
			if m.text == "" || len(m.text) > maxMessage || strings.Contains(m.text, "\n") {
				m.text = "…"
			}
			command += " -m " + Quote(m.text)
		}
	}
	return command
}

// maxPathList is how many bytes of paths a refusal has room for.
const maxPathList = 200

func pathList(paths []string) string {
	var out strings.Builder
	for i, p := range paths {
		if i > 0 {
			out.WriteByte(' ')
		}
		if out.Len()+len(p) > maxPathList && i > 0 {
			out.WriteString("…")
			break
		}
		out.WriteString(Quote(p))
	}
	return out.String()
}

// Quote writes a word so that a shell reads it as it is.
func Quote(text string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("_-./:@%+=,", c)
	}
	if text != "" && strings.TrimFunc(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
