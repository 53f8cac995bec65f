package web

import (
	"context"
	"net/http"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Human is what a person may do about agents; it is implemented by hub.Hub. The
// context holds the operator. Errors are *coord.Error.
type Human interface {
	ReleasePath(ctx context.Context, in coord.PathRelease, idempotencyKey string) (coord.Freed, error)
	ReleaseLease(ctx context.Context, id coord.LeaseID, idempotencyKey string) (coord.Freed, error)
	PostAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanPost, idempotencyKey string) (tool.MessageView, error)
	CloseAsHuman(ctx context.Context, id coord.ThreadID, in coord.HumanClose, idempotencyKey string) (tool.ThreadView, error)
}

func (s *Server) releasePath(w http.ResponseWriter, r *http.Request) error {
	return asHuman(s, w, r, func(ctx context.Context, in coord.PathRelease, key string) (any, error) {
		return s.o.Human.ReleasePath(ctx, in, key)
	})
}

func (s *Server) releaseLease(w http.ResponseWriter, r *http.Request) error {
	return act(s, w, r, func(ctx context.Context, key string) (any, error) {
		return s.o.Human.ReleaseLease(ctx, coord.LeaseID(r.PathValue("id")), key)
	})
}

func (s *Server) humanPost(w http.ResponseWriter, r *http.Request) error {
	return asHuman(s, w, r, func(ctx context.Context, in coord.HumanPost, key string) (any, error) {
		return s.o.Human.PostAsHuman(ctx, coord.ThreadID(r.PathValue("id")), in, key)
	})
}

func (s *Server) humanClose(w http.ResponseWriter, r *http.Request) error {
	return asHuman(s, w, r, func(ctx context.Context, in coord.HumanClose, key string) (any, error) {
		return s.o.Human.CloseAsHuman(ctx, coord.ThreadID(r.PathValue("id")), in, key)
	})
}

// asHuman reads the body of a person's act and does it.
func asHuman[In any](s *Server, w http.ResponseWriter, r *http.Request, run func(context.Context, In, string) (any, error)) error {
	in, err := readInto[In](r)
	if err != nil {
		return err
	}
	return act(s, w, r, func(ctx context.Context, key string) (any, error) { return run(ctx, in, key) })
}

func act(s *Server, w http.ResponseWriter, r *http.Request, run func(ctx context.Context, key string) (any, error)) error {
	if s.o.Human == nil {
		return coord.Errorf(coord.NotFound, "run a hub that does", "this hub takes no acts of a person")
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	out, err := run(r.Context(), key)
	if err != nil {
		return err
	}
	write(w, r, http.StatusOK, out)
	return nil
}
