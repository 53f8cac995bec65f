// What the page knows: the newest overview and the newest events, as the hub
// pushes them. One stream, opened again where it was after any trouble.
import { get } from './api.js';

const keep = 2000; // events; the hub has the rest
const delays = [250, 500, 1000, 2000, 4000]; // ms between two attempts

export const state = {
  link: 'connecting', // connecting, live, lost (trying again), denied (no cookie)
  since: Date.now(),  // of the link's state
  overview: null,
  events: [],         // oldest first, by seq, each once
  gap: '',            // what is missing before the first event, in words
  routes: [],         // that the hub has, like "GET /api/quota"
};

const listeners = new Set();
let scheduled = false;

/** subscribe calls back after changes, at most once a frame. */
export function subscribe(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

function changed() {
  if (scheduled) return;
  scheduled = true;
  // A frame, or a short while in a page that is not painted.
  let once = () => { once = () => {}; scheduled = false; listeners.forEach(fn => fn()); };
  requestAnimationFrame(() => once());
  setTimeout(() => once(), 100);
}

let source = null, epoch = '', last = 0, attempt = 0, retry = 0;

function link(to) {
  if (state.link !== to) { state.link = to; state.since = Date.now(); }
  changed();
}

/** connect opens the stream; it stays open by itself. */
export function connect() {
  clearTimeout(retry);
  source?.close();
  const query = new URLSearchParams({ state: '1', tail: String(keep) });
  if (epoch) { query.set('since', String(last)); query.set('epoch', epoch); }
  source = new EventSource(`/api/events?${query}`);
  source.addEventListener('hello', m => {
    const hello = JSON.parse(m.data);
    if (epoch && hello.epoch !== epoch) forget();
    epoch = hello.epoch;
    state.routes = hello.routes || [];
    attempt = 0;
    link('live');
  });
  source.addEventListener('truncated', m => {
    const { reason, from } = JSON.parse(m.data);
    forget();
    state.gap = reason === 'retention' ? `Events up to ${from} are no longer kept.` : 'The hub’s data was restored; this is the log from there.';
    changed();
  });
  source.addEventListener('state', m => { state.overview = JSON.parse(m.data); changed(); });
  source.addEventListener('dropped', () => connect());
  source.onmessage = m => add(JSON.parse(m.data));
  source.onerror = () => trouble();
}

function forget() {
  state.events = [];
  last = 0;
}

function add(event) {
  if (event.seq <= last) return;
  last = event.seq;
  state.events.push(event);
  if (state.events.length > keep + 500) state.events = state.events.slice(-keep);
  changed();
}

// trouble closes the stream and tries again; an EventSource of its own accord
// would give up for good on some answers.
async function trouble() {
  source.close();
  link(state.link === 'denied' ? 'denied' : 'lost');
  retry = setTimeout(connect, delays[Math.min(attempt++, delays.length - 1)]);
  try {
    await get('/api/hello');
  } catch (err) {
    if (err.status === 401 || err.status === 403) { clearTimeout(retry); link('denied'); }
  }
}
