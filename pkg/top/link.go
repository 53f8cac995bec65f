package top

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// keep is how many events are held, the newest ones.
const keep = 300

// attempts are the pauses between two attempts to reach a hub; the last one goes
// on.
var attempts = [...]time.Duration{100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}

// The messages by which a Model learns what is going on.
type (
	// Live says that the stream is open. Forget says that what was known before
	// is of another life of the log.
	Live struct{ Forget bool }

	// Lost says that the hub does not answer, and since when that is so.
	Lost struct {
		Err error
		At  time.Time
	}

	// State is the newest overview.
	State struct {
		Overview tool.OverviewOut
		At       time.Time // when it came
	}

	// News is an event of the log.
	News struct{ Event coord.Event }

	// Costs is what is known of quota and tokens; a nil part is as before.
	Costs struct {
		Quota  []coord.QuotaUse
		Tokens *Tokens
	}

	// Tick is a second gone by.
	Tick struct{ Now time.Time }
)

// Tokens is the sum over all agents.
type Tokens struct {
	Input, Output, Cached int64
	Cost                  float64 // in dollars
	Priced                bool    // the price of a model is known
}

// link keeps a stream open and turns it into messages.
type link struct {
	hub   *client.Client
	send  func(any)
	epoch coord.Epoch
	last  coord.Seq
	costs chan struct{} // capacity 1: costs have changed
}

func newLink(hub *client.Client, send func(any)) *link {
	return &link{hub: hub, send: send, costs: make(chan struct{}, 1)}
}

// run follows until ctx ends.
func (l *link) run(ctx context.Context) {
	for try := 0; ctx.Err() == nil; {
		was := l.last
		err := l.hub.Follow(ctx, client.From{Epoch: l.epoch, Since: l.last, Tail: keep, State: true}, l.take)
		if errors.Is(err, errDropped) {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		l.send(Lost{Err: err, At: time.Now()})
		if l.last != was {
			try = 0
		}
		pause := time.NewTimer(attempts[min(try, len(attempts)-1)])
		try++
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// errDropped says that the hub wants the stream to be opened again.
var errDropped = errors.New("the stream is to be opened again")

// take handles one message of the stream.
func (l *link) take(m client.Message) error {
	switch m.Name {
	case "":
		return l.event(m.Data)
	case "hello":
		var hello struct {
			Epoch coord.Epoch `json:"epoch"`
		}
		if err := json.Unmarshal(m.Data, &hello); err != nil {
			return fmt.Errorf("read hello: %w", err)
		}
		other := l.epoch != "" && l.epoch != hello.Epoch
		if other {
			l.last = 0
		}
		l.epoch = hello.Epoch
		l.send(Live{Forget: other})
		l.askCosts()
	case "truncated":
		l.send(Live{Forget: true})
	case "state":
		var o tool.OverviewOut
		if err := json.Unmarshal(m.Data, &o); err != nil {
			return fmt.Errorf("read the overview: %w", err)
		}
		l.send(State{o, time.Now()})
	case "dropped":
		return errDropped
	}
	return nil
}

func (l *link) event(raw []byte) error {
	_, d, err := coord.ParseWire(raw)
	if err != nil {
		return err
	}
	if d.Seq <= l.last {
		return nil
	}
	l.last = d.Seq
	l.send(News{d.Event})
	if d.Kind == coord.KindQuotaUpdated || d.Kind == coord.KindTokensUsed {
		l.askCosts()
	}
	return nil
}

func (l *link) askCosts() {
	select {
	case l.costs <- struct{}{}:
	default:
	}
}

// count answers each change of the costs with what they are now, until ctx ends.
// A hub that cannot say leaves them as they are.
func (l *link) count(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.costs:
			if c := costs(ctx, l.hub); c.Quota != nil || c.Tokens != nil {
				l.send(c)
			}
		}
	}
}

// costs asks what is known of quota and tokens.
func costs(ctx context.Context, hub *client.Client) (c Costs) {
	var quota struct {
		Enabled bool             `json:"enabled"`
		Buckets []coord.QuotaUse `json:"buckets"`
	}
	if raw, err := hub.Quota(ctx, false); err == nil && json.Unmarshal(raw, &quota) == nil && quota.Enabled {
		c.Quota = quota.Buckets
	}
	var used struct {
		Totals []struct {
			tool.TokenTotal
			Cost *float64 `json:"cost_usd"`
		} `json:"totals"`
	}
	raw, err := hub.Tokens(ctx)
	if err == nil && json.Unmarshal(raw, &used) == nil && len(used.Totals) > 0 {
		c.Tokens = &Tokens{}
		for _, t := range used.Totals {
			c.Tokens.Input += t.Input
			c.Tokens.Output += t.Output
			c.Tokens.Cached += t.CacheRead
			if t.Cost != nil {
				c.Tokens.Cost, c.Tokens.Priced = c.Tokens.Cost+*t.Cost, true
			}
		}
	}
	return c
}

// conversation reads a thread with its messages, at most maxTalk of them.
func conversation(ctx context.Context, hub *client.Client, id coord.ThreadID) (tool.ThreadView, error) {
	var all tool.ThreadView
	for since := coord.Seq(0); ; {
		args, err := json.Marshal(tool.GetThreadIn{ThreadID: id, SinceSeq: since, Limit: 200})
		if err != nil {
			return all, err
		}
		raw, err := hub.Call(ctx, "", tool.GetThread.Name, args, "")
		if err != nil {
			return all, err
		}
		var page tool.ThreadView
		if err := json.Unmarshal(raw, &page); err != nil {
			return all, fmt.Errorf("read thread %s: %w", id, err)
		}
		page.Messages = append(all.Messages, page.Messages...)
		all = page
		if page.More == 0 || page.NextSeq <= since || len(all.Messages) >= maxTalk {
			return all, nil
		}
		since = page.NextSeq
	}
}

// maxTalk is how many messages of a thread are shown.
const maxTalk = 500
