package hub_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
)

// Some letters get longer when their case is folded: a path within the limit
// may have a key over it.
func TestAPathWhoseKeyIsLongerThanAPathMayBe(t *testing.T) {
	r := newRig(t)
	reg := registration("alice")
	reg.FoldCase = true
	alice, bob := r.join(reg), r.named("bob")
	long := "src/" + strings.Repeat("\u0390", 500) + ".go"

	alice.call("announce_work", object{"subject": "w", "target_files": []string{long}, "depends_on_files": []string{"lib/" + long}})
	for _, pattern := range []string{"src/", "src/*.go", "lib/", "**"} {
		bob.call("announce_work", object{"subject": "w", "target_files": []string{pattern}})
	}
	got := bob.announce("src/")
	want(t, "status", got["status"], "open")
	reason := got["reasons"].([]any)[0].(object)
	want(t, "the path as alice wrote it", reason["path"], long)

	r.stop()
	r.start(nil)
	carol := r.named("carol")
	want(t, "after a restart", carol.announce(long)["category"], "concerned")
}

func TestAPathThatNFCMakesTooLongIsRefused(t *testing.T) {
	r := newRig(t)
	a := r.named("a")
	a.refused(coord.TooLarge, "announce_work", object{"subject": "w", "target_files": []string{strings.Repeat("\u0958", 341)}})
}
