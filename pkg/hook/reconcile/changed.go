package reconcile

import "encoding/json"

// maxChanged is how many files of one call are taken over.
const maxChanged = 500

// ChangedFiles reads bashEditDiff.changedFiles from the tool_response of a
// shell call; ok is false when the client does not give it. The list also holds
// what others changed meanwhile: look at the files and ask [Written], and take
// as ambiguous what it does not find. Paths are as the client gives them.
func ChangedFiles(toolResponse json.RawMessage) (files []string, ok bool) {
	var response struct {
		BashEditDiff *struct {
			ChangedFiles []changedFile `json:"changedFiles"`
		} `json:"bashEditDiff"`
	}
	if json.Unmarshal(toolResponse, &response) != nil || response.BashEditDiff == nil || response.BashEditDiff.ChangedFiles == nil {
		return nil, false
	}
	files = []string{}
	for _, file := range response.BashEditDiff.ChangedFiles {
		if file != "" && len(files) < maxChanged {
			files = append(files, string(file))
		}
	}
	return files, true
}

// changedFile is a name, or an object that holds one.
type changedFile string

func (f *changedFile) UnmarshalJSON(raw []byte) error {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		*f = changedFile(name)
		return nil
	}
	var object struct {
		Upper string `json:"filePath"`
		Lower string `json:"file_path"`
		Path  string `json:"path"`
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil // a form we do not know: the file is left out
	}
	for _, name := range []string{object.Upper, object.Lower, object.Path} {
		if name != "" {
			*f = changedFile(name)
			break
		}
	}
	return nil
}
