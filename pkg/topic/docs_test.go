package topic_test

import (
	"flag"
	"testing"

	"github.com/coordhq/coord/pkg/coordtest/docs"
	"github.com/coordhq/coord/pkg/topic"
)

var update = flag.Bool("update", false, "write the table in docs/CLIENTS.md anew")

func TestTheDocsListTheTopics(t *testing.T) {
	docs.Section(t, "../../docs/CLIENTS.md", "topics", topic.Docs(), *update)
}
