package shim_test

import (
	"fmt"
	"testing"
)

// Every id comes back as it was written: a client compares it.
func TestIDsComeBackAsTheyWereWritten(t *testing.T) {
	peer := startShim(t, newHome(t), nil)
	peer.introduce("test")
	for _, id := range []string{"0", "-1", "42", "999999999999999", "9007199254740993", "-9223372036854775808", "123456789012345678901234567890",
		"1.5", "1.0", "1e3", "-0", `"a"`, `""`, `"1.5"`, `"\u0000verbatim:7"`, `"<b>"`} {
		if m := peer.ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"ping"}`, id)); m.Error != nil || string(m.ID) != id {
			if id != `"<b>"` || string(m.ID) != `"\u003cb\u003e"` { // the same string
				t.Errorf("id %s comes back as %s (%v)", id, m.ID, m.Error)
			}
		}
		if m := peer.ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"no/such"}`, id)); m.Error == nil || string(m.ID) != id && id != `"<b>"` {
			t.Errorf("id %s of a refused request comes back as %s (%v)", id, m.ID, m.Error)
		}
	}
}

// Two ids that are one float64 are two calls, and each is cancelled alone.
func TestLargeIDsAreNotMixedUp(t *testing.T) {
	_, peer := serving(t, nil)
	const first, second = "9007199254740992", "9007199254740993"
	for _, id := range []string{first, second} {
		peer.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"wait_for_message","arguments":{"timeout_seconds":30}}}`, id))
	}
	peer.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, first))
	peer.wantSilence()
	if m := peer.ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"ping"}`, second)); m.Error == nil || string(m.ID) != "null" {
		t.Errorf("the second call is no longer under way: %s %v", m.ID, m.Error)
	}
	peer.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, second))
	peer.wantSilence()
}
