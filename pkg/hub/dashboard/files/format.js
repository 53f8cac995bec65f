// Words for times, agents, paths and events. Nothing here touches the page.

const minute = 60_000, hour = 60 * minute;

/** clock gives 14:03:22 in the reader's time zone. */
export const clock = ms => new Date(ms).toLocaleTimeString([], { hour12: false });

/** ago gives "12 s", "4 min", "3 h" or "2 d". */
export function ago(ms) {
  if (ms < 2 * minute) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (ms < 2 * hour) return `${Math.floor(ms / minute)} min`;
  if (ms < 48 * hour) return `${Math.floor(ms / hour)} h`;
  return `${Math.floor(ms / (24 * hour))} d`;
}

/** countdown gives 8:05 for what is left, never below 0:00. */
export function countdown(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

/** lasted gives how long something took: "850 ms", "12.3 s", "4 min". */
export function lasted(ms) {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  return ago(ms);
}

/** short gives a count in thousands or millions. */
export const short = v => v >= 1e6 ? `${(v / 1e6).toFixed(1)} M` : v >= 1000 ? `${(v / 1000).toFixed(1)} k` : String(v || 0);

/** dollars gives $1.20. */
export const dollars = v => `$${v.toFixed(2)}`;

/** plural gives "1 file", "2 files". */
export const plural = (n, word, many = word + 's') => `${n} ${n === 1 ? word : many}`;

/** split parts a path into its directory, with the slash, and its name. */
export function split(path) {
  const at = path.lastIndexOf('/') + 1;
  return [path.slice(0, at), path.slice(at)];
}

/** texts gives all that a value of JSON says, in small letters: its values, not their names. */
export const texts = v => v && typeof v === 'object' ? Object.values(v).map(texts).join(' ') : typeof v === 'string' ? v.toLowerCase() : '';

/** projectName shortens a project id to what tells it from others at a glance. */
export function projectName(id) {
  const parts = id.split('/').filter(Boolean);
  return parts.length > 2 ? parts.slice(-2).join('/') : id;
}

/** wanted tells whether anybody still waits for a file: not those who were told that it is free. */
export const wanted = lease => lease.waiting.some(w => !w.told);

/** person gives the name of a human actor, or "" for an agent. */
export const person = id => (id || '').startsWith('human:') ? id.slice('human:'.length) : '';

/** layers are the scoring layers in words. */
export const layers = {
  '0a': 'same file announced',
  '0b': 'I depend on it',
  '0c': 'a peer depends on it',
  '1': 'same file in edit',
  '2': 'I depend on it, in edit',
  '3': 'same module, pattern',
};

/** outcomes words how a thread stands or ended. */
export const outcomes = {
  live: 'live', open: 'open', resolving: 'proposal on the table', claimed: 'claimed',
  consensus: 'agreed', uncontested: 'uncontested', auto_resolved: 'settled by itself', closed: 'closed', completed: 'completed',
  unresolved: 'not agreed', cancelled: 'withdrawn', expired: 'no answer in time', abandoned: 'opener left', poisoned: 'nobody managed it',
};

/** groups are the filters of the timeline: which kinds of event each one holds. */
export const groups = [
  ['threads', 'Consultations', ['thread.opened', 'thread.status', 'thread.claimed', 'thread.completed', 'introspection']],
  ['messages', 'Messages', ['message.posted', 'broadcast']],
  ['work', 'Announcements', ['announcement.opened', 'announcement.closed']],
  ['files', 'Files', ['file.edited', 'file.leased', 'file.released', 'lease.passed', 'path.wanted', 'path.free', 'overlap.merge', 'dependency.edited']],
  ['agents', 'Agents', ['agent.status', 'quota.updated', 'tokens.used', 'resync']],
];

const groupOfKind = new Map(groups.flatMap(([id, , kinds]) => kinds.map(k => [k, id])));

/** groupOf gives the filter an event belongs to; one of no group is about agents. */
export const groupOf = e => groupOfKind.get(e.kind) || 'agents';

const files = list => !list?.length ? '' : list.length === 1 ? list[0] : `${list[0]} and ${list.length - 1} more`;

// steps words a transition of a thread, by how it ended or stands.
const steps = {
  open: 'disagrees', resolving: 'proposes', consensus: 'agrees', uncontested: 'goes uncontested', auto_resolved: 'needs no answer', closed: 'closes it',
  completed: 'completes it', unresolved: 'ends it without agreement', cancelled: 'withdraws it', expired: 'got no answer in time', abandoned: 'leaves it', poisoned: 'gives it up',
};

const sentences = {
  'announcement.opened': e => ['announces', files(e.target_files?.length ? e.target_files : e.target_modules), e.subject],
  'announcement.closed': e => ['is done', '', e.subject],
  'thread.opened': e => [e.keep_open ? 'offers a task' : 'opens a consultation', '', e.subject],
  'thread.status': e => [steps[e.type] || steps[e.status] || e.status, '', e.summary],
  'thread.claimed': () => ['claims the task', '', ''],
  'thread.completed': e => ['completes the task', '', e.resolution],
  'introspection': e => ['asks by the way', '', e.subject],
  'message.posted': e => [e.late ? 'comments late' : { question: 'asks', warning: 'warns', suggestion: 'suggests' }[e.type] || 'says', '', e.content],
  'agent.status': e => [{ online: 'is here', offline: 'has left', returning: 'is coming back' }[e.status] || e.status, '', ''],
  'file.edited': e => ['edits', e.path, ''],
  'file.leased': e => ['takes', e.path, ''],
  'file.released': e => ['frees', e.path, ''],
  'lease.passed': e => ['takes over', e.path, ''],
  'path.wanted': e => ['waits for', e.path, ''],
  'path.free': e => ['makes room at', files(e.paths), ''],
  'overlap.merge': e => ['also works on', e.path, ''],
  'dependency.edited': e => ['edits what others need', e.path, ''],
  'quota.updated': e => [`${Math.round(e.utilization_pct)} % of the quota is used`, '', ''],
  'tokens.used': e => [`uses ${short(e.input)} + ${short(e.output)} tokens`, '', e.model],
  'broadcast': () => ['broadcasts', '', ''],
};

/** sentence gives what happened as [verb, object, detail], plain text each. */
export function sentence(e) {
  const say = sentences[e.kind];
  return say ? say(e) : [e.kind, '', ''];
}

/** pathOf gives the file an event is about, "" when it is about none. */
export const pathOf = e => e.path || e.paths?.[0] || e.target_files?.[0] || '';
