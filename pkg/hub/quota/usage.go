package quota

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// parse reads the answer of the usage endpoint: an object with one member per
// bucket, each null or {"utilization": percent, "resets_at": RFC 3339}. Members
// that are not known are left out.
func parse(body []byte) ([]coord.QuotaUse, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, errors.New("the answer is not a JSON object")
	}
	var out []coord.QuotaUse
	for _, b := range coord.QuotaBuckets {
		var in *struct {
			Utilization *float64 `json:"utilization"`
			ResetsAt    string   `json:"resets_at"`
		}
		raw, ok := all[string(b)]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fmt.Errorf("bucket %s has another form than expected", b)
		}
		if in == nil || in.Utilization == nil {
			continue
		}
		use := coord.QuotaUse{Bucket: b, Utilization: *in.Utilization}
		if math.IsInf(use.Utilization, 0) || use.Utilization < 0 || use.Utilization > 10_000 {
			return nil, fmt.Errorf("bucket %s has a utilization out of range", b)
		}
		if in.ResetsAt != "" {
			at, err := time.Parse(time.RFC3339, in.ResetsAt)
			if err != nil {
				return nil, fmt.Errorf("bucket %s has an unreadable resets_at", b)
			}
			use.ResetsAt = coord.At(at)
		}
		out = append(out, use)
	}
	if len(out) == 0 {
		return nil, errors.New("the answer names none of the known buckets")
	}
	return out, nil
}
