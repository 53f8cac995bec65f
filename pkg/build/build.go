// Package build says which build of a program runs: a semantic version that
// orders any two builds, so that a newer one can take over from an older one.
//
// A release is its tag. Every other build is a pre-release of the next version
// that carries a time, 0.1.0-dev.20260704120000+1a2b3c4: of two the later one
// is the newer, and each is older than the release. The time is that of the
// commit when the working tree was clean, else that of the build. The Makefile
// links it in; without it the go tool's own record is used.
package build

import (
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// Next is the version that development builds lead to.
const Next = "0.1.0"

// stampForm is how a time stands in a version: one number that only grows.
const stampForm = "20060102150405"

// shortRevision is how many characters of a revision a version shows.
const shortRevision = 7

// Version gives the version of the running program: linked, when the linker has
// set one, else what the go tool knows. It is "0.1.0-dev" when nobody knows
// anything; such a build never replaces another, and every dated one is newer.
func Version(linked string) string {
	if linked != "" {
		return linked
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Next + "-dev"
	}
	return Of(info)
}

// Of gives the version that a build record tells.
func Of(info *debug.BuildInfo) string {
	if v := info.Main.Version; semver.IsValid(v) && semver.Prerelease(v) == "" && semver.Build(v) == "" {
		return strings.TrimPrefix(v, "v") // go install …@v1.2.3
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	at, err := time.Parse(time.RFC3339, settings["vcs.time"])
	if err != nil {
		return Next + "-dev"
	}
	version := Next + "-dev." + at.UTC().Format(stampForm)
	revision := settings["vcs.revision"]
	if revision = revision[:min(len(revision), shortRevision)]; revision != "" {
		version += "+" + revision
		if settings["vcs.modified"] == "true" {
			version += ".dirty"
		}
	}
	return version
}
