package hub

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/coordhq/coord/pkg/coord"
)

// ringMap is a map of n modules in one circle; with chords each also depends on
// some far ones.
func ringMap(n, chords int) *depMap {
	modules := make(map[coord.ModuleID]*coord.Module, n)
	for i := range n {
		m := &coord.Module{ID: coord.ModuleID(fmt.Sprintf("src/m%05d", i))}
		for c := range chords + 1 {
			m.DependsOn = append(m.DependsOn, coord.ModuleID(fmt.Sprintf("src/m%05d", (i+1+c*n/7)%n)))
		}
		modules[m.ID] = m
	}
	return newDepMap(modules)
}

func TestTheRadiusOfTenThousandModulesInACircleIsQuick(t *testing.T) {
	const limit = 100 * time.Millisecond
	for _, chords := range []int{0, 6} {
		d := ringMap(10_000, chords)
		best := time.Hour
		for range 5 { // the machine may be busy: one quick time is enough
			start := time.Now()
			direct, indirect := d.radius([]coord.ModuleID{"src/m00000"})
			best = min(best, time.Since(start))
			if len(direct) != chords+1 || len(direct)+len(indirect) != 9_999 {
				t.Fatalf("%d chords: %d direct and %d indirect", chords, len(direct), len(indirect))
			}
		}
		if best > limit {
			t.Errorf("%d chords: it took %v, over %v", chords, best, limit)
		}
	}
}

func BenchmarkBlastRadius(b *testing.B) {
	for _, chords := range []int{0, 6} {
		b.Run(fmt.Sprintf("modules=10000/dependencies=%d", 10_000*(chords+1)), func(b *testing.B) {
			d := ringMap(10_000, chords)
			for b.Loop() {
				d.radius([]coord.ModuleID{"src/m00000"})
			}
		})
	}
}

func TestTheRadiusIsWhatAPlainSearchFinds(t *testing.T) {
	ids := []coord.ModuleID{"a", "b", "c", "d", "e", "f"}
	rapid.Check(t, func(t *rapid.T) {
		modules := map[coord.ModuleID]*coord.Module{}
		for _, id := range ids[:5] { // f is only named
			on := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 4, rapid.ID).Draw(t, string(id))
			slices.Sort(on)
			modules[id] = &coord.Module{ID: id, DependsOn: on}
		}
		changed := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 2, rapid.ID).Draw(t, "changed")
		dependsOnOne := func(id coord.ModuleID, of []coord.ModuleID) bool {
			return slices.ContainsFunc(modules[id].DependsOn, func(on coord.ModuleID) bool { return slices.Contains(of, on) })
		}
		var direct, indirect []coord.ModuleID
		reached := slices.Clone(changed)
		for more := true; more; {
			more = false
			for _, id := range ids[:5] {
				if slices.Contains(reached, id) || !dependsOnOne(id, reached) {
					continue
				}
				reached, more = append(reached, id), true
				if dependsOnOne(id, changed) {
					direct = append(direct, id)
				} else {
					indirect = append(indirect, id)
				}
			}
		}
		gotDirect, gotIndirect := newDepMap(modules).radius(changed)
		sorted := func(in []coord.ModuleID) []coord.ModuleID {
			out := list(slices.Clone(in))
			slices.Sort(out)
			return out
		}
		if diff := cmp.Diff([2][]coord.ModuleID{sorted(direct), sorted(indirect)}, [2][]coord.ModuleID{sorted(gotDirect), sorted(gotIndirect)}); diff != "" {
			t.Fatalf("%v changed (-want +got):\n%s", changed, diff)
		}
	})
}
