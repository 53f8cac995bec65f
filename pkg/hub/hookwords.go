package hub

import (
	"fmt"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// standing restates what the session holds.
func (k *hook) standing() {}

// news adds what the main thread has not been told.
func (k *hook) news() {}

// urgent reports whether news keeps the session from stopping.
func (k *hook) urgent() bool { return false }

// written notes that an answer has reached the client.
func (k *hook) written() {}

// refusal says why an edit must not be made now.
func (k *hook) refusal(v coord.Verdict) string {
	n := v.Notes[0]
	peer := k.refOf(n.Agent).Name
	var b strings.Builder
	fmt.Fprintf(&b, "coord: %s is not yours to write now. ", v.Path)
	switch n.Gate {
	case coord.GateReserved:
		fmt.Fprintf(&b, "It is reserved for %s, who was first in line, for %s.", peer, coord.Ago(n.Until.Sub(k.now)))
	case coord.GateRightOfWay:
		fmt.Fprintf(&b, "%s announced it %s ago", peer, coord.Ago(k.now.Sub(n.Since)))
		if n.Thread != "" {
			fmt.Fprintf(&b, "; talk in thread %s", n.Thread)
		}
		b.WriteString(".")
	default:
		fmt.Fprintf(&b, "%s has been editing it for %s.", peer, coord.Ago(k.now.Sub(n.Since)))
	}
	fmt.Fprintf(&b, " You are number %d in line and will be told. Work on something else; writing it by other means is the same conflict. Your user can override: coord-hub release %s", v.Place, v.Path)
	return b.String()
}

// hints says what a session should know of a file it writes.
func (k *hook) hints(v coord.Verdict) string {
	var lines []string
	for _, n := range v.Notes {
		lines = append(lines, fmt.Sprintf("coord: %s: %s (%s)", v.Path, n.Gate, k.refOf(n.Agent).Name))
	}
	return strings.Join(lines, "\n")
}
