// Package setup connects clients with coord and takes the connection away
// again: the MCP entry of eight clients, and for Claude Code its hooks, the
// permission to use the tools, and a section of CLAUDE.md.
//
// Files of the user are edited in place: comments, order and formatting stay,
// a second [Init] changes nothing, a file that cannot be read as what it should
// be is refused untouched. Nothing is written before everything is known to be
// writable. What was written is recorded in the coord home, so that
// [Uninstall] can give back the exact bytes of a file that nobody has touched
// since; from any other it takes only our own entries.
//
// [Hooks] is the one table of the events that coord-hook serves: the settings
// of a project and the plugin's hooks/hooks.json are both made from it.
package setup
