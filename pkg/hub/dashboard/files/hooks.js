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

/** Empty is what a panel shows when there is nothing. */
export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

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

/** Thread links to a thread. */
export const ThreadLink = ({ id }) => html`<a class="thread-link" href="#/${id}">${id}</a>`;

/** hue gives an agent its colour, the same on the whole page. */
export function hue(id) {
  if (person(id)) return 'var(--human)';
  if (!id) return 'var(--muted)'; // the hub itself
  let n = order.get(id);
  if (n === undefined) order.set(id, n = order.size);
  return `var(--agent-${n % 8})`;
}
const order = new Map();

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
    if (name && e.agent_id) out.set(e.agent_id, name);
  }
  for (const a of s.overview?.agents || []) out.set(a.id, a.name);
  return out;
}
