package config_test

import (
	"flag"
	"testing"

	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coordtest/docs"
)

var update = flag.Bool("update", false, "write the table in docs/SETTINGS.md anew")

func TestTheDocsListTheSettings(t *testing.T) {
	docs.Section(t, "../../docs/SETTINGS.md", "settings", config.Docs(), *update)
}
