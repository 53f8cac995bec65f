package hook

import (
	"context"
	"io"
	"time"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/process"
)

// Times of the waiter.
const (
	pollLimit   = 130 * time.Second // one question; the hub answers within 100 s
	lookAgain   = time.Second       // between two looks at the client program, and for a hub that has gone
	waiterLimit = 35 * time.Minute  // an idle session is woken for 30 minutes at most
)

// rewake waits for news that may wake the idle session, writes it to standard
// error and ends with the code that wakes. It ends in silence when another
// waiter takes its place, when the client is gone, or when nobody may be woken
// any more.
func (r *run) rewake(ctx context.Context) int {
	if r.unset != nil || r.settings.NoWake || !interactive(r.Getenv) {
		return exitOK
	}
	ctx, cancel := context.WithTimeout(ctx, waiterLimit)
	defer cancel()
	watched := r.watchClient(ctx, cancel)
	defer func() { cancel(); <-watched }()
	for {
		answer, err := r.poll(ctx)
		switch {
		case ctx.Err() != nil || answer.Over:
			return exitOK
		case err != nil:
			if !pause(ctx, lookAgain) {
				return exitOK
			}
		case answer.Wake != "":
			if _, err := io.WriteString(r.Stderr, answer.Wake+"\n"); err != nil {
				return exitOK
			}
			r.confirm(answer.Receipt)
			r.hub.close()
			return exitWake
		}
		if r.hub != nil {
			r.hub.close()
		}
	}
}

// interactive reports whether somebody sits at the client. One that was started
// for a single prompt (claude -p) waits at its end for all its hooks, so none of
// them may wait for news.
func interactive(getenv func(string) string) bool {
	entry := getenv("CLAUDE_CODE_ENTRYPOINT")
	return entry == "" || entry == "cli"
}

// poll asks once. It starts no hub: who works does.
func (r *run) poll(ctx context.Context) (coord.HookAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, pollLimit)
	defer cancel()
	call, err := r.prepare(ctx)
	if err != nil {
		return coord.HookAnswer{}, err
	}
	if r.hub, err = dial(ctx, r.settings.Home.Socket(), r.Client); err != nil {
		r.hub = nil
		return coord.HookAnswer{}, err
	}
	defer context.AfterFunc(ctx, r.hub.close)()
	return r.hub.post(coord.HookRewake, *call)
}

// watchClient ends the wait when the client program ends. The channel is closed
// when nobody watches any more.
func (r *run) watchClient(ctx context.Context, end context.CancelFunc) <-chan struct{} {
	done := make(chan struct{})
	pid, start := clientProcess(r.Getenv)
	go func() {
		defer close(done)
		for pause(ctx, lookAgain) {
			if !process.Alive(coord.Process{PID: pid, Start: start}) {
				end()
			}
		}
	}()
	return done
}

// pause waits; it reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
