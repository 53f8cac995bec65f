// Who is here and what they are at.
import { html } from './vendor/htm-preact.js';
import { Empty, Panel, Path, ThreadLink, Who, among, useNow } from './hooks.js';
import { ago, dollars, projectName, short, split, wanted } from './format.js';

const rank = { working: 0, waiting: 1, idle: 2, offline: 3 };

/** stateOf gives working, waiting, idle or offline. */
export const stateOf = a => a.status === 'offline' ? 'offline' : a.activity || 'idle';

/** waits tells for whom an agent waits, in which thread and for which lease; undefined when it does not. */
function waits(a, threads, leases) {
  if (stateOf(a) !== 'waiting') return undefined;
  const lease = leases.find(l => l.waiting.some(w => w.agent.id === a.id && !w.told));
  const thread = threads.find(t => t.thread_id === a.thread_id);
  const others = (thread?.awaiting || []).filter(r => r.id !== a.id);
  return { lease, whom: others.length ? others : lease ? [lease.holder] : [] };
}

const listed = refs => refs.map(r => r.name || r.id).join(', ');

export function Agents({ agents, total, threads, leases, picked, pick, many, filter }) {
  const now = useNow();
  const rows = [...agents].sort((a, b) => rank[stateOf(a)] - rank[stateOf(b)] || a.name.localeCompare(b.name));
  const here = rows.filter(a => stateOf(a) !== 'offline').length;
  return html`<${Panel} id="agents" title="Agents" note=${among(rows.length, total, `${here} here`)}>
    ${rows.length === 0 && html`<${Empty} hidden=${total} filter=${filter}>Nobody is here yet. An agent appears as soon as its session starts with <code>coord-shim</code>.</${Empty}>`}
    <ul class="agents">${rows.map(a => html`<${Agent} key=${a.id} a=${a} waits=${waits(a, threads, leases)} now=${now} picked=${picked === a.id} pick=${pick} many=${many} />`)}</ul>
  </${Panel}>`;
}

function Agent({ a, waits, now, picked, pick, many }) {
  const is = stateOf(a);
  const place = [many && projectName(a.project), a.branch].filter(Boolean).join(' · ');
  return html`<li class="agent ${is} ${picked ? 'picked' : ''}">
    <button type="button" aria-pressed=${picked} title="Show only ${a.name}" onClick=${() => pick(picked ? '' : a.id)}>
      <i class="dot ${is}" aria-hidden="true"></i>
      <${Who} id=${a.id} name=${a.name} />
      <span class="activity">${a.status === 'returning' ? 'returning' : is} <span class="since">${ago(now - a.since)}</span></span>
    </button>
    <div class="facts">
      ${a.current_file && is !== 'offline' && html`<${Path} path=${a.current_file} />`}
      ${waits && (waits.whom.length > 0 || a.thread_id) && html`<span class="waits"><span class="whom">waits${waits.whom.length > 0 && ` for ${listed(waits.whom)}`}</span>${a.thread_id && html` <span>in <${ThreadLink} id=${a.thread_id} /></span>`}</span>`}
      ${waits?.lease && html`<span class="waits"><${Path} path=${waits.lease.path} /></span>`}
      ${a.last_action && !a.current_file && html`<span class="action">${a.last_action}</span>`}
      ${(place || a.client) && html`<span class="place">${[a.client, place].filter(Boolean).join(' · ')}</span>`}
    </div>
  </li>`;
}

/** Glance sums the page up; each sum leads to its panel. */
export function Glance({ agents, threads, leases, tokens, quota, elsewhere }) {
  const count = is => agents.filter(a => stateOf(a) === is).length;
  const here = agents.length - count('offline');
  const live = threads.filter(t => t.status === 'open' && !t.keep_open || t.status === 'resolving');
  const lines = leases.filter(wanted);
  const busy = ['working', 'idle'].filter(count).map(is => `${count(is)} ${is}`).join(', ');
  const waiting = new Map(); // who waits, by whom for
  for (const a of agents.filter(a => stateOf(a) === 'waiting')) {
    const whom = listed(waits(a, threads, leases).whom);
    waiting.set(whom, [...waiting.get(whom) || [], a.name]);
  }
  const sum = field => tokens.reduce((n, r) => n + (r[field] || 0), 0);
  const priced = tokens.some(r => r.cost_usd !== undefined);
  const used = Math.round(Math.max(-1, ...(quota?.enabled ? quota.buckets : []).map(b => b.utilization_pct)));
  const spent = tokens.length ? `${short(sum('input'))} in, ${short(sum('output'))} out` : 'none reported';
  const tiles = [
    ['#agents', 'Agents here', here, here ? busy || 'all waiting' : elsewhere ? 'none in this project' : 'none yet', ''],
    ['#agents', 'Waiting', count('waiting'), [...waiting].map(([whom, who]) => who.join(', ') + (whom && ` for ${whom}`)).join('; ') || 'nobody waits', count('waiting') ? 'warm' : ''],
    ['#consultations', 'Consultations', live.length, live.length ? `${live.filter(t => t.status === 'resolving').length || 'none'} with a proposal` : 'none open', live.length ? 'warm' : ''],
    ['#leases', 'Files wanted', lines.length, lines.length ? lines.map(l => split(l.path)[1]).join(', ') : 'no waiting line', lines.length ? 'warm' : ''],
    ['#tokens', priced ? 'Cost' : 'Tokens', priced ? dollars(sum('cost_usd')) : short(sum('input') + sum('output')), used < 0 ? spent : `quota ${used} %, ${spent}`, used >= 80 ? 'warm' : ''],
  ];
  return html`<nav class="glance" aria-label="At a glance">${tiles.map(([to, name, n, words, heat]) => html`<a href=${to} class=${heat} key=${name}>
    <span class="name">${name}</span><b>${n}</b><span class="words" title=${words}>${words}</span></a>`)}</nav>`;
}
