package config

import "strings"

// Docs gives [Table] as a Markdown table, for the project's documentation.
func Docs() string {
	var b strings.Builder
	b.WriteString("| environment | flag | config.json | default | accepted | read by | what it does |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, r := range Table {
		flag := ""
		if r.Flag != "" {
			flag = "--" + r.Flag
		}
		for _, cell := range []string{code(r.Env), code(flag), code(r.File), code(r.Default), r.Accepts, r.readers()} {
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("| " + r.Text + " |\n")
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return "–"
	}
	return "`" + s + "`"
}

// readers words who reads the setting.
func (r *Setting) readers() string {
	var out []string
	for _, p := range []struct {
		program Program
		name    string
	}{{Shim, "shim"}, {Hook, "hook"}, {Serve, "serve, start"}, {Auto, "auto-started hub"}} {
		if r.Readers&p.program == 0 {
			continue
		}
		if p.program == Auto && r.File != "" && r.Key != DataDir { // its starter hands on no environment but the home
			p.name += " (config.json only)"
		}
		out = append(out, p.name)
	}
	return strings.Join(out, ", ")
}
