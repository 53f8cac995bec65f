package hub_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

func TestWaitingForPeersEndsWhenTheyArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		a := r.named("a")
		got := make(chan object, 1)
		go func() { got <- a.call("wait_for_peers", object{"min_peers": 2, "timeout_seconds": 40}) }()
		synctest.Wait()
		b := r.named("b")
		synctest.Wait()
		select {
		case early := <-got:
			t.Fatalf("one of two was enough: %v", early)
		default:
		}
		want(t, "b sees a", activityOf(b, "a"), "waiting")
		start := time.Now()
		r.named("c")
		out := <-got
		want(t, "answer", []any{out["ready"], len(out["online_peers"].([]any))}, []any{true, 2})
		want(t, "at once", time.Since(start), time.Duration(0))
		want(t, "a goes on", activityOf(b, "a"), "working")
	})
}

func activityOf(me *agent, name string) any {
	for _, row := range me.call("agent_activity", nil)["agents"].([]any) {
		if row.(object)["name"] == name {
			return row.(object)["activity"]
		}
	}
	return nil
}

func TestHowLongAClientMayWait(t *testing.T) {
	for client, most := range map[string]time.Duration{"claude-code": 100 * time.Second, "codex-mcp-client": 50 * time.Second} {
		for _, op := range []string{"wait_for_peers", "wait_for_message"} {
			t.Run(client+" "+op, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					reg := registration("a")
					reg.Client.Name = client
					a := newRig(t).join(reg)
					for seconds, limit := range map[float64]time.Duration{3000: most, 7: 7 * time.Second} {
						start := time.Now()
						a.call(op, object{"timeout_seconds": seconds})
						want(t, "waited", time.Since(start), limit)
					}
					start := time.Now()
					a.call(op, nil)
					want(t, "unless it is told", time.Since(start), 30*time.Second)
				})
			})
		}
	}
}

func TestAWaitEndsWithItsCallerAndWithTheHub(t *testing.T) {
	for _, op := range []string{"wait_for_peers", "wait_for_message"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				a, b := r.named("a"), r.named("b")
				want(t, "b is news for nobody", b.Name, "b")
				args := json.RawMessage(`{"timeout_seconds":40}`)
				if op == "wait_for_peers" {
					args = json.RawMessage(`{"timeout_seconds":40,"min_peers":9}`)
				}
				start, ends := time.Now(), make(chan error, 1)
				ctx, cancel := context.WithCancel(a.ctx)
				call := func(ctx context.Context) {
					_, err := r.Call(ctx, op, args, "")
					ends <- err
				}
				go call(ctx)
				synctest.Wait()
				cancel()
				if err := <-ends; coord.CodeOf(err) != coord.Unavailable {
					t.Errorf("cancelled: %v", err)
				}
				go call(a.ctx)
				synctest.Wait()
				r.stop()
				if err := <-ends; coord.CodeOf(err) != coord.Unavailable {
					t.Errorf("the hub stops: %v", err)
				}
				want(t, "at once", time.Since(start), time.Duration(0))
				r.start(nil) // for the cleanup
			})
		})
	}
}
