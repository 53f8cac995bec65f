// Package metrics counts what a hub does and serves it to Prometheus.
//
// Every label has a small, fixed set of values: operations, codes, categories,
// states. What a client chooses, such as the name of a model, is a label only for
// the first 20 values and "other" beyond. No metric names an agent, a project or
// a path.
package metrics
