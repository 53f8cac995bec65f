package workspace

import (
	"os"
	"strings"
)

// kept are the GIT_ variables that describe the user's git, not one repository.
var kept = []string{
	"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_",
	"GIT_CEILING_DIRECTORIES", "GIT_EXEC_PATH",
}

// gitEnv drops every variable that would point git at another repository than
// the one around its directory, as a git hook or alias that started us sets them.
func gitEnv(environ []string) []string {
	out := make([]string, 0, len(environ)+4)
	for _, kv := range environ {
		if !strings.HasPrefix(kv, "GIT_") || isKept(kv) {
			out = append(out, kv)
		}
	}
	return append(out, "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
}

func isKept(kv string) bool {
	for _, name := range kept {
		if rest, ok := strings.CutPrefix(kv, name); ok && (strings.HasSuffix(name, "_") || strings.HasPrefix(rest, "=")) {
			return true
		}
	}
	return false
}

// PlainGitEnv is the environment of a git that works in a repository of our own
// making: no GIT_ variable of ours, which in a hook names the user's repository,
// and none of the user's configuration, which may name hooks and templates.
func PlainGitEnv(environ []string) []string {
	out := make([]string, 0, len(environ)+3)
	for _, kv := range environ {
		if !strings.HasPrefix(kv, "GIT_") {
			out = append(out, kv)
		}
	}
	return append(out, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0")
}
