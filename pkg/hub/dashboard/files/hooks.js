// Pieces every panel uses.
import { html, useEffect, useState } from './vendor/htm-preact.js';
import { state, subscribe } from './store.js';
import { layers, person, split } from './format.js';

/** useStore renders again whenever something has come in. */
export function useStore() {
  const [, tick] = useState(0);
  useEffect(() => subscribe(() => tick(n => n + 1)), []);
  return state;
}

/** useNow gives the time, each second anew. */
export function useNow() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return Date.now();
}

/** Panel is a titled part of the page. */
export function Panel({ id, title, note, children, className = '' }) {
  return html`<section class="panel ${className}" aria-labelledby="${id}-title" id=${id}>
    <header><h2 id="${id}-title">${title}</h2>${note && html`<span class="note">${note}</span>`}</header>
    ${children}
  </section>`;
}

/** Empty is what a panel shows when there is nothing, or nothing that passes the filter: hidden counts what does not. */
export const Empty = ({ hidden, filter, children }) => hidden
  ? html`<p class="empty">Nothing here matches ${filter.words || 'the filter'}; ${hidden} hidden. <button type="button" class="link" onClick=${filter.clear}>Clear the filter</button></p>`
  : html`<p class="empty">${children}</p>`;

/** among is the note of a panel: how much there is, or how much of it passes the filter. */
export const among = (shown, all, words) => !all ? '' : shown === all ? words : `${shown} of ${all}`;

/** Path shows a path so that its name stays readable when room is scarce. */
export function Path({ path }) {
  const [dir, name] = split(path);
  return html`<span class="path" title=${path}>${dir && html`<span class="dir">${dir}</span>`}<span class="base">${name}</span></span>`;
}

/** Score shows a score and the layer that gave it. */
export function Score({ score, layer }) {
  if (!score) return null;
  const heat = score >= 90 ? 'hot' : score >= 30 ? 'warm' : 'cool';
  return html`<span class="score ${heat}" title=${layer ? `layer ${layer}: ${layers[layer] || ''}` : ''}>${score}${layer && html`<span class="layer">${layer}</span>`}</span>`;
}

/** ThreadLink links to a thread; its name holds what the thread is about, where that is known. */
export function ThreadLink({ id }) {
  const subject = known().subjects.get(id);
  return html`<a class="thread-link" href="#/${id}" aria-label=${subject && `${id}: ${subject}`} title=${subject}>${id}</a>`;
}

/** hue gives an agent its colour: the same on every page and after a reload. */
export function hue(id) {
  if (person(id)) return 'var(--human)';
  if (!id) return 'var(--muted)'; // the hub itself
  return `var(--agent-${known().colours.get(id) ?? hash(id)})`;
}

const tones = 8; // that the style sheet has for agents

// hash is FNV-1a, made to fit.
function hash(text) {
  let h = 0x811c9dc5;
  for (const c of text) h = Math.imul(h ^ c.codePointAt(0), 0x01000193);
  return (h >>> 0) % tones;
}

// colour gives each agent the tone that its id makes or, when one who came
// before it has that, the next that fewest have. So a newcomer changes nobody's.
function colour(agents) {
  const out = new Map(), taken = Array(tones).fill(0);
  for (const a of [...agents].sort((a, b) => a.registered_at - b.registered_at || (a.id < b.id ? -1 : 1))) {
    let tone = hash(a.id);
    const least = Math.min(...taken);
    while (taken[tone] > least) tone = (tone + 1) % tones;
    taken[tone]++;
    out.set(a.id, tone);
  }
  return out;
}

let seen = { overview: null, colours: new Map(), subjects: new Map() };

// known is what follows from the overview, worked out once for each.
function known() {
  if (seen.overview !== state.overview) {
    const o = state.overview;
    seen = { overview: o, colours: colour(o?.agents || []), subjects: new Map((o?.threads || []).map(t => [t.thread_id, t.subject])) };
  }
  return seen;
}

/** Who names an agent, with its colour beside it. */
export function Who({ id, name }) {
  const human = person(id);
  return html`<span class="who"><i class="swatch" style=${{ background: hue(id) }} aria-hidden="true"></i><span class="name">${human ? `${human} (a person)` : name || id || 'the hub'}</span></span>`;
}

/** names maps agent ids to names, from the overview and, for those that are gone, from events. */
export function names(s) {
  const out = new Map();
  for (const e of s.events) {
    const name = e.kind === 'thread.opened' || e.kind === 'introspection' ? e.initiator_name : e.name;
    if (name && e.agent_id) out.set(e.agent || e.agent_id, name); // a person's act names the agent that it is about
  }
  for (const a of s.overview?.agents || []) out.set(a.id, a.name);
  return out;
}
