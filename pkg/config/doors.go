package config

import (
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// doorsLife is how long the addresses of a hub that has left are worth taking
// again.
const doorsLife = 10 * time.Minute

// doors are the TCP addresses of a hub that has left in good order.
type doors struct {
	HTTP string       `json:"http,omitempty"`
	MQTT string       `json:"mqtt,omitempty"`
	Left coord.Millis `json:"left_at"`
}

func (h Home) doors() string { return filepath.Join(h.dir, "doors.json") }

// KeepDoors notes where a hub listened that leaves now: a browser may go on
// looking there. The caller holds the hub's lock.
func KeepDoors(h Home, d Discovery, now coord.Millis) error {
	raw, err := json.Marshal(doors{d.HTTP, d.MQTT, now})
	if err != nil {
		return err
	}
	return WriteOwn(h.doors(), append(raw, '\n'))
}

// DoorsBefore gives the TCP addresses of the hub before: of one that was killed,
// or that left within the last 10 minutes; "" when there are none.
func DoorsBefore(h Home, now coord.Millis) (http, mqtt string) {
	if d, err := ReadDiscovery(h); err == nil {
		return d.HTTP, d.MQTT
	}
	var d doors
	raw, err := readOwn(h.doors(), 4096)
	if err != nil || json.Unmarshal(raw, &d) != nil || now > d.Left.Add(doorsLife) {
		return "", ""
	}
	return d.HTTP, d.MQTT
}
