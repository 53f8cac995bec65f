// What happened, newest first.
import { Component, html, useState } from './vendor/htm-preact.js';
import { Empty, Panel, Score, ThreadLink, Who, among, hue } from './hooks.js';
import { clock, groupOf, groups, pathOf, person, plural, projectName, sentence } from './format.js';

const step = matchMedia('(max-width: 760px)').matches ? 30 : 100; // rows shown, and added by "older"

/** matches tells whether an event passes the filters. */
export function matches(e, filter, names) {
  if (filter.project && e.project !== filter.project) return false;
  if (filter.agent && e.agent_id !== filter.agent && !(e.respondents || []).includes(filter.agent)) return false;
  if (filter.off.has(groupOf(e))) return false;
  if (!filter.text) return true;
  const text = `${person(e.agent_id) || names.get(e.agent_id) || ''} ${e.thread_id || ''} ${sentence(e).join(' ')} ${pathOf(e)}`.toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).every(word => text.includes(word));
}

export function Timeline({ events, total, names, off, set, many, gap, filter }) {
  const [rows, setRows] = useState(step);
  const shown = events.slice(-rows).reverse();
  const toggle = id => {
    const next = new Set(off);
    next.has(id) ? next.delete(id) : next.add(id);
    set({ off: next });
  };
  return html`<${Panel} id="timeline" title="Timeline" note=${among(events.length, total, plural(total, 'event'))}>
    <div class="kinds" role="group" aria-label="Kinds of events">${groups.map(([id, name]) => html`
      <button type="button" key=${id} aria-pressed=${!off.has(id)} onClick=${() => toggle(id)}>${name}</button>`)}</div>
    ${events.length === 0 && html`<${Empty} hidden=${total} filter=${filter}>Nothing has happened yet.</${Empty}>`}
    <ol class="events" reversed>${shown.map(e => html`<${Row} key=${e.seq} e=${e} name=${names.get(e.agent_id)} hue=${hue(e.agent_id)} many=${many} />`)}</ol>
    ${events.length > rows && html`<button type="button" class="older" onClick=${() => setRows(rows + step)}>Older events</button>`}
    ${events.length <= rows && gap && html`<p class="empty">${gap}</p>`}
  </${Panel}>`;
}

// Row is drawn once: an event never changes, and there are many of them.
class Row extends Component {
  shouldComponentUpdate(next) {
    return next.name !== this.props.name || next.hue !== this.props.hue || next.many !== this.props.many;
  }

  render({ e, name, many }) {
    const [verb, object, detail] = sentence(e);
    return html`<li class="event of-${groupOf(e)}" data-seq=${e.seq}>
      <time dateTime=${new Date(e.ts).toISOString()}>${clock(e.ts)}</time>
      <span class="what"><${Who} id=${e.agent_id} name=${name} /> <span class="verb">${verb}</span>${object && html` <span class="object">${object}</span>`}${detail && html` <q>${detail}</q>`}</span>
      <span class="tags">${many && html`<span class="chip">${projectName(e.project)}</span>`}<${Score} score=${e.score} layer=${e.layer} />${e.thread_id && html`<${ThreadLink} id=${e.thread_id} />`}</span>
    </li>`;
  }
}
