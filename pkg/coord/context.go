package coord

import "context"

type contextKey int

const (
	callerKey contextKey = iota
	requestKey
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
