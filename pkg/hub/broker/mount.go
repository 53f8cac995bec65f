package broker

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

// mount is the prefix of all topics of one project, or of one connection,
// inside the MQTT server. It never appears on the wire.
type mount string

// projectMount hashes the id, since a project id may hold slashes and wildcards.
func projectMount(p coord.ProjectID) mount {
	sum := sha256.Sum256([]byte(p))
	return mount("p/" + hex.EncodeToString(sum[:16]) + "/")
}

// privateMount is the place of messages for one connection only.
func privateMount(serial uint64) mount {
	return mount("c/" + strconv.FormatUint(serial, 10) + "/")
}

func (m mount) topic(n topic.Name) string { return string(m) + string(n) }

// cut takes the connection's mount off a topic or filter; ok is false for what
// lies outside of it.
func (c *conn) cut(mounted string) (s string, ok bool) {
	if s, ok = strings.CutPrefix(mounted, string(c.mount)); ok {
		return s, true
	}
	return strings.CutPrefix(mounted, string(c.private))
}
