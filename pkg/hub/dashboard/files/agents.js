// Who is here and what they are at.
import { html } from './vendor/htm-preact.js';
import { Empty, Panel, Path, ThreadLink, Who, useNow } from './hooks.js';
import { ago, projectName, split } from './format.js';

const rank = { working: 0, waiting: 1, idle: 2, offline: 3 };

/** stateOf gives working, waiting, idle or offline. */
export const stateOf = a => a.status === 'offline' ? 'offline' : a.activity || 'idle';

export function Agents({ agents, leases, picked, pick, many }) {
  const now = useNow();
  const rows = [...agents].sort((a, b) => rank[stateOf(a)] - rank[stateOf(b)] || a.name.localeCompare(b.name));
  const wants = new Map(leases.flatMap(l => l.waiting.map(w => [w.agent.id, l])));
  const here = rows.filter(a => stateOf(a) !== 'offline').length;
  return html`<${Panel} id="agents" title="Agents" note=${rows.length ? `${here} here` : ''}>
    ${rows.length === 0 && html`<${Empty}>Nobody is here yet. An agent appears as soon as its session starts with <code>coord-shim</code>.</${Empty}>`}
    <ul class="agents">${rows.map(a => html`<${Agent} key=${a.id} a=${a} wants=${wants.get(a.id)} now=${now} picked=${picked === a.id} pick=${pick} many=${many} />`)}</ul>
  </${Panel}>`;
}

function Agent({ a, wants, now, picked, pick, many }) {
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
      ${a.thread_id && html`<span class="waits">waits in <${ThreadLink} id=${a.thread_id} /></span>`}
      ${wants && is === 'waiting' && !a.thread_id && html`<span class="waits">wants <${Path} path=${wants.path} /></span>`}
      ${a.last_action && !a.current_file && html`<span class="action">${a.last_action}</span>`}
      ${(place || a.client) && html`<span class="place">${[a.client, place].filter(Boolean).join(' · ')}</span>`}
    </div>
  </li>`;
}

/** Glance sums the page up; each sum leads to its panel. */
export function Glance({ agents, threads, leases }) {
  const count = is => agents.filter(a => stateOf(a) === is).length;
  const here = agents.length - count('offline');
  const live = threads.filter(t => t.status === 'open' && !t.keep_open || t.status === 'resolving');
  const lines = leases.filter(l => l.waiting.length);
  const tiles = [
    ['#agents', 'Agents here', here, here ? `${count('working')} working, ${count('idle')} idle` : 'none yet', ''],
    ['#agents', 'Waiting', count('waiting'), count('waiting') ? agents.filter(a => stateOf(a) === 'waiting').map(a => a.name).join(', ') : 'nobody waits', count('waiting') ? 'warm' : ''],
    ['#consultations', 'Consultations', live.length, live.length ? `${live.filter(t => t.status === 'resolving').length} with a proposal` : 'none open', live.length ? 'warm' : ''],
    ['#leases', 'Files wanted', lines.length, lines.length ? lines.map(l => split(l.path)[1]).join(', ') : 'no waiting line', lines.length ? 'warm' : ''],
  ];
  return html`<nav class="glance" aria-label="At a glance">${tiles.map(([to, name, n, words, heat]) => html`<a href=${to} class=${heat} key=${name}>
    <span class="name">${name}</span><b>${n}</b><span class="words">${words}</span></a>`)}</nav>`;
}
