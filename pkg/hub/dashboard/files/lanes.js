// Lanes over time: a lane per agent with what it announced, edited and said; a
// consultation is a bridge between the lanes of those it concerns. Drawn on a
// canvas, since it is redrawn each second; the timeline says the same in words.
import { html, useEffect, useRef, useState } from './vendor/htm-preact.js';
import { Empty, Panel, hue } from './hooks.js';
import { clock, person, plural, sentence } from './format.js';

// name, minutes, how many parts the axis has
const spans = [['5 min', 5, 5], ['15 min', 15, 3], ['1 h', 60, 4], ['6 h', 360, 6], ['24 h', 1440, 4]];
const lane = 34, head = 22, label = 104; // CSS pixels

/** work pairs announcements with their end: [{agent, from, to, subject, thread}]. */
function work(events) {
  const open = new Map(), out = [];
  for (const e of events) {
    if (e.kind === 'announcement.opened') {
      const w = { agent: e.agent_id, from: e.ts, to: 0, event: e };
      open.set(e.announcement_id, w);
      out.push(w);
    } else if (e.kind === 'announcement.closed') {
      const w = open.get(e.announcement_id);
      if (w) w.to = e.ts;
    }
  }
  return out;
}

/** bridges gives the consultations: [{from, to, agents, status, event}]. */
function bridges(events) {
  const byThread = new Map();
  for (const e of events) {
    if (e.kind === 'thread.opened' && e.respondents?.length) {
      byThread.set(e.thread_id, { at: e.ts, to: 0, agents: [e.initiator_id, ...e.respondents], status: 'open', event: e });
    } else if (e.kind === 'thread.status' && byThread.has(e.thread_id)) {
      const b = byThread.get(e.thread_id);
      b.status = e.status;
      b.to = e.status === 'open' || e.status === 'resolving' ? 0 : e.ts;
    }
  }
  return [...byThread.values()];
}

export function Lanes({ events, total, agents, names, filter }) {
  const [chosen, setMinutes] = useState(0);
  const [tip, setTip] = useState(null);
  const canvas = useRef(null), hits = useRef([]);
  const latest = useRef(null);
  // Unless somebody has chosen: the shortest span that holds what happened lately, an hour at most.
  const age = (Date.now() - (events.find(e => e.ts > Date.now() - 3_600_000)?.ts || 0)) / 60_000;
  const minutes = chosen || (age < 4.5 ? 5 : age < 14 ? 15 : age < 60 ? 60 : 15);
  const from = Date.now() - minutes * 60_000;
  const seen = new Set(events.filter(e => e.ts >= from && e.agent_id && e.kind !== 'agent.status').map(e => e.agent_id));
  agents.filter(a => a.status !== 'offline').forEach(a => seen.add(a.id));
  const rows = [...seen].map(id => ({ id, name: person(id) ? `${person(id)} (a person)` : names.get(id) || id })).sort((a, b) => a.name.localeCompare(b.name)).slice(0, 24);
  latest.current = { events, rows, minutes };

  useEffect(() => {
    const paint = () => { if (canvas.current) hits.current = draw(canvas.current, latest.current); };
    paint();
    const timer = setInterval(paint, 1000);
    const size = new ResizeObserver(paint);
    size.observe(canvas.current?.parentElement || document.body);
    const themed = new MutationObserver(paint);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', paint);
    return () => { clearInterval(timer); size.disconnect(); themed.disconnect(); scheme.removeEventListener('change', paint); };
  }, [rows.length > 0, events.length > 0]);
  useEffect(() => { if (canvas.current) hits.current = draw(canvas.current, latest.current); });

  const find = ev => {
    const box = canvas.current.getBoundingClientRect();
    const x = ev.clientX - box.left, y = ev.clientY - box.top;
    return hits.current.findLast(h => x >= h.x - 4 && x <= h.x + h.w + 4 && y >= h.y - 4 && y <= h.y + h.h + 4);
  };
  const move = ev => {
    const h = find(ev);
    if (!h) { if (tip) setTip(null); return; }
    const wide = canvas.current.clientWidth;
    setTip({ x: Math.min(Math.max(h.x, 8), wide - 268), y: h.y + h.h + 8, e: h.event });
  };
  const inside = events.filter(e => e.ts >= from);
  const what = `Lanes of ${plural(rows.length, 'agent')} over the last ${spans.find(s => s[1] === minutes)[0]}: ${plural(inside.filter(e => e.kind === 'file.edited').length, 'edit')}, ` +
    `${plural(inside.filter(e => e.kind === 'thread.opened').length, 'consultation')}. The timeline below lists them.`;
  return html`<${Panel} id="lanes" title="Lanes" note=${html`<span class="spans" role="group" aria-label="Time shown">${spans.map(([name, m]) => html`
      <button type="button" key=${m} aria-pressed=${m === minutes} onClick=${() => setMinutes(m)}>${name}</button>`)}</span>`}>
    ${rows.length === 0 || total > 0 && events.length === 0 ? html`<${Empty} hidden=${total} filter=${filter}>A lane appears for each agent, with what it touched and when.</${Empty}>` : html`<div class="lanes" onMouseMove=${move} onMouseLeave=${() => setTip(null)}
        onClick=${ev => { const h = find(ev); if (h?.event.thread_id) location.hash = `#/${h.event.thread_id}`; }}>
      <canvas ref=${canvas} role="img" aria-label=${what}></canvas>
      ${tip && html`<div class="tip" style=${{ left: `${tip.x}px`, top: `${tip.y}px` }}><b>${rows.find(r => r.id === tip.e.agent_id)?.name || tip.e.agent_id}</b> ${sentence(tip.e).filter(Boolean).join(': ').slice(0, 160)}<br /><time>${clock(tip.e.ts)}</time> ${tip.e.thread_id || ''}</div>`}
    </div>
    <ul class="legend" aria-hidden="true"><li><i class="l-work"></i>announced</li><li><i class="l-edit"></i>edit</li><li><i class="l-say"></i>message</li><li><i class="l-bridge"></i>consultation</li><li><i class="l-done"></i>settled</li></ul>`}
  </${Panel}>`;
}

// draw paints everything and gives where each mark is.
function draw(canvas, { events, rows, minutes }) {
  const wide = canvas.parentElement.clientWidth, tall = head + rows.length * lane + 4;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(tall * ratio)) {
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(tall * ratio);
    canvas.style.width = `${wide}px`;
    canvas.style.height = `${tall}px`;
  }
  const css = getComputedStyle(document.documentElement);
  const color = name => css.getPropertyValue(name.replace(/^var\(|\)$/g, '')).trim();
  const g = canvas.getContext('2d');
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, wide, tall);
  const names = wide < 480 ? 72 : label;
  const to = Date.now(), from = to - minutes * 60_000, left = names + 8, room = wide - left - 10;
  const x = ts => left + room * (ts - from) / (to - from);
  const y = new Map(rows.map((r, i) => [r.id, head + i * lane + lane / 2]));
  const hits = [];
  const mark = (event, px, py, w, h) => hits.push({ event, x: px, y: py, w, h });

  g.font = '11px system-ui, sans-serif';
  g.textBaseline = 'middle';
  g.fillStyle = color('--muted');
  g.strokeStyle = color('--line');
  g.lineWidth = 1;
  const parts = spans.find(span => span[1] === minutes)[2];
  for (let i = 0; i <= parts; i++) {
    const at = Math.round(left + room * i / parts) + 0.5, before = minutes * (parts - i) / parts;
    g.beginPath(); g.moveTo(at, head - 4); g.lineTo(at, tall); g.stroke();
    g.textAlign = i === parts ? 'right' : 'left';
    const words = i === parts ? 'now' : before >= 60 && minutes > 60 ? `−${before / 60} h` : `−${before} min`;
    if (wide > 480 || i % 2 === 0 || i === parts) g.fillText(words, i === parts ? at + 8 : at - 2, 9);
  }
  g.textAlign = 'left';
  rows.forEach(r => {
    const at = y.get(r.id);
    g.strokeStyle = color('--line');
    g.beginPath(); g.moveTo(left, at); g.lineTo(left + room, at); g.stroke();
    g.fillStyle = color(hue(r.id));
    g.beginPath(); g.arc(6, at, 4, 0, 7); g.fill();
    g.fillStyle = color('--text');
    g.font = '12px system-ui, sans-serif';
    let name = r.name;
    while (name.length > 3 && g.measureText(name).width > names - 16) name = name.slice(0, -2).trimEnd() + '…';
    g.fillText(name, 16, at);
  });
  for (const w of work(events)) {
    const at = y.get(w.agent);
    if (at === undefined || (w.to || to) < from) continue;
    const a = Math.max(x(w.from), left), b = Math.max(x(w.to || to), a + 3);
    g.globalAlpha = w.to ? 0.18 : 0.34;
    g.fillStyle = color(hue(w.agent));
    g.beginPath(); g.roundRect(a, at - 9, b - a, 18, 4); g.fill();
    g.globalAlpha = 1;
    mark(w.event, a, at - 9, b - a, 18);
  }
  for (const b of bridges(events)) {
    const ends = b.agents.map(a => y.get(a)).filter(v => v !== undefined);
    if (ends.length < 2 || b.at < from) continue;
    const px = x(b.at), low = Math.min(...ends), high = Math.max(...ends);
    const done = b.to > 0;
    const tone = done ? color(b.status === 'resolved' ? '--good' : '--muted') : color('--warn');
    const end = done ? x(b.to) : left + room;
    g.fillStyle = tone;
    g.globalAlpha = 0.1;
    g.fillRect(px, low, Math.max(end - px, 2), high - low);
    g.globalAlpha = 1;
    g.strokeStyle = tone;
    g.lineWidth = 2;
    if (done) g.setLineDash([]); else g.setLineDash([4, 3]);
    g.beginPath(); g.moveTo(px, low); g.lineTo(px, high); g.stroke();
    g.setLineDash([]);
    if (done) { g.beginPath(); g.moveTo(end, low); g.lineTo(end, high); g.stroke(); }
    ends.forEach(at => { g.fillStyle = color('--panel'); g.beginPath(); g.arc(px, at, 4.5, 0, 7); g.fill(); g.stroke(); });
    mark(b.event, px - 3, low - 4, 6, high - low + 8);
  }
  for (const e of events) {
    const at = y.get(e.agent_id);
    if (at === undefined || e.ts < from) continue;
    const px = x(e.ts);
    if (e.kind === 'file.edited') {
      g.fillStyle = color(hue(e.agent_id));
      g.fillRect(px - 1, at - 8, 2, 16);
      mark(e, px - 1, at - 8, 2, 16);
    } else if (e.kind === 'message.posted') {
      g.fillStyle = color('--panel');
      g.strokeStyle = color(hue(e.agent_id));
      g.lineWidth = 2;
      g.beginPath(); g.arc(px, at, 3.5, 0, 7); g.fill(); g.stroke();
      mark(e, px - 4, at - 4, 8, 8);
    }
  }
  return hits;
}
