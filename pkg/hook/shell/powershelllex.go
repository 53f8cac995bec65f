package shell

import "strings"

// psKind sorts the tokens of a PowerShell command.
type psKind int

const (
	psText  psKind = iota
	psEnd          // ; | && || and the end of a line
	psOpen         // {
	psClose        // }
)

// psToken is one word or separator.
type psToken struct {
	kind   psKind
	text   string
	quoted bool // it began with a quote
	raw    bool // nothing in it is expanded: single quotes
}

// psLexer cuts a PowerShell command into tokens. Parentheses stay in the words
// they touch, which makes those words unknown.
type psLexer struct {
	text   string
	at     int
	tokens []psToken
}

func psLex(text string) []psToken {
	l := &psLexer{text: text}
	for l.at < len(l.text) {
		l.next()
	}
	return l.tokens
}

func (l *psLexer) add(kind psKind, text string, width int) {
	l.tokens = append(l.tokens, psToken{kind: kind, text: text})
	l.at += width
}

func (l *psLexer) next() {
	rest := l.text[l.at:]
	switch c := rest[0]; {
	case c == ' ' || c == '\t' || c == '\r':
		l.at++
	case c == '`' && len(rest) > 1 && rest[1] == '\n':
		l.at += 2
	case c == '\n' || c == ';' || c == '|':
		l.add(psEnd, "", 1)
	case strings.HasPrefix(rest, "&&"):
		l.add(psEnd, "", 2)
	case c == '&':
		l.add(psText, "&", 1)
	case c == '{':
		l.add(psOpen, "", 1)
	case c == '}':
		l.add(psClose, "", 1)
	case c == '#':
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			l.at += end
		} else {
			l.at = len(l.text)
		}
	case strings.HasPrefix(rest, "@'") || strings.HasPrefix(rest, `@"`):
		l.hereString(rest)
	case c == '\'' || c == '"':
		l.quoted(rest)
	default:
		l.bare(rest)
	}
}

func (l *psLexer) hereString(rest string) {
	quote := rest[1:2]
	body, _, found := strings.Cut(rest[2:], "\n"+quote+"@")
	l.tokens = append(l.tokens, psToken{text: body, quoted: true, raw: quote == "'"})
	if l.at += len(body) + 5; !found {
		l.at = len(l.text)
	}
}

func (l *psLexer) quoted(rest string) {
	quote := rest[0]
	var out strings.Builder
	i := 1
	for ; i < len(rest); i++ {
		if rest[i] == quote {
			if i+1 < len(rest) && rest[i+1] == quote {
				i++
			} else {
				break
			}
		} else if rest[i] == '`' && quote == '"' && i+1 < len(rest) {
			i++
		}
		out.WriteByte(rest[i])
	}
	l.tokens = append(l.tokens, psToken{text: out.String(), quoted: true, raw: quote == '\''})
	l.at += min(i+1, len(rest))
}

// bare reads an unquoted word; a redirection ends it.
func (l *psLexer) bare(rest string) {
	end := 0
	for end < len(rest) && !strings.ContainsRune(" \t\r\n;|{}", rune(rest[end])) {
		if rest[end] == '>' && end > 0 && strings.Trim(rest[:end], "123456*") != "" {
			break
		}
		if rest[end] == '>' {
			for end++; end < len(rest) && (rest[end] == '>' || rest[end] == '&' || end > 1 && rest[end-1] == '&'); end++ {
			}
			break
		}
		end++
	}
	l.add(psText, rest[:end], end)
}
