// The panels beside: files, leases, scoring, consensus, quota, tokens.
import { html, useEffect, useState } from './vendor/htm-preact.js';
import { Empty, Panel, Path, Who, among, useNow } from './hooks.js';
import { act, get } from './api.js';
import { state } from './store.js';
import { ago, countdown, dollars, lasted, layers, outcomes, plural, projectName, short, wanted } from './format.js';

export function Leases({ leases, total, many, release, filter }) {
  const now = useNow();
  const rows = leases.slice(0, 30);
  return html`<${Panel} id="leases" title="Leases and lines" note=${among(leases.length, total, plural(leases.length, 'file'))}>
    ${rows.length === 0 && html`<${Empty} hidden=${total} filter=${filter}>No file is held. An agent takes a file with its first edit.</${Empty}>`}
    <ul class="leases">${rows.map(l => html`<li key=${l.id || l.path + l.workspace} class=${wanted(l) ? 'wanted' : l.held ? 'held' : 'left'}>
      <div class="row"><${Path} path=${l.path} />
        ${l.id && l.held && html`<button type="button" class="quiet" aria-label="Release ${l.path}" onClick=${() => release(l)}>Release</button>`}</div>
      <div class="row small"><${Who} id=${l.holder.id} name=${l.holder.name} /><span class="muted">${l.id ? l.held ? `holds it, ${ago(now - l.touched)}` : 'left it, free to take' : 'announced it'}${many ? ` · ${projectName(l.project)}` : ''}</span></div>
      ${l.waiting.length > 0 && html`<ol class="line" aria-label="waiting for ${l.path}">${l.waiting.map((w, i) => html`<li key=${w.agent.id}><span class="place">${i + 1}</span><${Who} id=${w.agent.id} name=${w.agent.name} />
        <span class="muted">${w.reserved_until > now ? `reserved ${countdown(w.reserved_until - now)}` : w.told ? 'told it is free' : `since ${ago(now - w.since)}`}</span></li>`)}</ol>`}
    </li>`)}</ul>
    ${leases.length > rows.length && html`<p class="empty">and ${leases.length - rows.length} more</p>`}
  </${Panel}>`;
}

export function Files({ files, total, filter }) {
  const most = Math.max(1, ...files.map(f => f.edits || 0));
  return html`<${Panel} id="files" title="File heat" note=${among(files.length, total, 'edits in the last hour')}>
    ${files.length === 0 && html`<${Empty} hidden=${total} filter=${filter}>No file was edited in the last hour.</${Empty}>`}
    <ul class="heat">${files.slice(0, 12).map(f => html`<li key=${f.project + f.path} class=${f.agents.length > 1 ? 'shared' : ''}>
      <div class="row"><${Path} path=${f.path} /><span class="count" title="edits">${f.edits || 0}</span></div>
      <div class="bar" aria-hidden="true"><i style=${{ width: `${100 * (f.edits || 0) / most}%` }}></i></div>
      <div class="row small">${f.agents.slice(0, 4).map(a => html`<${Who} key=${a.id} id=${a.id} name=${a.name} />`)}${f.agents.length > 4 && html`<span class="muted">+${f.agents.length - 4 + (f.more_agents || 0)}</span>`}</div>
    </li>`)}</ul>
  </${Panel}>`;
}

/** useStats gives the figures of a project, anew with news of its threads; without one those of all, from the overview. */
export function useStats(project, overview, news) {
  const [own, set] = useState({});
  useEffect(() => {
    if (project) get(`/api/stats?project=${encodeURIComponent(project)}`).then(stats => set({ project, stats }), () => {});
  }, [project, news]);
  return project ? own.project === project ? own.stats : undefined : overview?.stats;
}

export function Scoring({ stats, events, whole }) {
  const rows = stats?.layers || [];
  const most = Math.max(1, ...rows.map(l => l.threads));
  const announced = events.filter(e => e.kind === 'announcement.opened');
  const of = c => announced.filter(e => e.category === c).length;
  return html`<${Panel} id="scoring" title="Scoring" note="threads by layer, ${whole}24 h">
    <table class="layers"><caption class="sr">Threads opened by each scoring layer</caption>
      <thead class="sr"><tr><th scope="col">Layer</th><th scope="col">Meaning</th><th scope="col">Score</th><th scope="col">Threads</th></tr></thead>
      <tbody>${rows.map(l => html`<tr key=${l.layer} class=${l.threads ? '' : 'none'}>
        <th scope="row">${l.layer}</th><td>${layers[l.layer] || ''}<div class="bar" aria-hidden="true"><i style=${{ width: `${100 * l.threads / most}%` }}></i></div></td>
        <td class="num">${l.score}</td><td class="num strong">${l.threads}</td></tr>`)}</tbody></table>
    ${announced.length > 0 && html`<p class="small muted">Of ${plural(announced.length, 'announcement')} shown: ${of('pass')} clear, ${of('gray_zone')} by the way, ${of('concerned')} with a consultation.</p>`}
  </${Panel}>`;
}

export function Consensus({ stats, whole }) {
  const rows = Object.entries(stats?.outcomes || {}).sort((a, b) => b[1] - a[1]);
  return html`<${Panel} id="consensus" title="Consensus" note="${whole}last 24 h">
    ${stats && !stats.opened ? html`<${Empty}>No consultation in the last 24 hours.</${Empty}>` : stats && html`
      <dl class="figures"><div><dt>opened</dt><dd>${stats.opened}</dd></div>
        <div><dt>to agree</dt><dd>${stats.median_ms ? lasted(stats.median_ms) : '–'}</dd></div>
        <div><dt>rounds</dt><dd>${stats.rounds ? stats.rounds.toFixed(1) : '–'}</dd></div></dl>
      <ul class="outcomes">${rows.map(([name, n]) => html`<li key=${name}><span class="chip ${name}">${outcomes[name] || name}</span><span class="num">${n}</span></li>`)}</ul>`}
  </${Panel}>`;
}

const buckets = { five_hour: '5 hours', seven_day: '7 days', seven_day_sonnet: '7 days, Sonnet' };

/** useOptional reads a route that a hub may not have, and again when news comes; {enabled: false} without it. */
export function useOptional(path, news) {
  const has = state.routes.includes(`GET ${path}`);
  const [value, set] = useState(null);
  useEffect(() => {
    if (has) get(path).then(set, err => set(v => ({ ...v, error: err.message })));
  }, [has, news]);
  return [has ? value : { enabled: false }, set];
}

export function Quota({ quota, set }) {
  const now = useNow();
  const [busy, setBusy] = useState(false);
  const off = !quota?.enabled;
  const refresh = () => {
    setBusy(true);
    act('POST', '/api/quota/refresh').then(set, err => set({ ...quota, error: err.message })).finally(() => setBusy(false));
  };
  return html`<${Panel} id="quota" title="Quota" note=${off ? 'off' : quota.fetched_at ? `${ago(now - quota.fetched_at)} ago` : ''}>
    ${off ? html`<${Empty}>Off. <code>COORDINATOR_QUOTA=on</code> lets the hub ask how much of your plan is used.</${Empty}>` : html`
      ${!quota.buckets.length && !quota.error && html`<${Empty}>Not measured yet.</${Empty}>`}
      <ul class="quota">${quota.buckets.map(b => {
        const pct = Math.round(b.utilization_pct), name = buckets[b.bucket] || b.bucket;
        return html`<li key=${b.bucket}><div class="row"><span>${name}</span><b>${pct} %</b></div>
          <div class="bar" role="meter" aria-label="${name} used" aria-valuenow=${pct} aria-valuemin="0" aria-valuemax="100"><i class=${pct >= 95 ? 'near' : pct >= 80 ? 'warm' : ''} style=${{ width: `${Math.min(100, pct)}%` }}></i></div>
          ${b.resets_at > now && html`<span class="small muted">resets in ${ago(b.resets_at - now)}</span>`}</li>`;
      })}</ul>
      <${History} points=${quota.history} />
      ${quota.error && html`<p class="small bad" role="status">${quota.error}</p>`}
      <button type="button" class="quiet" disabled=${busy} onClick=${refresh}>${busy ? 'Asking…' : 'Refresh'}</button>`}
  </${Panel}>`;
}

// History is the bucket that is used most, over time.
function History({ points }) {
  const list = (points || []).map(p => Math.max(0, ...p.buckets.map(b => b.utilization_pct)));
  if (list.length < 2) return null;
  const line = list.map((v, i) => `${(100 * i / (list.length - 1)).toFixed(1)},${(30 - 0.3 * Math.min(100, v)).toFixed(1)}`).join(' ');
  return html`<figure class="past"><svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="quota used over time, now ${Math.round(list.at(-1))} %"><polyline points=${line} /></svg>
    <figcaption>highest use, last ${ago(points.at(-1).time - points[0].time)}</figcaption></figure>`;
}

export function Tokens({ rows, total, filter }) {
  const priced = rows.some(r => r.cost_usd !== undefined);
  const cost = rows.reduce((sum, r) => sum + (r.cost_usd || 0), 0);
  return html`<${Panel} id="tokens" title="Tokens" note=${priced ? dollars(cost) : rows.length ? 'by agent' : ''}>
    ${rows.length === 0 ? html`<${Empty} hidden=${total} filter=${filter}>No agent has reported tokens yet.</${Empty}>` : html`
      <table class="tokens"><thead><tr><th scope="col">Agent</th><th scope="col">in</th><th scope="col">out</th><th scope="col">cached</th>${priced && html`<th scope="col">cost</th>`}</tr></thead>
      <tbody>${rows.slice(0, 20).map(r => html`<tr key=${r.agent.id + r.model} title="${r.model}, ${plural(r.turns, 'turn')}"><th scope="row"><${Who} id=${r.agent.id} name=${r.agent.name} /></th>
        <td>${short(r.input)}</td><td>${short(r.output)}</td><td>${short(r.cache_read + r.cache_creation)}</td>${priced && html`<td>${r.cost_usd === undefined ? '–' : dollars(r.cost_usd)}</td>`}</tr>`)}</tbody></table>`}
  </${Panel}>`;
}
