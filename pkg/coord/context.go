package coord

import "context"

type contextKey int

const (
	callerKey contextKey = iota
	requestKey
	toolUseKey
)

// WithCaller puts the verified identity of a connection into the context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey, c)
}

// CallerFrom gives the caller; ok is false when no door put one in.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(callerKey).(Caller)
	return c, ok
}

// WithRequest puts the id of a request into the context, for logs and errors.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey, id)
}

// RequestFrom gives the request id, "" when there is none.
func RequestFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestKey).(string)
	return id
}

// WithToolUse puts into the context which of its client's tool uses a call
// comes from.
func WithToolUse(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, toolUseKey, id)
}

// ToolUseFrom gives the tool use, "" when the client does not tell.
func ToolUseFrom(ctx context.Context) string {
	id, _ := ctx.Value(toolUseKey).(string)
	return id
}
