package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// maxIdempotencyKey is the longest Idempotency-Key, in bytes.
const maxIdempotencyKey = 200

// tool runs one operation. The body is its arguments, the answer its result;
// the rules check both name and arguments.
func (s *Server) tool(w http.ResponseWriter, r *http.Request) error {
	start := time.Now()
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	args, err := readBody(r, nil)
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	ctx, cancel := s.callContext(r, name)
	defer cancel()
	if id, err := url.QueryUnescape(r.Header.Get(client.ToolUseHeader)); err == nil && id != "" {
		ctx = coord.WithToolUse(ctx, id)
	}
	result, err := s.o.Rules.Call(ctx, name, args, key)
	caller, _ := coord.CallerFrom(r.Context())
	s.logs.mcp.Log(r.Context(), callLevel(name), "tool call", "tool", name, "agent", caller.Agent, "project", caller.Project, "bytes_in", len(args), "bytes_out", len(result),
		"tokens_in", coord.EstimateTokens(len(args)), "tokens_out", coord.EstimateTokens(len(result)), "ms", float64(time.Since(start).Microseconds())/1000, "code", coord.CodeOf(err), "request_id", coord.RequestFrom(r.Context()))
	if err != nil {
		return err
	}
	write(w, r, http.StatusOK, result)
	return nil
}

// callLevel is the level at which a call is logged. What a model asked for comes
// at a model's pace; what shims and hooks do by themselves would flood the log.
func callLevel(name string) slog.Level {
	if op, ok := tool.Lookup(name); ok && !op.Hidden {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// callContext gives the context of an operation. One that only reads ends when
// the server stops, since it may wait for a minute and nothing is lost by
// asking again; one that changes something is let finish.
func (s *Server) callContext(r *http.Request, name string) (context.Context, context.CancelFunc) {
	op, ok := tool.Lookup(name)
	if !ok || !op.ReadOnly {
		return r.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(r.Context())
	unlink := context.AfterFunc(s.leaving, cancel)
	return ctx, func() { unlink(); cancel() }
}

// idempotencyKey reads the header by which a repeated call has one effect; ""
// when it is absent.
func idempotencyKey(r *http.Request) (string, error) {
	const next = "send one of at most 200 printable ASCII characters"
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return "", nil
	}
	key := keys[0]
	if len(keys) > 1 || key == "" {
		return "", coord.Errorf(coord.Invalid, next, "there must be one Idempotency-Key that is not empty")
	}
	if len(key) > maxIdempotencyKey {
		return "", coord.Errorf(coord.TooLarge, next, "the Idempotency-Key is over the limit of %d characters", maxIdempotencyKey)
	}
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return "", coord.Errorf(coord.Invalid, next, "the Idempotency-Key holds a character that is not printable ASCII")
		}
	}
	return key, nil
}
