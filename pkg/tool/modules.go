package tool

import "github.com/coordhq/coord/pkg/coord"

// MaxModules is how many modules a project's dependency map holds.
const MaxModules = 10_000

// SetDependencyMap tells the hub how the project's modules depend on each other.
var SetDependencyMap = declare[SetDependencyMapIn, SetDependencyMapOut](Op{
	Name: "set_dependency_map",
	Text: "Store which modules depend on which, for get_blast_radius. Modules given are added or changed; replace drops all others. A module named by the path of its directory or file is found by get_blast_radius files.",
})

// SetDependencyMapIn is the argument of set_dependency_map.
type SetDependencyMapIn struct {
	Modules map[string]ModuleSpec `json:"modules" req:"true" max:"10000" doc:"by module id"`
	Replace bool                  `json:"replace,omitempty"`
}

// ModuleSpec is one module as a client describes it.
type ModuleSpec struct {
	DependsOn []string `json:"depends_on,omitempty"`
	Exports   []string `json:"exports,omitempty"`
	Owners    []string `json:"owners,omitempty"`
}

// SetDependencyMapOut answers set_dependency_map: what was changed, and the map
// as it is now.
type SetDependencyMapOut struct {
	Set          int `json:"set"`
	Removed      int `json:"removed"`
	Modules      int `json:"modules"`
	Dependencies int `json:"dependencies"`
	Unknown      int `json:"unknown"` // modules that others depend on and that are not in the map
}

// GetBlastRadius tells what a change reaches.
var GetBlastRadius = declare[GetBlastRadiusIn, GetBlastRadiusOut](Op{
	Name:     "get_blast_radius",
	Text:     "What a change of a module or of files reaches by the dependency map: who depends on it directly and indirectly, and the live threads in there.",
	ReadOnly: true,
})

// GetBlastRadiusIn is the argument of get_blast_radius: one of both, or both.
type GetBlastRadiusIn struct {
	ModuleID coord.ModuleID `json:"module_id,omitempty" max:"200" line:"true"`
	Files    []string       `json:"files,omitempty" max:"500" path:"file"`
	Limit    int            `json:"limit,omitempty" max:"200" doc:"modules per page (default 20)"`
	Cursor   string         `json:"cursor,omitempty" max:"64"`
}

// GetBlastRadiusOut answers get_blast_radius. A page goes on through direct and
// then indirect modules; the counts are of all.
type GetBlastRadiusOut struct {
	Modules         []coord.ModuleID `json:"modules"` // those that change
	Direct          []coord.ModuleID `json:"direct"`
	Indirect        []coord.ModuleID `json:"indirect"`
	DirectCount     int              `json:"direct_count"`
	IndirectCount   int              `json:"indirect_count"`
	AffectedExports []string         `json:"affected_exports"` // exports of the modules that change
	MoreExports     int              `json:"more_exports,omitempty"`
	Threads         []RadiusThread   `json:"threads"` // live ones about these modules or files
	MoreThreads     int              `json:"more_threads,omitempty"`
	UnknownFiles    []coord.Path     `json:"unknown_files"` // in no module of the map
	MoreUnknown     int              `json:"more_unknown_files,omitempty"`
	NextCursor      string           `json:"next_cursor,omitempty"`
}

// RadiusThread is a live thread inside a blast radius.
type RadiusThread struct {
	ThreadID  coord.ThreadID     `json:"thread_id"`
	Status    coord.ThreadStatus `json:"status"`
	Subject   string             `json:"subject"`
	Initiator AgentRef           `json:"initiator"`
}

// GetModuleInfo reads one module of the map.
var GetModuleInfo = declare[GetModuleInfoIn, GetModuleInfoOut](Op{
	Name:     "get_module_info",
	Text:     "One module of the dependency map: what it depends on, what depends on it, its exports and owners.",
	ReadOnly: true,
})

// GetModuleInfoIn is the argument of get_module_info.
type GetModuleInfoIn struct {
	ModuleID coord.ModuleID `json:"module_id" req:"true" max:"200" line:"true"`
	Limit    int            `json:"limit,omitempty" max:"200"`
	Cursor   string         `json:"cursor,omitempty" max:"64"`
}

// GetModuleInfoOut answers get_module_info; a page is a window over each of the
// lists.
type GetModuleInfoOut struct {
	ModuleID   coord.ModuleID   `json:"module_id"`
	Known      bool             `json:"known"` // false: only others name it
	DependsOn  []coord.ModuleID `json:"depends_on"`
	Dependents []coord.ModuleID `json:"dependents"`
	Exports    []string         `json:"exports"`
	Owners     []string         `json:"owners"`
	Counts     ModuleCounts     `json:"counts"`
	NextCursor string           `json:"next_cursor,omitempty"`
}

// ModuleCounts says how long the whole lists are.
type ModuleCounts struct {
	DependsOn  int `json:"depends_on"`
	Dependents int `json:"dependents"`
	Exports    int `json:"exports"`
	Owners     int `json:"owners"`
}
