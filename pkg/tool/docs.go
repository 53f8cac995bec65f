package tool

import (
	"fmt"
	"strings"
)

// Docs gives the Markdown table of the offered operations: name, arguments (a
// star marks those that are required), and the words a model reads.
func Docs() string {
	var b strings.Builder
	b.WriteString("| tool | arguments | what it does |\n|---|---|---|\n")
	for _, op := range Offered(false) {
		var args []string
		for _, a := range op.args() {
			switch {
			case a.wire:
			case a.required:
				args = append(args, "`"+a.name+"`*")
			default:
				args = append(args, "`"+a.name+"`")
			}
		}
		text := strings.ReplaceAll(op.Text, "|", "\\|")
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", op.Name, strings.Join(args, ", "), text)
	}
	return b.String()
}
