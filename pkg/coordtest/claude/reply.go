package claude

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// write answers with a turn, streamed when that was asked for.
func (m *Model) write(w http.ResponseWriter, ask wire, turn []Block) {
	stop := "end_turn"
	blocks := make([]Block, 0, len(turn))
	for _, b := range turn {
		b = maps.Clone(b)
		if b["type"] == "tool_use" {
			stop = "tool_use"
			b["id"] = "toolu_" + m.id()
		}
		blocks = append(blocks, b)
	}
	message := map[string]any{
		"id": "msg_" + m.id(), "type": "message", "role": "assistant", "model": ask.Model,
		"content": []Block{}, "stop_reason": nil, "stop_sequence": nil,
		"usage": map[string]int{"input_tokens": 1000, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
	}
	if !ask.Stream {
		message["content"], message["stop_reason"] = blocks, stop
		answer(w, message)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	event(w, "message_start", map[string]any{"message": message})
	for i, b := range blocks {
		start, delta := opening(b)
		event(w, "content_block_start", map[string]any{"index": i, "content_block": start})
		event(w, "content_block_delta", map[string]any{"index": i, "delta": delta})
		event(w, "content_block_stop", map[string]any{"index": i})
	}
	event(w, "message_delta", map[string]any{"delta": map[string]any{"stop_reason": stop, "stop_sequence": nil}, "usage": map[string]int{"output_tokens": 20}})
	event(w, "message_stop", map[string]any{})
}

// opening splits a block into its empty start and the one piece that fills it.
func opening(b Block) (start, delta map[string]any) {
	if b["type"] == "text" {
		return map[string]any{"type": "text", "text": ""}, map[string]any{"type": "text_delta", "text": b["text"]}
	}
	input, err := json.Marshal(b["input"])
	if err != nil {
		panic(fmt.Sprintf("input of a scripted tool call: %v", err)) // a mistake in the test
	}
	return map[string]any{"type": "tool_use", "id": b["id"], "name": b["name"], "input": map[string]any{}},
		map[string]any{"type": "input_json_delta", "partial_json": string(input)}
}

func event(w http.ResponseWriter, name string, fields map[string]any) {
	fields["type"] = name
	data, err := json.Marshal(fields)
	if err != nil {
		panic(fmt.Sprintf("event %s: %v", name, err)) // a mistake in the test
	}
	_, _ = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data) // a client that went away is no failure
}
