package driver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// noting is what a shim says, each line noted before it is read: two calls under
// way may be told of their answers in another order than these came.
type noting struct {
	io.Closer
	lines *bufio.Reader
	note  func(line []byte)
	rest  []byte // of the line noted last
}

func (n *noting) Read(p []byte) (int, error) {
	var err error
	if len(n.rest) == 0 {
		n.rest, err = n.lines.ReadBytes('\n')
		n.note(n.rest)
	}
	read := copy(p, n.rest)
	n.rest = n.rest[read:]
	if len(n.rest) > 0 {
		err = nil // it comes again behind the rest
	}
	return read, err
}

// note keeps the events of an answer. What cannot be read is told to whoever
// asked.
func (c *Conversation) note(line []byte) {
	var answer struct {
		Result struct {
			Content []struct {
				Text string `json:"text"`
			} `json:"content"`
			IsError bool `json:"isError"`
		} `json:"result"`
	}
	if json.Unmarshal(line, &answer) != nil || answer.Result.IsError || len(answer.Result.Content) != 1 {
		return
	}
	events, err := eventsOf(answer.Result.Content[0].Text)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, events...)
}

// eventsOf gives the events that a result carries: those asked for, then those
// that ride along as news.
func eventsOf(result string) ([]coord.Event, error) {
	var carrier struct {
		Events []json.RawMessage `json:"events"`
		News   struct {
			Events []json.RawMessage `json:"events"`
		} `json:"news"`
	}
	if err := json.Unmarshal([]byte(result), &carrier); err != nil {
		return nil, fmt.Errorf("read result: %w", err)
	}
	events := make([]coord.Event, 0, len(carrier.Events)+len(carrier.News.Events))
	for _, raw := range slices.Concat(carrier.Events, carrier.News.Events) {
		e, err := parse(raw)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// parse reads an event as a model gets it. The payload is the whole object.
func parse(raw json.RawMessage) (coord.Event, error) {
	var shown struct {
		Seq      coord.Seq       `json:"seq"`
		Kind     coord.EventKind `json:"kind"`
		Actor    coord.AgentID   `json:"agent_id"`
		Thread   coord.ThreadID  `json:"thread_id"`
		Time     coord.Millis    `json:"ts"`
		Priority coord.Priority  `json:"priority"`
		Again    bool            `json:"again"`
	}
	if err := json.Unmarshal(raw, &shown); err != nil {
		return coord.Event{}, fmt.Errorf("read event: %w", err)
	}
	if shown.Seq <= 0 || shown.Kind == "" {
		return coord.Event{}, fmt.Errorf("read event: no seq or kind in %s", raw)
	}
	return coord.Event{Seq: shown.Seq, Kind: shown.Kind, Actor: shown.Actor, Thread: shown.Thread,
		Time: shown.Time, Priority: shown.Priority, Again: shown.Again, Payload: raw}, nil
}

// Heard gives all events so far, in the order they came.
func (c *Conversation) Heard() []coord.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.heard)
}

// Wait waits once for news, up to the timeout, and keeps what comes.
func (c *Conversation) Wait(ctx context.Context, timeout time.Duration) error {
	_, err := Call(ctx, c, tool.WaitForMessage, tool.WaitForMessageIn{TimeoutSeconds: new(timeout.Seconds())})
	return err
}

// Await gives the next event that is wanted, waiting for it until the context
// ends; events before it are passed over and not given again.
func (c *Conversation) Await(ctx context.Context, wanted func(coord.Event) bool) (coord.Event, error) {
	for {
		if d, ok := c.next(wanted); ok {
			return d, nil
		}
		if err := ctx.Err(); err != nil {
			return coord.Event{}, fmt.Errorf("%w; it heard %v", err, kinds(c.Heard()))
		}
		if err := c.Wait(ctx, 10*time.Second); err != nil {
			return coord.Event{}, fmt.Errorf("%w; it heard %v", err, kinds(c.Heard()))
		}
	}
}

// Next gives the next event without waiting; false when there is none. What has
// not been asked for yet is fetched.
func (c *Conversation) Next(ctx context.Context) (coord.Event, bool, error) {
	all := func(coord.Event) bool { return true }
	if d, ok := c.next(all); ok {
		return d, true, nil
	}
	if _, err := Call(ctx, c, tool.GetQueuedMessages, tool.GetQueuedMessagesIn{}); err != nil {
		return coord.Event{}, false, err
	}
	d, ok := c.next(all)
	return d, ok, nil
}

func (c *Conversation) next(wanted func(coord.Event) bool) (coord.Event, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.given < len(c.heard) {
		d := c.heard[c.given]
		c.given++
		if wanted(d) {
			return d, true
		}
	}
	return coord.Event{}, false
}

// kinds lists what happened, for failure messages.
func kinds(events []coord.Event) []coord.EventKind {
	out := make([]coord.EventKind, len(events))
	for i, d := range events {
		out[i] = d.Kind
	}
	return out
}

// Payload reads the fields that an event's kind gives it.
func Payload[P any](d coord.Event) (P, error) {
	var p P
	if err := json.Unmarshal(d.Payload, &p); err != nil {
		return p, fmt.Errorf("payload of %s: %w", d.Kind, err)
	}
	return p, nil
}
