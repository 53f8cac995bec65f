package shim

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/coordhq/coord/pkg/tool"
	"github.com/coordhq/coord/pkg/tool/mcptool"
	"github.com/coordhq/coord/pkg/workspace"
)

// maxExpansions bounds the names sent for all patterns of one call, in bytes,
// well below the hub's limit for a request. Patterns over it go as wide ones.
const maxExpansions = 512 << 10

// expansionsArg is the wire-only argument that carries the names each pattern
// stands for.
const expansionsArg = "expansions"

// resolvePaths brings the path arguments of a call into the project's form.
// Only here, beside the files, it is known what a path names.
func resolvePaths(ctx context.Context, w workspace.Workspace, op *tool.Op, args json.RawMessage) (json.RawMessage, error) {
	paths := op.PathArgs()
	if len(paths) == 0 {
		return args, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(args, &fields); err != nil {
		return nil, fmt.Errorf("read the arguments of %s: %w", op.Name, err)
	}
	r := resolver{ctx: ctx, space: w, expansions: map[string][]string{}}
	for name, form := range paths {
		value, given := fields[name]
		if !given {
			continue
		}
		resolved, err := r.argument(value, form)
		if err != nil {
			return nil, err
		}
		fields[name] = resolved
	}
	if len(r.expansions) > 0 {
		fields[expansionsArg] = mcptool.Encode(r.expansions)
	}
	return mcptool.Encode(fields), nil
}

// resolver resolves the paths of one call.
type resolver struct {
	ctx        context.Context // of the call; a resolver does not outlive it
	space      workspace.Workspace
	expansions map[string][]string // nil names: wide
	size       int                 // bytes of all names
}

// argument resolves one path or a list of them.
func (r *resolver) argument(value json.RawMessage, form string) (json.RawMessage, error) {
	var one string
	if json.Unmarshal(value, &one) == nil {
		p, err := r.path(one, form)
		return mcptool.Encode(p), err
	}
	var list []string
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, fmt.Errorf("read a list of paths: %w", err)
	}
	for i := range list {
		p, err := r.path(list[i], form)
		if err != nil {
			return nil, err
		}
		list[i] = p
	}
	return mcptool.Encode(list), nil
}

func (r *resolver) path(s, form string) (string, error) {
	if form == "id" && tool.IsID(s) {
		return s, nil
	}
	s, err := r.space.Typed(s)
	if err != nil {
		return "", err
	}
	if form != "target" {
		p, err := r.space.Resolve(s)
		return p.String(), err
	}
	target, names, _, isPattern, err := r.space.Target(r.ctx, s) // of a wide pattern there are no names
	if err != nil || !isPattern {
		return target, err
	}
	for _, name := range names {
		r.size += len(name)
	}
	if r.size > maxExpansions {
		names = nil
	}
	r.expansions[target] = names
	return target, nil
}
