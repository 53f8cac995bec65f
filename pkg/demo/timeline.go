package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// entry is one line of the timeline, and with --json one object.
type entry struct {
	Millis float64 `json:"ms"`  // since the start
	Who    string  `json:"who"` // alice, bob, hub, or demo
	Step   string  `json:"step"`
	Text   string  `json:"text"`
	OK     bool    `json:"ok"`
	Detail any     `json:"detail,omitempty"` // the answer or event it is about
}

// timeline prints what happens as it happens.
type timeline struct {
	out   io.Writer
	json  bool
	color bool
	start time.Time
	steps int
}

// The colours that tell the actors apart.
var colors = map[string]string{"alice": "36", "bob": "33", "hub": "35", "demo": "90"}

const red, green, gray = "31", "32", "90"

func (t *timeline) paint(color, s string) string {
	if !t.color || color == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// say prints one entry.
func (t *timeline) say(e entry) error {
	e.Millis = milliseconds(time.Since(t.start))
	t.steps++
	if t.json {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s\n", line)
		return err
	}
	mark, text := t.paint(green, "✓"), e.Text
	if !e.OK {
		mark, text = t.paint(red, "✗"), t.paint(red, e.Text)
	}
	_, err := fmt.Fprintf(t.out, "%s  %s %s %s\n", t.paint(gray, fmt.Sprintf("%8.1f ms", e.Millis)),
		t.paint(colors[e.Who], fmt.Sprintf("%-5s", e.Who)), mark, text)
	return err
}

// title prints a line that is no step; it is left out of --json.
func (t *timeline) title(format string, args ...any) {
	if !t.json {
		_, _ = fmt.Fprintf(t.out, format+"\n", args...) // a broken stdout shows at the next step
	}
}
