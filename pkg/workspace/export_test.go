package workspace

// ParseOrigin opens the reading of remote URLs to a table of spellings.
var ParseOrigin = parseOrigin

// WithFold gives the workspace as on a case-insensitive file system, of which
// none can be mounted in a test.
func (w Workspace) WithFold() Workspace {
	w.FoldCase = true
	return w
}
