package quota

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// errNoCredential is what a user without a login of the client gets to read.
var errNoCredential = errors.New("no login found: sign in with the client, or set CLAUDE_CODE_OAUTH_TOKEN")

// Credential gives a function that finds the client's access token, in this
// order: CLAUDE_CODE_OAUTH_TOKEN, .credentials.json in CLAUDE_CONFIG_DIR (else
// in ~/.claude), and on macOS the keychain.
func Credential(getenv func(string) string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if token := getenv("CLAUDE_CODE_OAUTH_TOKEN"); token != "" {
			return token, nil
		}
		dir := getenv("CLAUDE_CONFIG_DIR")
		if dir == "" {
			dir = filepath.Join(getenv("HOME"), ".claude")
		}
		token, err := fromFile(filepath.Join(dir, ".credentials.json"))
		if errors.Is(err, os.ErrNotExist) && runtime.GOOS == "darwin" {
			return fromKeychain(ctx)
		}
		if errors.Is(err, os.ErrNotExist) {
			return "", errNoCredential
		}
		return token, err
	}
}

// maxCredential bounds the file that is read, in bytes.
const maxCredential = 1 << 20

func fromFile(name string) (string, error) {
	f, err := os.Open(name) // #nosec G304 -- the client's own file, in the user's home
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(f, maxCredential))
	if err != nil {
		return "", fmt.Errorf("read the client's credentials: %w", err)
	}
	return accessToken(content)
}

// keychainLimit bounds the question at the user's keychain, which may open a
// dialog that nobody sees.
const keychainLimit = 2 * time.Second

func fromKeychain(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, keychainLimit)
	defer cancel()
	content, err := exec.CommandContext(ctx, "security", "find-generic-password", "-s", "Claude Code-credentials", "-w").Output()
	if err != nil {
		return "", errNoCredential
	}
	return accessToken(content)
}

// accessToken reads {"claudeAiOauth":{"accessToken":…}}. Its
// errors never quote the content.
func accessToken(content []byte) (string, error) {
	var in struct {
		OAuth struct {
			Token string `json:"accessToken"`
		} `json:"claudeAiOauth"`
	}
	if json.Unmarshal(content, &in) != nil {
		return "", errors.New("the client's credentials are not readable as JSON")
	}
	if in.OAuth.Token == "" {
		return "", errNoCredential
	}
	return in.OAuth.Token, nil
}
