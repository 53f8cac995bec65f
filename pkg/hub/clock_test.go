package hub_test

import (
	"testing"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// A clock that was wrong and is put right makes no claim last, neither of the
// hub that runs nor of one that starts on what was stored.
func TestNoClaimOutlivesAStepBackOfTheClock(t *testing.T) {
	for name, step := range map[string]time.Duration{"an hour": time.Hour, "ten years": 10 * 365 * 24 * time.Hour} {
		for how, restart := range map[string]bool{"while the hub runs": false, "over a restart": true} {
			t.Run(name+" "+how, func(t *testing.T) {
				r, a, b := consult(t)
				a.call("turn", object{"event": "begin"})
				a.call("acquire", object{"file_paths": []string{"y"}})
				if restart {
					r.stop()
				}
				r.mu.Lock()
				r.now = r.now.Add(-step)
				r.mu.Unlock()
				if restart {
					r.start(nil)
				}
				r.pass(time.Second)
				if restart {
					r.Connected(a.AgentID, true)
					r.Connected(b.AgentID, true)
				}
				b.call("turn", object{"event": "begin"})
				want(t, "y is held as before", b.call("acquire", object{"file_paths": []string{"y"}})["decision"], "refuse")
				want(t, "nothing ended by itself", state(b), [2]any{"open", nil})
				r.pass(9 * time.Minute)
				want(t, "within the time", state(b), [2]any{"open", nil})
				r.pass(2 * time.Minute)
				want(t, "the round is over", state(b), [2]any{"expired", nil})
				want(t, "y is untouched for ten minutes", b.call("acquire", object{"file_paths": []string{"y"}})["decision"], "context")
			})
		}
	}
}

// A lost connection is gone in its time, whatever the clock says.
func TestALostConnectionEndsAfterAStepBackOfTheClock(t *testing.T) {
	r, a, b := consult(t)
	r.Disconnected(a.AgentID, true)
	r.pass(-time.Hour)
	r.pass(10 * time.Second)
	want(t, "at first", state(b), [2]any{"open", nil})
	r.pass(25 * time.Second)
	want(t, "then", state(b), [2]any{"resolved", string(coord.Uncontested)})
}
