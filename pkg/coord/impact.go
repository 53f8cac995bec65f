package coord

// Layer names the signal by which two agents' work touches.
type Layer string

// The layers of DESIGN 5, strongest signal first within a score.
const (
	LayerSameFile     Layer = "0a" // 100: same file in a peer's live announcement
	LayerIDepend      Layer = "0b" // 80: they change a file I depend on
	LayerTheyDepend   Layer = "0c" // 80: I change a file they depend on
	LayerInFlight     Layer = "1"  // 100: same file edited within 60 s, or leased now
	LayerDependFlight Layer = "2"  // 80: a file I depend on was edited within 60 s
	LayerModule       Layer = "3"  // 30: declared modules overlap, or pattern meets pattern
)

// Category is the verdict over all impacts of one announcement.
type Category string

// Concerned opens a consultation, gray_zone asks by the way, pass is silence.
const (
	Pass      Category = "pass"
	GrayZone  Category = "gray_zone"
	Concerned Category = "concerned"
)

// CategoryOf maps a score to its verdict.
func CategoryOf(score int) Category {
	switch {
	case score >= 90:
		return Concerned
	case score >= 30:
		return GrayZone
	default:
		return Pass
	}
}

// Reason is one typed cause of an impact; it holds no prose.
type Reason struct {
	Layer        Layer          `json:"layer"`
	Path         Path           `json:"path,omitzero"`    // the file both touch, or depend on
	Module       string         `json:"module,omitempty"` // layer 3: the narrower module
	Pattern      string         `json:"pattern,omitempty"`
	Announcement AnnouncementID `json:"announcement_id,omitempty"` // the peer's announcement, if that is the evidence
	Since        Millis         `json:"since,omitempty"`           // time of the edit or lease, if that is the evidence
}

// Impact is how one announcement touches one peer.
type Impact struct {
	Agent   AgentID  `json:"agent_id"`
	Score   int      `json:"score"` // 0–100; the highest layer wins
	Layer   Layer    `json:"layer"`
	Reasons []Reason `json:"reasons"`
}
