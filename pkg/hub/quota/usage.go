package quota

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

// Bucket is one allowance.
type Bucket string

// The buckets that are shown, in this order.
const (
	FiveHour       Bucket = "five_hour"
	SevenDay       Bucket = "seven_day"
	SevenDaySonnet Bucket = "seven_day_sonnet"
)

var buckets = [...]Bucket{FiveHour, SevenDay, SevenDaySonnet}

// Use is how much of one bucket is used up.
type Use struct {
	Bucket      Bucket       `json:"bucket"`
	Utilization float64      `json:"utilization_pct"`     // 0 to 100; over 100 when overdrawn
	ResetsAt    coord.Millis `json:"resets_at,omitempty"` // 0 = not said
}

// Highest gives the bucket that is used most; false when there is none.
func Highest(uses []Use) (Use, bool) {
	var top Use
	for _, u := range uses {
		if top.Bucket == "" || u.Utilization > top.Utilization {
			top = u
		}
	}
	return top, top.Bucket != ""
}

// parse reads the answer of the usage endpoint: an object with one member per
// bucket, each null or {"utilization": percent, "resets_at": RFC 3339}. Members
// that are not known are left out.
func parse(body []byte) ([]Use, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, errors.New("the answer is not a JSON object")
	}
	var out []Use
	for _, b := range buckets {
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
		use := Use{Bucket: b, Utilization: *in.Utilization}
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
