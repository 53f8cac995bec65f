// Who is here and what they are at.
import { html } from './vendor/htm-preact.js';
import { Empty, Panel, Path, ThreadLink, Who, useNow } from './hooks.js';
import { ago, plural, projectName } from './format.js';

const rank = { working: 0, waiting: 1, idle: 2, offline: 3 };

/** stateOf gives working, waiting, idle or offline. */
export const stateOf = a => a.status === 'offline' ? 'offline' : a.activity || 'idle';

export function Agents({ agents, picked, pick, many }) {
  const now = useNow();
  const rows = [...agents].sort((a, b) => rank[stateOf(a)] - rank[stateOf(b)] || a.name.localeCompare(b.name));
  const here = rows.filter(a => stateOf(a) !== 'offline').length;
  return html`<${Panel} id="agents" title="Agents" note=${rows.length ? `${here} here` : ''}>
    ${rows.length === 0 && html`<${Empty}>Nobody is here yet. An agent appears as soon as its session starts with <code>coord-shim</code>.</${Empty}>`}
    <ul class="agents">${rows.map(a => html`<${Agent} key=${a.id} a=${a} now=${now} picked=${picked === a.id} pick=${pick} many=${many} />`)}</ul>
  </${Panel}>`;
}

function Agent({ a, now, picked, pick, many }) {
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
      ${a.last_action && !a.current_file && html`<span class="action">${a.last_action}</span>`}
      ${(place || a.client) && html`<span class="place">${[a.client, place].filter(Boolean).join(' · ')}</span>`}
    </div>
  </li>`;
}

/** Glance sums the page up in one line. */
export function Glance({ agents, threads, leases }) {
  const count = s => agents.filter(a => stateOf(a) === s).length;
  const here = agents.length - count('offline');
  const live = threads.filter(t => t.status === 'open' || t.status === 'resolving');
  const lines = leases.filter(l => l.waiting.length).length;
  const tiles = [
    ['Agents here', here, here ? `${count('working')} working, ${count('idle')} idle` : 'none yet', ''],
    ['Waiting', count('waiting'), count('waiting') ? agents.filter(a => stateOf(a) === 'waiting').map(a => a.name).slice(0, 3).join(', ') : 'nobody waits', count('waiting') ? 'warm' : ''],
    ['Consultations', live.length, live.length ? `${live.filter(t => t.status === 'resolving').length} with a proposal` : 'none open', live.length ? 'warm' : ''],
    ['Files wanted', lines, lines ? `${plural(lines, 'waiting line')}` : 'no waiting line', lines ? 'warm' : ''],
  ];
  return html`<dl class="glance">${tiles.map(([name, n, words, heat]) => html`<div class=${heat} key=${name}>
    <dt>${name}</dt><dd><b>${n}</b><span>${words}</span></dd></div>`)}</dl>`;
}
