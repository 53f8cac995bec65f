//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Some clients give one socket for both directions, and do not read at once.
func TestOneSocketForBothDirectionsLosesNothing(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range pair {
		syscall.CloseOnExec(fd)
	}
	if err := syscall.SetNonblock(pair[0], true); err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "client"), os.NewFile(uintptr(pair[1]), "shim")
	defer ours.Close()
	cmd := command(t)
	cmd.Stdin, cmd.Stdout = theirs, theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	_ = theirs.Close()
	if err := ours.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	const lists = 100 // each of 20 KB: more than a socket holds
	if _, err := fmt.Fprint(ours, hello, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	for i := range lists {
		if _, err := fmt.Fprintf(ours, `{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`+"\n", i+2); err != nil {
			t.Fatal(err)
		}
	}
	answers := bufio.NewReader(ours)
	for i := range 1 + lists {
		line, err := answers.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, `{"jsonrpc":"2.0","id":`) || strings.Contains(line, `"error"`) {
			t.Fatalf("answer %d is %.80q, %v", i+1, line, err)
		}
	}
}
