package auth_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/coordtest/asroot"
	"github.com/coordhq/coord/pkg/hub/auth"
)

func newHome(t *testing.T) config.Home {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	home, err := config.Find(func(key string) string {
		if key == "COORDINATOR_HOME" {
			return dir
		}
		return ""
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := home.Prepare(); err != nil {
		t.Fatal(err)
	}
	return home
}

func TestATokenIsMadeOnceWith256BitsAndMode0600(t *testing.T) {
	home := newHome(t)
	old := syscall.Umask(0) // the mode must not depend on it
	token, err := auth.LoadToken(home)
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(b) != 32 {
		t.Errorf("token %q holds %d bytes, %v", token, len(b), err)
	}
	info, err := os.Lstat(home.TokenFile())
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("token file: mode %v, %v; want -rw-------", info.Mode(), err)
	}
	again, err := auth.LoadToken(home)
	if err != nil || again != token {
		t.Errorf("second load gives %q, %v; want %q", again, err, token)
	}
	if left, _ := filepath.Glob(filepath.Join(home.Dir(), ".token-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOfManyMakersAllGetOneToken(t *testing.T) {
	home := newHome(t)
	tokens := make([]string, 20)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() {
			var err error
			if tokens[i], err = auth.LoadToken(home); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, token := range tokens {
		if token != tokens[0] {
			t.Fatalf("two tokens: %q and %q", token, tokens[0])
		}
	}
}

func TestAPlantedTokenIsRefusedAndUntouched(t *testing.T) {
	known := base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + "\n"
	write := func(t *testing.T, name string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(name, []byte(known), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	type plant struct {
		name string
		put  func(t *testing.T, name, target string)
		want string
	}
	plants := []plant{
		{"symlink to a file", func(t *testing.T, name, target string) {
			write(t, target, 0o600)
			must(t, os.Symlink(target, name))
		}, "symbolic link"},
		{"dangling symlink", func(t *testing.T, name, target string) { must(t, os.Symlink(target, name)) }, "symbolic link"},
		{"directory", func(t *testing.T, name, _ string) { must(t, os.Mkdir(name, 0o700)) }, "not a regular file"},
		{"FIFO", func(t *testing.T, name, _ string) { must(t, syscall.Mkfifo(name, 0o600)) }, "not a regular file"},
		{"readable by others", func(t *testing.T, name, _ string) { write(t, name, 0o644) }, "open to other users (mode 0644)"},
		{"no token inside", func(t *testing.T, name, _ string) { must(t, os.WriteFile(name, []byte("hunter2"), 0o600)) }, "does not hold a token"},
		{"empty", func(t *testing.T, name, _ string) { must(t, os.WriteFile(name, nil, 0o600)) }, "does not hold a token"},
	}
	const foreign = "owned by another user"
	plants = append(plants, plant{foreign, func(t *testing.T, name, _ string) {
		write(t, name, 0o600)
		must(t, os.Chown(name, 65534, 65534))
	}, "belongs to another user"})
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			if p.name == foreign && !asroot.Test(t) { // nobody else can give a file away
				return
			}
			home := newHome(t)
			target := filepath.Join(home.Dir(), "target")
			p.put(t, home.TokenFile(), target)
			before, _ := os.Lstat(home.TokenFile())
			token, err := auth.LoadToken(home)
			if err == nil || token != "" || !strings.Contains(err.Error(), p.want) || !strings.Contains(err.Error(), "; ") {
				t.Errorf("got %q, %v; want a refusal with %q and what to do", token, err, p.want)
			}
			if c := coord.CodeOf(err); c != coord.Forbidden && c != coord.Invalid {
				t.Errorf("code %q", c)
			}
			if after, err := os.Lstat(home.TokenFile()); err != nil || after.Mode() != before.Mode() || after.Size() != before.Size() {
				t.Errorf("the planted file was changed: %v, %v", after, err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		given, secret string
		want          bool
	}{
		{"abc", "abc", true}, {"abd", "abc", false}, {"ab", "abc", false}, {"abcd", "abc", false}, {"", "abc", false}, {"", "", false},
	} {
		if got := auth.Equal(c.given, c.secret); got != c.want {
			t.Errorf("Equal(%q, %q) = %v", c.given, c.secret, got)
		}
	}
}
