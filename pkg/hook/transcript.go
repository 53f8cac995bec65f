package hook

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tailSize is how much of a transcript's end is looked at, in bytes.
const tailSize = 256 << 10

// interrupted reports whether the newest entry of a transcript says that the
// user has stopped the turn, which no hook tells. It reads only a regular file
// that is named like a transcript.
func interrupted(name string) bool {
	if !filepath.IsAbs(name) || filepath.Ext(name) != ".jsonl" {
		return false
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // #nosec G304 -- the session of the same user that its own hook named; a pipe must not block us
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	from := max(info.Size()-tailSize, 0)
	raw, err := io.ReadAll(io.NewSectionReader(f, from, tailSize))
	if err != nil {
		return false
	}
	lines := bytes.Split(raw, []byte{'\n'})
	for i := len(lines) - 1; i >= 0; i-- {
		if stopped, counts := entry(lines[i]); counts {
			return stopped
		}
	}
	return false
}

// entry reads one line; counts is false for what is no part of the main
// conversation.
func entry(raw []byte) (stopped, counts bool) {
	var e struct {
		Type      string `json:"type"`
		Sidechain bool   `json:"isSidechain"`
		Message   struct {
			Content json.RawMessage `json:"content"`
		} `json:"message"`
	}
	if json.Unmarshal(raw, &e) != nil || e.Sidechain || (e.Type != "user" && e.Type != "assistant") {
		return false, false
	}
	const mark = "[Request interrupted by user"
	var text string
	if json.Unmarshal(e.Message.Content, &text) == nil {
		return e.Type == "user" && strings.HasPrefix(text, mark), true
	}
	var blocks []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(e.Message.Content, &blocks) != nil {
		return false, true
	}
	for _, b := range blocks {
		if e.Type == "user" && strings.HasPrefix(b.Text, mark) {
			return true, true
		}
	}
	return false, true
}
