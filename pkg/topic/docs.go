package topic

import "strings"

// Docs gives [Table] as a Markdown table, for the project's documentation.
func Docs() string {
	var b strings.Builder
	b.WriteString("| topic | when | fields beside the envelope | retained | who reads | who publishes |\n")
	b.WriteString("|---|---|---|---|---|---|\n")
	for _, r := range Table {
		retained := "no"
		if r.Retain {
			retained = "yes"
		}
		for _, cell := range []string{"`" + string(r.Topic) + "`", r.When, r.Payload, retained, r.Read.words(), r.Write.words()} {
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// words says who an audience is, seen from the topic.
func (a Audience) words() string {
	switch a {
	case Owner:
		return "that agent"
	case Everyone:
		return "every client of the project"
	default:
		return "the hub"
	}
}
