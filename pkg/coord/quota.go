package coord

// QuotaBucket is one allowance of the user's plan.
type QuotaBucket string

// The buckets that are shown, in this order.
const (
	QuotaFiveHour       QuotaBucket = "five_hour"
	QuotaSevenDay       QuotaBucket = "seven_day"
	QuotaSevenDaySonnet QuotaBucket = "seven_day_sonnet"
)

// QuotaBuckets are all of them, in the order in which they are shown.
var QuotaBuckets = [...]QuotaBucket{QuotaFiveHour, QuotaSevenDay, QuotaSevenDaySonnet}

// QuotaUse is how much of one bucket is used up.
type QuotaUse struct {
	Bucket      QuotaBucket `json:"bucket"`
	Utilization float64     `json:"utilization_pct"`     // 0 to 100; over 100 when overdrawn
	ResetsAt    Millis      `json:"resets_at,omitempty"` // 0 = not said
}

// QuotaUpdated is the payload of quota.updated. Usage, limit, utilization and
// resets_at are those of the bucket that is used most; the API speaks of
// percentages only, so the limit is 100.
type QuotaUpdated struct {
	Usage       float64    `json:"usage"`
	Limit       float64    `json:"limit"`
	Utilization float64    `json:"utilization_pct"`
	ResetsAt    Millis     `json:"resets_at,omitempty"`
	Buckets     []QuotaUse `json:"buckets"`
}

// HighestQuota gives the bucket that is used most; false when there is none.
func HighestQuota(uses []QuotaUse) (QuotaUse, bool) {
	var top QuotaUse
	for _, u := range uses {
		if top.Bucket == "" || u.Utilization > top.Utilization {
			top = u
		}
	}
	return top, top.Bucket != ""
}
