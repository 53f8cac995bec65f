package setup_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/setup"
)

// byHook are the events that a hook reports by itself, after one that the client
// has started it for.
var byHook = []coord.HookEvent{coord.HookWritten, coord.HookWatch}

func TestTheClientIsToldToReportEveryEventThereIs(t *testing.T) {
	want := slices.DeleteFunc(slices.Clone(coord.HookEvents), func(e coord.HookEvent) bool { return slices.Contains(byHook, e) })
	var got []coord.HookEvent
	for _, h := range setup.Hooks() {
		if e := coord.HookEvent(h.Arg); !slices.Contains(got, e) {
			got = append(got, e)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
