package config

import (
	"encoding/json"

	"github.com/coordhq/coord/pkg/coord"
)

// WriteLaunched notes the processes that were started to become the hub of a
// prepared home. Until one answers nothing else tells of it. Who holds the
// start lock writes it.
func WriteLaunched(h Home, all []coord.Process) error {
	raw, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return WriteOwn(h.launchedFile(), append(raw, '\n'))
}

// ReadLaunched gives the processes that sessions have started to become the
// hub, as far as they were alive at the last start. Each may have ended since.
func ReadLaunched(h Home) []coord.Process {
	var all []coord.Process
	raw, err := readOwn(h.launchedFile(), 64<<10)
	if err != nil || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	return all
}
