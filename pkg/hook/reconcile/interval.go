package reconcile

import "time"

// slack is how far time stamps of files may lie before the clock's: file
// systems take the time of the last tick, up to 10 ms old.
const slack = 20 * time.Millisecond

// Interval is the time in which a call ran. A zero To is one that still runs.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
}

// During gives the interval of a call that ended at end, as the hook that
// reports it reads the clock, and took so long, as the client says. A call
// without a duration has the empty interval at its end.
func During(end time.Time, took time.Duration) Interval {
	return Interval{From: end.Add(-max(took, 0)), To: end}
}

// Holds reports whether a file's time stamp falls into the interval.
func (i Interval) Holds(stamp time.Time) bool {
	return !stamp.Before(i.From.Add(-slack)) && (i.To.IsZero() || !stamp.After(i.To))
}
