//go:build unix

package client_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest/asroot"
	"github.com/coordhq/coord/pkg/coordtest/machine"
)

// nobody is a uid that is not ours.
const nobody = 65534

// strangerVerb makes the test binary a listener that another user runs.
const strangerVerb = "be-a-stranger"

// stranger accepts one connection on the descriptor it was given and prints
// what came over it until its end.
func stranger(word string) int {
	if err := syscall.Listen(3, 1); err != nil { // from here on the kernel names us as the peer
		fmt.Println(err)
		return 1
	}
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(word)
	conn, err := l.Accept()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	got, err := io.ReadAll(conn)
	fmt.Printf("%d bytes, %v\n", len(got), err)
	return 0
}

func TestSocketOfSomebodyElseGetsNoByte(t *testing.T) {
	if !asroot.Test(t) {
		return
	}
	socket := socketPath(t)
	listen(t, socket)
	if err := os.Chown(socket, nobody, -1); err != nil {
		t.Fatal(err)
	}
	_, err := dial(t, socket).Hello(t.Context())
	if coord.CodeOf(err) != coord.Forbidden || !strings.Contains(err.Error(), "another user") {
		t.Errorf("error %v, want code %q for another user's socket", err, coord.Forbidden)
	}
}

// The kernel reports who called listen, so the other user's process must do
// that itself on a socket that is ours by name.
func TestProcessOfSomebodyElseGetsNoByte(t *testing.T) {
	machine.Has(t, runtime.GOOS == "linux", "/proc")
	if !asroot.Test(t) {
		return
	}
	socket := socketPath(t)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close()
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: socket}); err != nil {
		t.Fatal(err)
	}
	out := startStranger(t, file)
	_, err = dial(t, socket).Hello(t.Context())
	if coord.CodeOf(err) != coord.Forbidden || !strings.Contains(err.Error(), "65534") {
		t.Errorf("error %v, want code %q naming the other user", err, coord.Forbidden)
	}
	if line, err := out.ReadString('\n'); err != nil || line != "0 bytes, <nil>\n" {
		t.Errorf("the stranger got %q (%v)", line, err)
	}
}

// startStranger runs the listener as nobody and waits until it listens.
func startStranger(t *testing.T, socket *os.File) *bufio.Reader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/4", strangerVerb, "listening")
	self, err := os.Open(os.Args[0]) // nobody may not enter the directory it lies in
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd.ExtraFiles = []*os.File{socket, self}
	cmd.Stdout = w
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	out := bufio.NewReader(r)
	if line, err := out.ReadString('\n'); err != nil || line != "listening\n" {
		t.Fatalf("the stranger said %q (%v)", line, err)
	}
	return out
}

func TestWhatIsNoSocketIsNotConnectedTo(t *testing.T) {
	socket := socketPath(t)
	listen(t, socket)
	for name, make := range map[string]func(string) error{
		"file":    func(name string) error { return os.WriteFile(name, nil, 0o600) },
		"symlink": func(name string) error { return os.Symlink(socket, name) },
		"dir":     func(name string) error { return os.Mkdir(name, 0o700) },
	} {
		other := socket + "-" + name
		if err := make(other); err != nil {
			t.Fatal(err)
		}
		if _, err := dial(t, other).Hello(t.Context()); coord.CodeOf(err) != coord.Forbidden {
			t.Errorf("%s: error %v, want code %q", name, err, coord.Forbidden)
		}
	}
}
