package build_test

import (
	"runtime/debug"
	"testing"

	"golang.org/x/mod/semver"

	"github.com/coordhq/coord/pkg/build"
)

func record(main string, settings ...string) *debug.BuildInfo {
	info := &debug.BuildInfo{Main: debug.Module{Version: main}}
	for i := 0; i < len(settings); i += 2 {
		info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
	}
	return info
}

func TestAVersionTellsTheBuild(t *testing.T) {
	for want, info := range map[string]*debug.BuildInfo{
		"0.1.0-dev":                              record("(devel)"),
		"1.2.3":                                  record("v1.2.3"),
		"0.1.0-dev.20260704120000+1a2b3c4":       record("v0.0.0-20260704120000-1a2b3c4d5e6f", "vcs.time", "2026-07-04T12:00:00Z", "vcs.revision", "1a2b3c4d5e6f"),
		"0.1.0-dev.20260704100000+1a2b3c4.dirty": record("(devel)", "vcs.time", "2026-07-04T12:00:00+02:00", "vcs.revision", "1a2b3c4d5e6f", "vcs.modified", "true"),
	} {
		if got := build.Of(info); got != want {
			t.Errorf("version %s, want %s", got, want)
		}
	}
	if got := build.Version("1.0.0"); got != "1.0.0" {
		t.Errorf("version %s, want the linked one", got)
	}
}

func TestLaterBuildsAreNewer(t *testing.T) {
	order := []string{"v0.1.0-dev", "v0.1.0-dev.20260704120000+bbb", "v0.1.0-dev.20260704120001+aaa.dirty", "v0.1.0", "v0.2.0-dev.20250101000000"}
	for i, later := range order[1:] {
		if !semver.IsValid(order[i]) || semver.Compare(later, order[i]) <= 0 {
			t.Errorf("%s is not newer than %s", later, order[i])
		}
	}
}
