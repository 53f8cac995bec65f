package config

import (
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/coordhq/coord/pkg/coord"
)

// Discovery is the content of hub.json: who the hub is and where it listens.
// It may be stale (the hub was killed); a reader shakes hands before it
// believes, and never signals PID without comparing PIDStart.
type Discovery struct {
	PID        int          `json:"pid"`
	PIDStart   int64        `json:"pid_start,omitempty"` // in the host's own units; 0 = unknown
	Instance   string       `json:"instance"`            // random per start
	Version    string       `json:"version"`
	Protocol   int          `json:"protocol"`
	Auto       bool         `json:"auto"`           // started by a shim or hook
	Args       []string     `json:"args,omitempty"` // of "coord-hub serve", for who starts it again
	DataDir    string       `json:"data_dir"`       // its database, and the lock it holds for life
	Socket     string       `json:"socket"`
	MQTTSocket string       `json:"mqtt_socket"`
	HTTP       string       `json:"http,omitempty"` // host:port, "" when the door is closed
	MQTT       string       `json:"mqtt,omitempty"` // host:port, "" when the door is closed
	StartedAt  coord.Millis `json:"started_at"`
}

// ReadDiscovery reads hub.json. The error is coord.NotFound when there is none.
func ReadDiscovery(h Home) (Discovery, error) {
	raw, err := readOwn(h.Discovery(), 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return Discovery{}, &coord.Error{Code: coord.NotFound, What: "no hub has left its address in " + h.Discovery(), Next: "start one with coord-hub start", Err: err}
	}
	if err != nil {
		return Discovery{}, err
	}
	var d Discovery
	if err := json.Unmarshal(raw, &d); err != nil {
		return Discovery{}, &coord.Error{Code: coord.Invalid, What: h.Discovery() + " cannot be read", Next: "run coord-hub restart", Err: err}
	}
	return d, nil
}

// WriteDiscovery replaces hub.json in one step, mode 0600. The home must be
// prepared; the caller holds the hub's lock.
func WriteDiscovery(h Home, d Discovery) error {
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return WriteOwn(h.Discovery(), append(raw, '\n'))
}
