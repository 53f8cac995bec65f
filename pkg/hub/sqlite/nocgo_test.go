//go:build !cgo

package sqlite_test

import (
	"strings"
	"testing"

	"github.com/coordhq/coord/pkg/hub/sqlite"
)

func TestOpenWithoutCgo(t *testing.T) {
	_, err := sqlite.Open(t.Context(), sqlite.Options{Path: temp(t)})
	if err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
		t.Errorf("error %v does not say how to build", err)
	}
}
