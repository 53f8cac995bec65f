package brief

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coordhq/coord/pkg/coord"
)

// Longest quotations, in characters.
const (
	maxQuote = 1000
	maxWords = 200 // a subject, a reason
	maxPath  = 120
	maxName  = 40
)

// Quote gives a peer's text as a quotation: cleaned, on one line, between
// quotation marks, at most 1,000 characters and the marks.
func Quote(peer string) string { return quote(peer, maxQuote) }

// quote is Quote with another limit. A text that is cut ends in "…".
func quote(peer string, limit int) string {
	var b strings.Builder
	b.WriteByte('"')
	text, more := clean(peer, limit)
	n := 0
	for _, r := range text {
		s := escape(r)
		if n += utf8.RuneCountInString(s); n > limit {
			more = true
			break
		}
		b.WriteString(s)
	}
	if more {
		b.WriteString("…")
	}
	b.WriteByte('"')
	return b.String()
}

// escape writes one character so that it ends neither the quotation, nor the
// line, nor a tag.
func escape(r rune) string {
	switch r {
	case '\n':
		return `\n`
	case '\t':
		return " "
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '<', '＜', '﹤':
		return "‹"
	case '>', '＞', '﹥':
		return "›"
	default:
		return string(r)
	}
}

// name gives an agent's name, or another short label of its choice, as one word.
func name(s string) string {
	var b strings.Builder
	n := 0
	text, _ := clean(s, maxName)
	for _, r := range text {
		if n++; n > maxName {
			b.WriteRune('…')
			break
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.@", r) {
			r = '_'
		}
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return "somebody"
	}
	return b.String()
}

// dropRoom is how many bytes of a text are looked at for each character that may
// be shown: enough for those of four bytes, and for as much again to be dropped.
const dropRoom = 8

// clean drops what a reader does not see, or a terminal would obey, from as much
// of a text as is needed to show limit characters; more says that there is more.
func clean(s string, limit int) (text string, more bool) {
	if room := dropRoom * (limit + 1); len(s) > room {
		s, more = s[:room], true
	}
	text = strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, coord.CleanText(strings.ReplaceAll(plain(s), "\r\n", "\n")))
	return text, more
}

// hidden reports characters that take no room and are no format characters:
// variation selectors, which can carry bytes, and the fillers.
func hidden(r rune) bool {
	switch {
	case 0xFE00 <= r && r <= 0xFE0F, 0xE0000 <= r && r <= 0xE0FFF:
		return true
	}
	return strings.ContainsRune("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0", r)
}

const (
	escapeByte = 0x1b
	bell       = 0x07
)

// plain takes terminal sequences out whole: CSI up to its final byte, OSC and
// the other strings up to their terminator or the end of the line. A lone escape
// is left to CleanText.
func plain(s string) string {
	if !strings.ContainsAny(s, "\x1b\u009b\u009d\u0090\u0098\u009e\u009f") {
		return s
	}
	var b strings.Builder
	for rs := []rune(s); len(rs) > 0; {
		n := sequence(rs)
		if n == 0 {
			b.WriteRune(rs[0])
			n = 1
		}
		rs = rs[n:]
	}
	return b.String()
}

// sequence gives the length of the terminal sequence at the start of rs, 0 when
// there is none.
func sequence(rs []rune) int {
	kind, at := rs[0], 1
	if kind == escapeByte && len(rs) > 1 {
		kind, at = rs[1]+0x40, 2 // ESC [ is the same as U+009B
	}
	switch kind {
	case 0x9b:
		for ; at < len(rs); at++ {
			if rs[at] >= 0x40 && rs[at] <= 0x7e {
				return at + 1
			}
			if rs[at] < 0x20 || rs[at] > 0x3f {
				return at
			}
		}
		return at
	case 0x9d, 0x90, 0x98, 0x9e, 0x9f:
		for ; at < len(rs); at++ {
			switch {
			case rs[at] == bell || rs[at] == 0x9c:
				return at + 1
			case rs[at] == escapeByte && at+1 < len(rs) && rs[at+1] == '\\':
				return at + 2
			case rs[at] == '\n':
				return at
			}
		}
		return at
	}
	return 0
}
