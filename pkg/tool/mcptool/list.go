package mcptool

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/tool"
)

// listed is an entry of tools/list. Only what differs from the protocol's
// defaults is said.
type listed struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	InputSchema json.RawMessage `json:"inputSchema"`
	Annotations *hints          `json:"annotations,omitempty"`
	Meta        *meta           `json:"_meta,omitempty"`
}

type hints struct {
	ReadOnly bool `json:"readOnlyHint"`
}

type meta struct {
	AlwaysLoad bool `json:"anthropic/alwaysLoad"`
}

// List answers tools/list, from the operations alone. There is one page.
func List(offered []*tool.Op, p *mcp.ListToolsParams) (mcp.Result, error) {
	if p != nil && p.Cursor != "" {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "unknown cursor: the list has one page"}
	}
	tools := make([]listed, 0, len(offered))
	for _, op := range offered {
		t := listed{Name: op.Name, Description: op.Text, InputSchema: op.Schema()}
		if op.ReadOnly {
			t.Annotations = &hints{true}
		}
		if op.AlwaysLoad {
			t.Meta = &meta{true}
		}
		tools = append(tools, t)
	}
	return raw(struct {
		Tools []listed `json:"tools"`
	}{tools}), nil
}

// Find gives an offered operation by name; the error names what may be meant.
func Find(offered []*tool.Op, name string) (*tool.Op, error) {
	at := slices.IndexFunc(offered, func(op *tool.Op) bool { return op.Name == name })
	if at >= 0 {
		return offered[at], nil
	}
	close, all := []string{}, []string{}
	for _, op := range offered {
		all = append(all, op.Name)
		if similar(name, op.Name) {
			close = append(close, op.Name)
		}
	}
	next := "the tools are: " + strings.Join(all, ", ")
	if op, exists := tool.Lookup(name); exists && !op.Hidden {
		return nil, coord.Errorf(coord.NotFound, next+"; the user gets the others by leaving out COORDINATOR_TOOLS=core (or ?tools=core)",
			"there is no tool %s among the core tools, which are all that is offered here", name)
	}
	if len(close) > 0 {
		next = "did you mean " + strings.Join(close, " or ") + "?"
	}
	return nil, coord.Errorf(coord.NotFound, next, "there is no tool %.100q", name)
}

// similar reports whether a name may be meant for another: one is part of the
// other, or a third of the letters at most is different.
func similar(typed, name string) bool {
	if len(typed) > 2*len(name) || len(typed) < 3 {
		return false
	}
	typed = strings.ReplaceAll(strings.ToLower(typed), "-", "_")
	return strings.Contains(name, typed) || strings.Contains(typed, name) || distance(typed, name) <= len(name)/3
}

// distance is the number of letters to insert, remove or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
