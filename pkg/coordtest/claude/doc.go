// Package claude drives the real Claude Code binary against a scripted model, so
// that a test sees what a session really does with coord and what really reaches
// its model.
//
// A Model stands in for the Messages API on loopback. It answers nothing by
// itself: the test takes each request of the conversation with Next and replies to
// it, and so decides when anything happens.
//
//	session := claude.Start(t, claude.Options{Home: home, Dir: repo, Prompt: "change a.go"})
//	request := session.Model.Next()
//	request.Reply(claude.Use("Read", map[string]any{"file_path": file}))
//	request = session.Model.Next()
//	request.Reply(claude.Say("done"))
//	session.Wait()
//
// A session with a prompt is `claude -p`; one without is the terminal program,
// under tmux, which waits for Type.
package claude
