package dashboard_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/hub/dashboard"
)

// What is not ours is the file that was vetted, and its licence goes with it.
func TestVendoredFilesAreThoseNoted(t *testing.T) {
	files := dashboard.Files()
	notes, err := files.ReadFile("vendor/VENDORED.txt")
	if err != nil {
		t.Fatal(err)
	}
	noted := map[string]string{}
	for line := range strings.Lines(string(notes)) {
		if parts := strings.Split(strings.TrimSpace(line), "  "); len(parts) == 4 {
			noted[parts[0]] = parts[3]
		}
	}
	entries, err := fs.ReadDir(files, "vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "VENDORED.txt" {
			continue
		}
		body, err := files.ReadFile("vendor/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		if noted[e.Name()] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s has the hash %x, VENDORED.txt says %q", e.Name(), sum, noted[e.Name()])
		}
		delete(noted, e.Name())
	}
	for name := range noted {
		t.Errorf("VENDORED.txt has %s, the directory has not", name)
	}
}

// forbidden would break the policy of the page, or make markup of a text.
var forbidden = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function|https?://|<style|\son[a-z]+="|\sstyle="`)

func TestOurFilesHoldNoMarkupFromTextAndNoForeignAddress(t *testing.T) {
	files := dashboard.Files()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, "vendor/") {
			return err
		}
		body, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		for n, line := range strings.Split(string(body), "\n") {
			if bad := forbidden.FindString(line); bad != "" && !strings.Contains(line, "http://www.w3.org/2000/svg") {
				t.Errorf("%s:%d holds %q", path, n+1, bad)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
