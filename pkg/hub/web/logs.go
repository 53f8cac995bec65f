package web

import "log/slog"

// logs are the components that this package logs for beside its own, which is
// http.
type logs struct{ mcp, hook, auth *slog.Logger }

func newLogs(log *slog.Logger) logs {
	return logs{mcp: log.With("component", "mcp"), hook: log.With("component", "hook"), auth: log.With("component", "auth")}
}
