package web

import (
	"net/http"

	"github.com/coordhq/coord/pkg/coord"
)

// register opens a session for the caller's member. The answer holds the
// session key, which is shown nowhere else.
func (s *Server) register(w http.ResponseWriter, r *http.Request) error {
	in, err := readInto[coord.Registration](r)
	if err != nil {
		return err
	}
	caller, _ := coord.CallerFrom(r.Context())
	out, err := s.o.Rules.Register(r.Context(), caller.Member, in)
	if err != nil {
		return err
	}
	write(w, r, http.StatusCreated, out)
	return nil
}

// leave ends the caller's session, now.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) error {
	if err := s.o.Rules.Leave(r.Context()); err != nil {
		return err
	}
	caller, _ := coord.CallerFrom(r.Context())
	s.followers.end(caller.Session)
	write(w, r, http.StatusOK, struct {
		Left bool `json:"left"`
	}{true})
	return nil
}
