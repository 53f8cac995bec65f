// Package tokens reads from a client's transcript what its model's turns have
// cost, each turn once: it goes on where it stopped the last time and never reads
// the whole file again.
//
// A transcript is a file of JSON lines that the client appends to (Claude Code:
// one line per content block, several with the same message id and the same
// usage). Only model, ids and numbers are taken from it.
package tokens

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/coordhq/coord/pkg/coord"
)

// Mark says how far a transcript has been read. The zero Mark is one that was
// never read.
type Mark struct {
	Offset int64  `json:"offset"`         // bytes that have been read: whole lines
	Last   string `json:"last,omitempty"` // id of the last message that was counted
	Turns  int    `json:"turns"`          // how many times something was counted
}

const (
	maxChunk  = 4 << 20 // bytes read at once; what is behind is read the next time
	maxModels = 20      // in one answer
	synthetic = "<synthetic>"
)

// Since gives what has been used since the mark, one for each model in the
// order of their first message, and the mark for the next time. A transcript that
// is met for the first time and is long already belongs to a session that is
// resumed: it is counted from here on. One that has shrunk is another file: it is
// counted from its end. A missing transcript has used nothing.
func Since(path string, m Mark) ([]coord.Tokens, Mark, error) {
	f, err := os.Open(path) // #nosec G304 -- the client names its own transcript, to a hook of the same user
	if errors.Is(err, fs.ErrNotExist) {
		return nil, m, nil
	}
	if err != nil {
		return nil, m, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, m, err
	}
	if !info.Mode().IsRegular() {
		return nil, m, errors.New("the transcript is not a regular file")
	}
	if info.Size() < m.Offset || m == (Mark{}) && info.Size() > maxChunk {
		return nil, Mark{Offset: info.Size(), Turns: m.Turns}, nil
	}
	chunk := make([]byte, min(info.Size()-m.Offset, maxChunk))
	n, err := f.ReadAt(chunk, m.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, m, err
	}
	whole := bytes.LastIndexByte(chunk[:n], '\n') + 1 // the client may be writing the last line
	if whole == 0 && n == maxChunk {
		whole = n // one line over the limit: it is skipped, with what follows it up to the next line
	}
	uses, last := count(chunk[:whole], m)
	next := Mark{Offset: m.Offset + int64(whole), Last: last, Turns: m.Turns}
	if len(uses) > 0 {
		next.Turns++
	}
	return uses, next, nil
}

// line is the part of a transcript's line that is read.
type line struct {
	Type    string `json:"type"`
	Message *struct {
		ID    string `json:"id"`
		Model string `json:"model"`
		Usage *usage `json:"usage"`
	} `json:"message"`
}

type usage struct {
	Input         int64 `json:"input_tokens"`
	Output        int64 `json:"output_tokens"`
	CacheRead     int64 `json:"cache_read_input_tokens"`
	CacheCreation int64 `json:"cache_creation_input_tokens"`
	Details       struct {
		Thinking int64 `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
}

// count sums up the messages in whole lines. Of the lines of one message the last
// has the final numbers.
func count(lines []byte, m Mark) (uses []coord.Tokens, last string) {
	last = m.Last
	type message struct {
		model string
		usage usage
	}
	var order []string
	messages := map[string]message{}
	for raw := range bytes.Lines(lines) {
		if !bytes.Contains(raw, []byte(`"usage"`)) {
			continue // most lines: spares the parsing
		}
		var l line
		if json.Unmarshal(raw, &l) != nil || l.Type != "assistant" || l.Message == nil || l.Message.Usage == nil ||
			l.Message.ID == "" || l.Message.ID == m.Last || l.Message.Model == "" || l.Message.Model == synthetic {
			continue
		}
		if _, known := messages[l.Message.ID]; !known {
			order = append(order, l.Message.ID)
		}
		messages[l.Message.ID] = message{l.Message.Model, *l.Message.Usage}
		last = l.Message.ID
	}
	of := map[string]int{}
	for _, id := range order {
		msg := messages[id]
		i, known := of[msg.model]
		if !known {
			if len(uses) == maxModels {
				continue
			}
			i = len(uses)
			of[msg.model] = i
			uses = append(uses, coord.Tokens{Model: msg.model, Turn: m.Turns + 1})
		}
		u := &uses[i]
		u.Input += max(msg.usage.Input, 0)
		u.Output += max(msg.usage.Output, 0)
		u.CacheRead += max(msg.usage.CacheRead, 0)
		u.CacheCreation += max(msg.usage.CacheCreation, 0)
		u.Thinking += max(msg.usage.Details.Thinking, 0)
	}
	return uses, last
}
