package coord

// ModuleID names a part of a project as its dependency map does: "auth",
// "api/users", or the path of a directory or file.
type ModuleID string

// Module is one entry of a project's dependency map.
type Module struct {
	Project   ProjectID  `json:"project"`
	ID        ModuleID   `json:"id"`
	DependsOn []ModuleID `json:"depends_on,omitempty"` // sorted; may name modules that are not in the map
	Exports   []string   `json:"exports,omitempty"`    // public names that others may use
	Owners    []string   `json:"owners,omitempty"`     // people or teams, as the map says
	Updated   Millis     `json:"updated"`
}
