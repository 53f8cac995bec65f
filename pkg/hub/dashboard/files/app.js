// The page: the bar, the filters, the panels and where they stand.
import { html, render, useEffect, useMemo, useRef, useState } from './vendor/htm-preact.js';
import { connect } from './store.js';
import { act } from './api.js';
import { names as nameAll, useNow, useStore } from './hooks.js';
import { ago, outcomes, plural, projectName, texts } from './format.js';
import { Agents, Glance } from './agents.js';
import { Consultations } from './consultations.js';
import { Lanes } from './lanes.js';
import { Timeline, matches } from './timeline.js';
import { Consensus, Files, Leases, Quota, Scoring, Tokens, useOptional, useStats } from './side.js';
import { Thread } from './thread.js';

const themes = ['auto', 'light', 'dark'];

function applyTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

const openThread = () => /^#\/(T-\d+)$/.exec(location.hash)?.[1] || '';

function App() {
  const s = useStore();
  const [filter, setFilter] = useState({ project: '', agent: '', text: '', off: new Set() });
  const [thread, setThread] = useState(openThread());
  const [question, ask] = useState(null);
  const opener = useRef(null);
  const set = change => setFilter(f => ({ ...f, ...change }));
  useEffect(() => {
    const moved = () => {
      if (openThread()) opener.current = document.activeElement;
      setThread(openThread());
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const search = useRef(null);
  useEffect(() => {
    const key = e => {
      if (e.key === '/' && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) { e.preventDefault(); search.current?.focus(); }
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);

  const o = s.overview;
  const names = useMemo(() => nameAll(s), [s.overview, s.events.length, s.events.at(-1)?.seq]);
  const many = (o?.projects || []).length > 1 && !filter.project;
  const ours = list => (list || []).filter(v => !filter.project || v.project === filter.project);
  const words = filter.text.toLowerCase().split(/\s+/);
  const has = v => words.every(word => texts(v).includes(word));
  const events = useMemo(() => s.events.filter(e => matches(e, filter, names)), [s.events, s.events.length, s.events.at(-1)?.seq, filter, names]);
  const agents = ours(o?.agents);
  const threads = ours(o?.threads).filter(has).filter(t => !filter.agent || [t.initiator, ...t.respondents].some(a => a.id === filter.agent));
  const leases = ours(o?.leases).filter(has).filter(l => !filter.agent || l.holder.id === filter.agent || l.waiting.some(w => w.agent.id === filter.agent));
  const files = ours(o?.files).filter(has).filter(f => !filter.agent || f.agents.some(a => a.id === filter.agent));
  const news = s.events.findLast(e => e.thread_id === thread)?.seq || 0;
  const narrowed = {
    words: [filter.project && projectName(filter.project), filter.agent && (names.get(filter.agent) || filter.agent), filter.text && `“${filter.text}”`].filter(Boolean).join(', '),
    clear: () => set({ project: '', agent: '', text: '', off: new Set() }),
  };
  const [tokens] = useOptional('/api/tokens', s.events.findLast(e => e.kind === 'tokens.used')?.seq);
  const [quota, setQuota] = useOptional('/api/quota', s.events.findLast(e => e.kind === 'quota.updated')?.seq);
  const spent = ours(tokens?.totals);
  const stats = useStats(filter.project, o, s.events.findLast(e => e.project === filter.project && e.kind.startsWith('thread.'))?.seq);
  const whole = filter.agent || filter.text ? 'all agents, ' : ''; // what these count has no agent
  const closeThread = () => {
    history.replaceState(null, '', '/dashboard');
    setThread('');
    (opener.current?.isConnected ? opener.current : document.getElementById('main')).focus(); // where the reader came from
  };
  const [said, say] = useState('');
  const release = l => ask({
    title: `Release ${l.path}?`, yes: 'Release it',
    words: `${l.holder.name} holds this file and may be in the middle of an edit. Others may write it from now on; all are told that a person did this.`,
    go: () => act('DELETE', `/api/leases/${encodeURIComponent(l.id)}`).then(freed => say(freed.leases.length ? `Released ${l.path}.` : `${l.holder.name} has left ${l.path} meanwhile: it was free already.`), err => say(err.message)),
  });

  if (s.link === 'denied') return html`<${Denied} />`;
  return html`<a class="skip" href="#main" onClick=${e => { e.preventDefault(); document.getElementById('main').focus(); }}>To the panels</a>
    <${Bar} s=${s} filter=${filter} set=${set} projects=${o?.projects || []} agents=${agents} search=${search} />
    <${Link} s=${s} />
    ${said && html`<div class="toast" role="status">${said}<button type="button" class="quiet" aria-label="Dismiss" onClick=${() => say('')}>✕</button></div>`}
    <div class="page ${thread ? 'with-thread' : ''}">
      <main id="main" tabIndex="-1" aria-busy=${!o}>
        <${Glance} agents=${agents} threads=${ours(o?.threads)} leases=${ours(o?.leases)} tokens=${spent} quota=${quota} elsewhere=${o?.agents.length} />
        <div class="columns">
          <div class="column who-column"><${Agents} agents=${agents.filter(has)} total=${o?.agents.length} threads=${ours(o?.threads)} leases=${ours(o?.leases)} picked=${filter.agent} pick=${agent => set({ agent })} many=${many} filter=${narrowed} /><${Leases} leases=${leases} total=${o?.leases.length} many=${many} release=${release} filter=${narrowed} /></div>
          <div class="column main-column">
            <${Consultations} threads=${threads} all=${o?.threads || []} many=${many} filter=${narrowed} />
            <${Lanes} events=${events} agents=${filter.agent ? agents.filter(a => a.id === filter.agent) : agents} names=${names} total=${s.events.length} filter=${narrowed} />
            <${Timeline} events=${events} total=${s.events.length} names=${names} off=${filter.off} set=${set} many=${many} gap=${s.gap} filter=${narrowed} />
          </div>
          <div class="column side-column"><${Files} files=${files} total=${o?.files.length} filter=${narrowed} /><${Scoring} stats=${stats} events=${events} whole=${whole} /><${Consensus} stats=${stats} whole=${whole} />
            <${Quota} quota=${quota} set=${setQuota} /><${Tokens} rows=${spent.filter(has).filter(r => !filter.agent || r.agent.id === filter.agent)} total=${tokens?.totals?.length} filter=${narrowed} /></div>
        </div>
        <${Foot} o=${o} events=${s.events} />
      </main>
      ${thread && html`<${Thread} id=${thread} news=${news} close=${closeThread} confirm=${ask} names=${names} />`}
    </div>
    <${Announcer} events=${s.events} names=${names} />
    ${question && html`<${Confirm} q=${question} done=${() => ask(null)} />`}`;
}

function Bar({ s, filter, set, projects, agents, search }) {
  const [theme, setTheme] = useState(localStorage.getItem('coord-theme') || 'auto');
  const next = () => {
    const to = themes[(themes.indexOf(theme) + 1) % themes.length];
    localStorage.setItem('coord-theme', to);
    applyTheme(to);
    setTheme(to);
  };
  const words = { live: 'live', connecting: 'connecting', lost: 'reconnecting' }[s.link];
  return html`<header class="bar">
    <h1><img src="/dashboard/icon.svg" alt="" width="22" height="22" />coord</h1>
    <span class="link-state ${s.link}" role="status"><i aria-hidden="true"></i>${words}</span>
    <form role="search" onSubmit=${e => e.preventDefault()}>
      ${projects.length > 1 && html`<select aria-label="Project" value=${filter.project} onChange=${e => set({ project: e.target.value, agent: '' })}>
        <option value="">All projects</option>${projects.map(p => html`<option key=${p.id} value=${p.id}>${projectName(p.id)}</option>`)}</select>`}
      <select aria-label="Agent" value=${filter.agent} onChange=${e => set({ agent: e.target.value })}>
        <option value="">All agents</option>${agents.map(a => html`<option key=${a.id} value=${a.id}>${a.name}</option>`)}</select>
      <input type="search" ref=${search} aria-label="Search" placeholder="Search  /" value=${filter.text} onInput=${e => set({ text: e.target.value })} />
    </form>
    <button type="button" class="quiet theme" onClick=${next} aria-label="Colours: ${theme}. Change" title="Colours: ${theme}">${{ auto: '◐', light: '☀', dark: '☾' }[theme]}</button>
  </header>`;
}

// Link says that what is shown is old, and since when.
function Link({ s }) {
  const now = useNow();
  if (s.link !== 'lost') return null;
  return html`<div class="gone" role="alert"><b>The hub does not answer.</b> What you see is ${ago(now - s.since)} old. The page goes on by itself, without missing anything, when a hub is back.</div>`;
}

function Denied() {
  const used = location.hash === '#used';
  return html`<main class="denied" id="main"><img src="/dashboard/icon.svg" alt="" width="44" height="44" />
    <h1>${used ? 'This link has been used' : 'This browser has no key'}</h1>
    <p>A link opens the dashboard once and for a minute. Get a new one in a terminal:</p><pre><code>coord-hub dashboard</code></pre></main>`;
}

function Foot({ o, events }) {
  if (!o) return null;
  return html`<footer>coord-hub ${o.hub.version} · up since ${new Date(o.hub.started_at).toLocaleString()} · ${plural(o.mqtt.connections, 'connection')} · event ${events.at(-1)?.seq || 0} · ${o.mqtt.dropped ? `${o.mqtt.dropped} pushes dropped` : 'no push dropped'}</footer>`;
}

// Announcer tells a screen reader of consultations, and of nothing else.
function Announcer({ events, names }) {
  const e = events.findLast(v => v.kind === 'thread.opened' || v.kind === 'thread.status');
  const first = useRef(e?.seq);
  if (first.current === undefined) first.current = e?.seq;
  const words = !e || e.seq === first.current ? '' : e.kind === 'thread.opened' ? `${names.get(e.agent_id) || 'An agent'} opens ${e.thread_id}: ${e.subject}` : `${e.thread_id} is ${outcomes[e.type] || outcomes[e.status] || e.status}`;
  return html`<div class="sr" aria-live="polite">${words}</div>`;
}

function Confirm({ q, done }) {
  const dialog = useRef(null);
  useEffect(() => { dialog.current.showModal(); }, []);
  const yes = () => { dialog.current.close(); q.go(); };
  return html`<dialog ref=${dialog} onClose=${done} aria-labelledby="confirm-title"><h2 id="confirm-title">${q.title}</h2><p>${q.words}</p>
    <div class="row end"><button type="button" class="quiet" onClick=${() => dialog.current.close()}>Keep it</button><button type="button" class="danger" onClick=${yes}>${q.yes}</button></div></dialog>`;
}

applyTheme(localStorage.getItem('coord-theme') || 'auto');
render(html`<${App} />`, document.getElementById('app'));
document.querySelector('.boot')?.remove();
connect();
