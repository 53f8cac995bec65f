package config

import (
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// WriteLaunched notes the process that was just started to become the hub of a
// prepared home. Until it answers nothing else tells of it. Who holds the start
// lock writes it.
func WriteLaunched(h Home, p coord.Process) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return writeOwn(h.launchedFile(), append(raw, '\n'))
}

// ReadLaunched gives the process that was last started to become the hub, the
// zero one when none is known. It may have ended long ago, or have given way.
func ReadLaunched(h Home) coord.Process {
	var p coord.Process
	raw, err := readOwn(h.launchedFile(), 4096)
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return coord.Process{}
	}
	return p
}
