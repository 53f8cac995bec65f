package broker

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/topic"
)

const (
	maxClientID = 256  // bytes
	maxUsername = 1024 // bytes, as long as a project id may be
	maxListed   = 10   // projects named in a refusal
)

// normalise takes the will and the wish for topic aliases out of a CONNECT. A will
// would be published past the access rules.
func normalise(pk *packets.Packet) {
	pk.Connect.WillFlag, pk.Connect.WillRetain, pk.Connect.WillQos = false, false, 0
	pk.Connect.WillTopic, pk.Connect.WillPayload = "", nil
	pk.Connect.WillProperties = packets.Properties{}
	pk.Properties.TopicAliasMaximum = 0
}

// identify finds out who a CONNECT comes from: the password is a session key or
// the hub's token, the username the project.
func (b *Broker) identify(c *conn, pk packets.Packet) error {
	const next = "give a session key or the hub's token as the password, and the project as the username"
	id, project := pk.Connect.ClientIdentifier, coord.ProjectID(pk.Connect.Username)
	if len(id) > maxClientID || len(project) > maxUsername || !utf8.ValidString(string(project)) {
		return coord.Errorf(coord.Invalid, next, "client id or username is too long or not UTF-8")
	}
	secret := string(pk.Connect.Password)
	if secret == "" {
		return coord.Errorf(coord.Unauthorized, next, "no credential")
	}
	if caller, ok := c.sessions.Authenticate(coord.SessionKey(secret)); ok && caller.Agent != "" {
		c.key = coord.SessionKey(secret)
		return c.becomeSession(caller, project, id)
	}
	if b.opt.Token == nil || !b.opt.Token(secret) {
		return coord.Errorf(coord.Unauthorized, next, "the hub does not know this credential")
	}
	if project == "" {
		live := c.sessions.LiveProjects()
		if len(live) != 1 {
			return coord.Errorf(coord.Invalid, "name one as the username", "%s", countProjects(live))
		}
		project = live[0]
	}
	c.become(coord.Caller{Project: project, Member: b.opt.Member, Operator: true}, coord.AgentID("human:"+string(b.opt.Member)), id)
	return nil
}

func countProjects(live []coord.ProjectID) string {
	if len(live) == 0 {
		return "no project is live on this hub"
	}
	names := make([]string, 0, maxListed)
	for _, p := range live[:min(len(live), maxListed)] {
		names = append(names, string(p))
	}
	more := ""
	if n := len(live) - len(names); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%d projects are live on this hub: %s%s", len(live), strings.Join(names, ", "), more)
}

// becomeSession binds the client id to the credential: it must be the agent's id,
// a dash and something of the client's own.
func (c *conn) becomeSession(caller coord.Caller, project coord.ProjectID, id string) error {
	if project != "" && project != caller.Project {
		return coord.Errorf(coord.Forbidden, "leave the username empty", "this session belongs to another project than %q", project)
	}
	prefix := string(caller.Agent) + "-"
	if nonce, ok := strings.CutPrefix(id, prefix); !ok || nonce == "" {
		return coord.Errorf(coord.Forbidden, "use "+prefix+"<anything>", "client id %q is not one of this session", id)
	}
	c.become(caller, caller.Agent, id)
	return nil
}

func (c *conn) become(caller coord.Caller, author coord.AgentID, id string) {
	c.caller, c.author = caller, author
	if id == "" {
		id = c.id() // each client without an id is one of its own
	}
	c.holder = holder{project: caller.Project, agent: caller.Agent, client: strings.Clone(id)}
	if caller.Agent == "" {
		c.holder.member = caller.Member
	}
	c.grant = topic.For(caller)
	c.mount, c.private = projectMount(caller.Project), privateMount(c.serial)
}
