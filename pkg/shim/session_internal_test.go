package shim

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// The feed uses a link before calls may, and can find that the hub has forgotten
// the session between the two; no public door opens at that moment.
func TestALinkThatIsForgottenAtOnceIsNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(&Shim{o: Options{Patience: time.Minute}, log: slog.New(slog.DiscardHandler)})
		s.begin(coord.ClientInfo{})
		type got struct {
			l   *link
			err error
		}
		calls := make(chan got, 1)
		go func() { l, err := s.current(t.Context()); calls <- got{l, err} }()
		synctest.Wait()

		forgotten, known := &link{}, &link{}
		s.tune(forgotten)
		s.lost(forgotten, coord.Errorf(coord.Unauthorized, "register again", "the session is not known"))
		if s.publish(nil) {
			t.Fatal("a lost link is open")
		}
		synctest.Wait()
		s.tune(known)
		s.publish(nil)
		if c := <-calls; c.err != nil || c.l != known {
			t.Errorf("got %p, %v; want the next link, %p", c.l, c.err, known)
		}
	})
}
