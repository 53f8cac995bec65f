package shim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
)

// syncLimit bounds one heartbeat.
const syncLimit = 5 * time.Second

// Pauses between repetitions of a call.
const (
	firstRepeat = 10 * time.Millisecond
	lastRepeat  = 500 * time.Millisecond
)

// call makes one call of the client at the hub. What gets no answer is repeated
// at the next link, as long as ctx allows; a changing call carries a key of its
// own, so that it has one effect however often it is sent.
func (s *session) call(ctx context.Context, op *tool.Op, args json.RawMessage) (json.RawMessage, error) {
	key := ""
	if !op.ReadOnly {
		key = s.keys.next()
	}
	sent, refused := false, false
	for pause := firstRepeat; ; pause = min(2*pause, lastRepeat) {
		l, err := s.current(ctx)
		if err != nil {
			return nil, unanswered(err, sent && key != "")
		}
		answer, err := l.hub.Call(ctx, l.me.SessionKey, op.Name, args, key)
		switch code := coord.CodeOf(err); {
		case err == nil:
			return answer, nil
		case code == coord.Unauthorized && !refused:
			refused = true // the session ended at the hub; registering anew is worth one attempt
		case code != coord.Unavailable:
			return nil, err
		}
		if errors.Is(ctx.Err(), context.Canceled) { // by the client, or our end: no fault of the hub
			return nil, err
		}
		sent = sent || client.Sent(err)
		s.lost(l, err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, unanswered(s.absent(err), sent && key != "")
		}
	}
}

// unanswered words the end of all patience. A call that may have reached the
// hub may also have had its effect.
func unanswered(err error, sent bool) error {
	if !sent {
		return err
	}
	return &coord.Error{Code: coord.Unavailable, What: "the coord hub went away before it answered", Err: err,
		Next: "this call may have been carried out or not; look with coordinator_status before you repeat it; a hub that hangs is ended by coord-hub restart"}
}

// sync is the feed's question. It is asked once: the feed comes again.
func (s *session) sync(ctx context.Context, in tool.SyncIn) (tool.SyncOut, error) {
	s.mu.Lock()
	l := s.link
	s.mu.Unlock()
	if l == nil {
		return tool.SyncOut{}, s.absent(nil)
	}
	out, err := l.ask(ctx, in)
	if err == nil {
		s.hooked.Store(out.Hooks)
	}
	if code := coord.CodeOf(err); (code == coord.Unavailable || code == coord.Unauthorized) && ctx.Err() == nil {
		s.lost(l, err)
	}
	return out, err
}

func (l *link) ask(ctx context.Context, in tool.SyncIn) (tool.SyncOut, error) {
	ctx, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	var out tool.SyncOut
	answer, err := l.hub.Call(ctx, l.me.SessionKey, tool.Sync.Name, mcptool.Encode(in), "")
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("read the hub's answer to sync: %w", err)
	}
	return out, nil
}

// dialMQTT connects to the doorbell of the hub that runs now.
func (s *session) dialMQTT(ctx context.Context) (net.Conn, error) {
	socket := s.o.Home.MQTTSocket()
	if d, err := config.ReadDiscovery(s.o.Home); err == nil && d.MQTTSocket != "" {
		socket = d.MQTTSocket
	}
	return client.Connect(ctx, socket)
}

// keys gives idempotency keys that no other call of any shim has. The client's
// own request id would not do: a client that introduces itself again counts
// anew, and would be given the answers of earlier calls.
type keys struct {
	nonce string
	last  atomic.Int64
}

func newKeys() *keys { return &keys{nonce: rand.Text()} }

func (k *keys) next() string { return k.nonce + ":" + strconv.FormatInt(k.last.Add(1), 10) }
