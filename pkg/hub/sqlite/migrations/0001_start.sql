-- The first schema. Times are milliseconds UTC; order comes from seq. An empty
-- text means "none". live is what the noun itself says, so that the states that
-- count as live are listed in one place only.

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last numbers given out, in the one row there is.
CREATE TABLE counters (
	id           INTEGER PRIMARY KEY CHECK (id = 1),
	seq          INTEGER NOT NULL,
	announcement INTEGER NOT NULL,
	thread       INTEGER NOT NULL,
	message      INTEGER NOT NULL,
	lease        INTEGER NOT NULL,
	wait         INTEGER NOT NULL
) STRICT;
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, 0);

-- Projects that compare paths without letter case.
CREATE TABLE fold_case (
	project TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
	id        TEXT PRIMARY KEY,
	project   TEXT NOT NULL,
	status    TEXT NOT NULL,
	live      INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	seen      INTEGER NOT NULL,
	body      TEXT NOT NULL
) STRICT;

CREATE INDEX agents_project ON agents (project);

CREATE TABLE credentials (
	hash    BLOB PRIMARY KEY,
	agent   TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_agent ON credentials (agent);

CREATE TABLE announcements (
	project TEXT NOT NULL,
	id      TEXT NOT NULL,
	agent   TEXT NOT NULL,
	state   TEXT NOT NULL,
	live    INTEGER NOT NULL,
	created INTEGER NOT NULL,
	ended   INTEGER NOT NULL,
	body    TEXT NOT NULL,
	PRIMARY KEY (project, id)
) STRICT;
CREATE INDEX announcements_live ON announcements (live, ended);

-- number is the one inside the id, by which threads are listed.
CREATE TABLE threads (
	project   TEXT NOT NULL,
	id        TEXT NOT NULL,
	number    INTEGER NOT NULL,
	run       TEXT NOT NULL,
	initiator TEXT NOT NULL,
	status    TEXT NOT NULL,
	live      INTEGER NOT NULL,
	created   INTEGER NOT NULL,
	ended     INTEGER NOT NULL,
	body      TEXT NOT NULL,
	PRIMARY KEY (project, id)
) STRICT;
CREATE INDEX threads_live ON threads (live, ended);
CREATE INDEX threads_number ON threads (project, number);

-- Who takes or took part in a thread; goes with it.
CREATE TABLE parties (
	project TEXT NOT NULL,
	agent   TEXT NOT NULL,
	thread  TEXT NOT NULL,
	PRIMARY KEY (project, agent, thread),
	FOREIGN KEY (project, thread) REFERENCES threads (project, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX parties_thread ON parties (project, thread);

CREATE TABLE leases (
	project   TEXT NOT NULL,
	id        TEXT NOT NULL,
	agent     TEXT NOT NULL,
	workspace TEXT NOT NULL,
	path      TEXT NOT NULL,
	taken     INTEGER NOT NULL,
	ended     INTEGER NOT NULL,
	body      TEXT NOT NULL,
	PRIMARY KEY (project, id)
) STRICT;
CREATE INDEX leases_ended ON leases (ended);

-- Waiting lines: who wants a path that somebody else holds.
CREATE TABLE waits (
	project TEXT NOT NULL,
	id      TEXT NOT NULL,
	agent   TEXT NOT NULL,
	since   INTEGER NOT NULL,
	ended   INTEGER NOT NULL,
	body    TEXT NOT NULL,
	PRIMARY KEY (project, id)
) STRICT;
CREATE INDEX waits_ended ON waits (ended);

CREATE TABLE messages (
	project TEXT NOT NULL,
	id      TEXT NOT NULL,
	thread  TEXT NOT NULL,
	seq     INTEGER NOT NULL,
	time    INTEGER NOT NULL,
	body    TEXT NOT NULL,
	PRIMARY KEY (project, id),
	FOREIGN KEY (project, thread) REFERENCES threads (project, id)
) STRICT;
CREATE INDEX messages_thread ON messages (project, thread, seq);
CREATE INDEX messages_seq ON messages (project, seq);

CREATE TABLE edits (
	id        INTEGER PRIMARY KEY,
	project   TEXT NOT NULL,
	workspace TEXT NOT NULL,
	path      TEXT NOT NULL,
	agent     TEXT NOT NULL,
	time      INTEGER NOT NULL,
	summary   TEXT NOT NULL
) STRICT;
CREATE INDEX edits_path ON edits (project, path, time);
CREATE INDEX edits_time ON edits (time);
CREATE INDEX edits_agent ON edits (project, agent, path, time);

-- The dependency map of each project.
CREATE TABLE modules (
	project TEXT NOT NULL,
	id      TEXT NOT NULL,
	updated INTEGER NOT NULL,
	body    TEXT NOT NULL,
	PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX modules_updated ON modules (updated);

-- What the turns of an agent's model cost. An agent may be gone before its costs.
CREATE TABLE tokens (
	id             INTEGER PRIMARY KEY,
	agent          TEXT NOT NULL,
	project        TEXT NOT NULL,
	model          TEXT NOT NULL,
	turn           INTEGER NOT NULL,
	input          INTEGER NOT NULL,
	output         INTEGER NOT NULL,
	cache_read     INTEGER NOT NULL,
	cache_creation INTEGER NOT NULL,
	thinking       INTEGER NOT NULL,
	time           INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_time ON tokens (time);
CREATE INDEX tokens_agent ON tokens (agent, model);

CREATE TABLE events (
	seq      INTEGER PRIMARY KEY,
	project  TEXT NOT NULL,
	kind     TEXT NOT NULL,
	actor    TEXT NOT NULL,
	thread   TEXT NOT NULL,
	time     INTEGER NOT NULL,
	priority TEXT NOT NULL,
	payload  TEXT NOT NULL
) STRICT;
CREATE INDEX events_project ON events (project);
CREATE INDEX events_time ON events (time);

-- agent is no foreign key: news may still be addressed to an agent whose row
-- has been swept. state to offers are the receipt of the delivery.
CREATE TABLE inbox (
	agent  TEXT NOT NULL,
	seq    INTEGER NOT NULL REFERENCES events (seq),
	prev   INTEGER NOT NULL,
	state  TEXT NOT NULL DEFAULT 'queued',
	rung   TEXT NOT NULL DEFAULT '',
	at     INTEGER NOT NULL DEFAULT 0,
	offers INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (agent, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_seq ON inbox (seq);

CREATE TABLE replies (
	agent  TEXT NOT NULL,
	key    TEXT NOT NULL,
	op     TEXT NOT NULL,
	result TEXT NOT NULL,
	code   TEXT NOT NULL,
	error  TEXT NOT NULL,
	time   INTEGER NOT NULL,
	PRIMARY KEY (agent, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX replies_time ON replies (time);
