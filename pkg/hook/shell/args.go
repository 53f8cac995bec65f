package shell

import "strings"

// options describes the options of a command as far as they matter for telling
// operands from values. Lists are words separated by spaces.
type options struct {
	value    string // take the next argument: "-e --expression"
	attached string // letters that swallow the rest of their argument: "i" of sed -i.bak
	digits   string // letters that swallow digits: "0" of perl -0777
	single   bool   // one dash begins a long name: gofmt -w, terraform fmt -check
}

// arguments is a command's tail, sorted.
type arguments struct {
	flags    map[string]bool
	values   map[string][]word
	operands []word
}

// has reports whether one of the listed options is there.
func (a arguments) has(list string) bool {
	for _, name := range strings.Fields(list) {
		if a.flags[name] {
			return true
		}
	}
	return false
}

func listed(list, name string) bool {
	for _, have := range strings.Fields(list) {
		if have == name {
			return true
		}
	}
	return false
}

// parse sorts arguments into options, their values and operands. An unknown
// word counts as an operand: it may be anything, and then cannot be read.
func parse(args []word, o options) arguments {
	a := arguments{flags: map[string]bool{}, values: map[string][]word{}}
	for i := 0; i < len(args); i++ {
		text := args[i].text
		switch {
		case text == "--" && args[i].known:
			a.operands = append(a.operands, args[i+1:]...)
			return a
		case !strings.HasPrefix(text, "-") || text == "-" || !args[i].known && text == "":
			a.operands = append(a.operands, args[i])
		case strings.HasPrefix(text, "--") || o.single:
			name, value, attached := strings.Cut(text, "=")
			a.flags[name] = true
			switch {
			case attached:
				a.values[name] = append(a.values[name], word{text: value, known: args[i].known})
				a.flags[text] = true // "-write=false" can be asked for too
			case listed(o.value, name) && i+1 < len(args):
				i++
				a.values[name] = append(a.values[name], args[i])
			}
		default:
			i += a.cluster(args, i, o)
		}
	}
	return a
}

// cluster reads short options in one argument; it gives how many of the next
// arguments were taken as a value.
func (a *arguments) cluster(args []word, at int, o options) (taken int) {
	letters := args[at].text[1:]
	if listed(o.value, args[at].text) { // "-type" of a command with a mix of both
		letters = ""
		a.flags[args[at].text] = true
		if at+1 < len(args) {
			a.values[args[at].text] = append(a.values[args[at].text], args[at+1])
			return 1
		}
	}
	for i := 0; i < len(letters); i++ {
		name := "-" + letters[i:i+1]
		a.flags[name] = true
		rest := letters[i+1:]
		switch {
		case strings.Contains(o.attached, letters[i:i+1]):
			return 0
		case strings.Contains(o.digits, letters[i:i+1]):
			i += len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		case listed(o.value, name) && rest != "":
			a.values[name] = append(a.values[name], word{text: rest, known: args[at].known})
			return 0
		case listed(o.value, name) && at+1 < len(args):
			a.values[name] = append(a.values[name], args[at+1])
			return 1
		}
	}
	return 0
}
