package shell

import (
	"strings"
	"sync"
)

// psCommands are the cmdlets that write files.
var psCommands = sync.OnceValue(func() map[string]psCommand {
	const content = "-value -encoding -filter -include -exclude"
	return map[string]psCommand{
		"set-content":       {op: OpRedirect, path: "-path -literalpath", values: content},
		"add-content":       {op: OpAppend, path: "-path -literalpath", values: content},
		"clear-content":     {op: OpTouch, path: "-path -literalpath", values: content},
		"out-file":          {op: OpRedirect, path: "-filepath -literalpath -path", appends: "-append", values: "-encoding -width -inputobject"},
		"tee-object":        {op: OpTee, path: "-filepath -literalpath", appends: "-append", values: "-inputobject -encoding"},
		"export-csv":        {op: OpOutput, path: "-path -literalpath", appends: "-append", values: "-delimiter -encoding -inputobject"},
		"export-clixml":     {op: OpOutput, path: "-path -literalpath", values: "-depth -inputobject"},
		"remove-item":       {op: OpRemove, path: "-path -literalpath", every: true, values: "-filter -include -exclude -erroraction"},
		"move-item":         {op: OpMove, path: "-destination", from: "-path -literalpath", removes: true, values: "-filter -include -exclude -erroraction"},
		"copy-item":         {op: OpCopy, path: "-destination", from: "-path -literalpath", values: "-filter -include -exclude -erroraction"},
		"rename-item":       {op: OpMove, path: "-newname", from: "-path -literalpath", removes: true, beside: true, values: "-erroraction"},
		"new-item":          {op: OpTouch, path: "-path -name", values: "-itemtype -value -erroraction", unlessIs: "directory"},
		"invoke-webrequest": {op: OpOutput, path: "-outfile", from: "-uri", values: "-method -headers -body -contenttype -useragent"},
	}
})

var psAliases = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"sc": "set-content", "ac": "add-content", "clc": "clear-content", "tee": "tee-object", "epcsv": "export-csv",
		"rm": "remove-item", "del": "remove-item", "erase": "remove-item", "rd": "remove-item", "ri": "remove-item", "rmdir": "remove-item",
		"mv": "move-item", "move": "move-item", "mi": "move-item", "cp": "copy-item", "copy": "copy-item", "cpi": "copy-item",
		"ren": "rename-item", "rni": "rename-item", "ni": "new-item", "iwr": "invoke-webrequest", "mkdir": "get-item", "md": "get-item",
		"cd": "set-location", "sl": "set-location", "chdir": "set-location", "pushd": "push-location", "popd": "pop-location",
		"dir": "get-childitem", "gci": "get-childitem", "type": "get-content", "gc": "get-content", "%": "foreach-object", "?": "where-object",
		"select": "select-object", "where": "where-object", "foreach": "foreach-object", "sls": "select-string", "gi": "get-item", "gcm": "get-command",
		"measure": "measure-object", "ft": "format-table", "fl": "format-list", "gps": "get-process", "iex": "invoke-expression", "sleep": "start-sleep",
	}
})

// psKeywords begin statements whose blocks are read by themselves.
var psKeywords = map[string]bool{"if": true, "else": true, "elseif": true, "try": true, "catch": true, "finally": true, "while": true, "do": true,
	"for": true, "switch": true, "return": true, "exit": true, "break": true, "continue": true, "param": true, "function": true, "begin": true, "process": true, "end": true}

// psReads matches cmdlets that only read, by their verb.
func psReads(name string) bool {
	verb, noun, ok := strings.Cut(name, "-")
	return ok && noun != "" && listed("get test select where foreach sort measure write format convertto convertfrom compare resolve join split out find show read group wait", verb) ||
		name == "start-sleep" || name == "set-strictmode" || name == "import-module"
}
