package hub

import (
	"crypto/rand"
	"hash/fnv"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// newAgentID makes "ag-" and ten random letters and digits.
func newAgentID() coord.AgentID {
	return coord.AgentID("ag-" + strings.ToLower(rand.Text()[:10]))
}

var (
	adjectives = strings.Fields("amber brave brisk calm clever coral crisp dapper deft eager early fair fleet fond gentle glad golden handy hardy " +
		"jolly keen kind lively loyal lucid mellow merry mild nimble noble patient plucky polite proud quick quiet ready rosy silver snug " +
		"solid spry steady sunny swift tidy trusty vivid warm wise witty zesty")
	animals = strings.Fields("badger beaver bison crane curlew deer dingo dove falcon ferret finch fox gecko gull hare hawk heron ibis jay " +
		"kestrel koala lark lemur lynx magpie marten mole moose newt ocelot orca osprey otter owl panda puffin quail raven robin seal " +
		"shrew sloth stoat stork swan tapir tern toad trout vole walrus wombat wren yak zebra")
)

// readableName gives the name that goes with an agent id: the same each time.
func readableName(id coord.AgentID) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash never fails
	n := int(h.Sum32() & 0x7fffffff)
	return adjectives[n%len(adjectives)] + "-" + animals[n/len(adjectives)%len(animals)]
}
