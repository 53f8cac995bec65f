package shell

import "strings"

// longHeredoc is from where on the text of a here-document is not parsed.
const longHeredoc = 4 << 10

// maxFolds bounds the search for the ends of here-documents.
const maxFolds = 100

// foldHeredocs leaves out the inside of long here-documents, so that writing a
// large file costs no more than naming it. Patches stay: they name files.
func foldHeredocs(text string) string {
	if len(text) <= longHeredoc || !strings.Contains(text, "<<") {
		return text
	}
	var out strings.Builder
	folds := 0
	for rest := text; rest != ""; {
		line, after, _ := strings.Cut(rest, "\n")
		out.WriteString(line)
		out.WriteByte('\n')
		rest = after
		delimiter, dash := delimiterIn(line)
		if delimiter == "" || folds == maxFolds {
			continue
		}
		folds++
		end := heredocEnd(rest, delimiter, dash)
		if end > longHeredoc && !strings.Contains(line, "patch") && !strings.Contains(line, "apply") {
			rest = rest[end:]
		}
	}
	return out.String()
}

// delimiterIn finds the word after the line's last <<, without its quotes.
func delimiterIn(line string) (word string, dash bool) {
	at := strings.LastIndex(line, "<<")
	if at < 0 || at > 0 && line[at-1] == '<' { // <<< has no document
		return "", false
	}
	rest, dash := strings.CutPrefix(line[at+2:], "-")
	rest = strings.TrimLeft(rest, " \t\\")
	if rest == "" {
		return "", dash
	}
	if quote := rest[0]; quote == '\'' || quote == '"' {
		word, _, _ = strings.Cut(rest[1:], string(quote))
		return word, dash
	}
	if end := strings.IndexAny(rest, " \t;&|<>()'\""); end >= 0 {
		rest = rest[:end]
	}
	return rest, dash
}

// heredocEnd gives where the line with the delimiter begins; -1 if none does.
func heredocEnd(text, delimiter string, dash bool) int {
	for at := 0; at < len(text); {
		line, _, more := strings.Cut(text[at:], "\n")
		bare := line
		if dash {
			bare = strings.TrimLeft(line, "\t")
		}
		if bare == delimiter {
			return at
		}
		if at += len(line) + 1; !more {
			break
		}
	}
	return -1
}
