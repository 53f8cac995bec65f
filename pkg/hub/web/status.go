package web

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// Facts is what a hub process knows of itself: the "daemon" of a Status.
type Facts struct {
	PID           int      `json:"pid"`
	Home          string   `json:"home"`
	DataDir       string   `json:"data_dir,omitempty"` // of the database
	Log           string   `json:"log,omitempty"`      // file
	Auto          bool     `json:"auto"`               // started by a shim or hook; leaves when idle
	Args          []string `json:"args,omitempty"`     // of "coord-hub serve", for a restart
	UptimeSeconds int64    `json:"uptime_seconds"`
	Protocol      int      `json:"protocol"`
	Socket        string   `json:"socket"`
	MQTTSocket    string   `json:"mqtt_socket"`
	HTTP          string   `json:"http,omitempty"` // host:port, "" when the door is closed
	MQTT          string   `json:"mqtt,omitempty"` // host:port, "" when the door is closed
	Connections   int      `json:"connections"`    // open HTTP connections, this one among them
	Quota         bool     `json:"measures_quota"` // the user has switched it on
}

// Status answers GET /api/status: coordinator_status of the caller, and the
// process behind it.
type Status struct {
	tool.CoordinatorStatusOut
	Daemon Facts `json:"daemon"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.query(r, nil); err != nil {
		return err
	}
	raw, err := s.o.Rules.Call(r.Context(), tool.CoordinatorStatus.Name, json.RawMessage("{}"), "")
	if err != nil {
		return err
	}
	var out Status
	if err := json.Unmarshal(raw, &out.CoordinatorStatusOut); err != nil {
		return fmt.Errorf("read the answer of %s: %w", tool.CoordinatorStatus.Name, err)
	}
	out.Daemon = s.o.Facts()
	out.Daemon.Connections = s.Connections()
	write(w, r, http.StatusOK, out)
	return nil
}

// hello is the handshake by which a starter knows the hub of its home.
func (s *Server) hello(w http.ResponseWriter, r *http.Request) error {
	write(w, r, http.StatusOK, s.o.Hello())
	return nil
}

// stop asks the hub to leave. The answer goes out before it does, since the
// hub waits for requests at work.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) error {
	in, err := readInto[client.StopRequest](r)
	if err != nil {
		return err
	}
	if s.o.Stop == nil {
		return coord.Errorf(coord.Conflict, "stop the program it is part of", "this hub cannot be stopped from outside")
	}
	h := s.o.Hello()
	s.o.Stop(coord.CleanText(in.Reason))
	write(w, r, http.StatusAccepted, struct {
		Stopping bool   `json:"stopping"`
		PID      int    `json:"pid"`
		Instance string `json:"instance"`
	}{true, h.PID, h.Instance})
	return nil
}

type health struct {
	Status string `json:"status"`
}

// health says that the process answers, and nothing else.
func (s *Server) health(w http.ResponseWriter, r *http.Request) error {
	write(w, r, http.StatusOK, health{"ok"})
	return nil
}

// ready says whether the hub can do its work now.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	if s.o.Hello().Draining {
		return coord.Errorf(coord.Unavailable, "try again, another hub takes over", "this hub is leaving")
	}
	if err := s.o.Ready(r.Context()); err != nil {
		return &coord.Error{Code: coord.Unavailable, What: "this hub cannot work now", Next: "see coord-hub logs", Err: err}
	}
	write(w, r, http.StatusOK, health{"ok"})
	return nil
}
