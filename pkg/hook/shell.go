package hook

import "github.com/coordhq/coord/pkg/coord"

// shellFiles names the files that a shell command writes.
func shellFiles(_ coord.HookEvent, _, _ string, _ fields) []string { return nil }
