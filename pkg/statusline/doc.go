// Package statusline prints the line that Claude Code shows below its prompt:
// who else works here, which threads wait for an answer of this session, which
// files it was refused. The client runs it often and waits for it, so it makes
// one call and starts nothing; whatever goes wrong, it says nothing and the
// session goes on.
package statusline
