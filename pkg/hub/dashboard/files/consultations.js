// The consultations that are open now: what about, who has to answer, how long
// there is left.
import { html } from './vendor/htm-preact.js';
import { Empty, Panel, Path, Score, ThreadLink, Who, among, useNow } from './hooks.js';
import { ago, countdown, outcomes, projectName } from './format.js';

const round = 600_000; // ms that a round may last

export function Consultations({ threads, all, many, filter }) {
  const now = useNow();
  const live = threads.filter(t => !t.ended).sort((a, b) => (a.deadline || Infinity) - (b.deadline || Infinity));
  const total = all.filter(t => !t.ended).length;
  const ended = threads.filter(t => t.ended).slice(0, 5);
  return html`<${Panel} id="consultations" title="Consultations" note=${among(live.length, total, `${live.length} live`)}>
    ${live.length === 0 && html`<${Empty} hidden=${total} filter=${filter}>Nothing to settle. A consultation opens when two agents are about to change the same file.</${Empty}>`}
    <ul class="cards">${live.map(t => html`<${Card} key=${t.thread_id} t=${t} now=${now} many=${many} />`)}</ul>
    ${ended.length > 0 && html`<h3>Settled lately</h3>
      <ul class="settled">${ended.map(t => html`<li key=${t.thread_id}>
        <a href="#/${t.thread_id}"><span class="id">${t.thread_id}</span><span class="subject">${t.subject}</span></a>
        <span class="chip ${t.type || t.status}">${outcomes[t.type] || outcomes[t.status]}</span>
        <span class="when">${ago(now - t.ended)}</span></li>`)}</ul>`}
  </${Panel}>`;
}

function Card({ t, now, many }) {
  const left = t.deadline ? t.deadline - now : 0;
  const near = t.deadline && left < 60_000;
  const all = [t.initiator, ...t.respondents];
  const awaited = new Set(t.awaiting.map(a => a.id));
  return html`<li class="card ${t.status}" data-thread=${t.thread_id}>
    <div class="head">
      <${ThreadLink} id=${t.thread_id} />
      <span class="chip ${t.status}">${t.keep_open && t.status === 'open' ? 'task on offer' : outcomes[t.status]}</span>
      <${Score} score=${t.score} layer=${t.layer} />
      ${t.round > 1 && html`<span class="chip">round ${t.round}</span>`}
      ${many && html`<span class="chip">${projectName(t.project)}</span>`}
      ${t.deadline ? html`<span class="countdown ${near ? 'near' : ''}" role="timer" aria-label="time left">${countdown(left)}</span>` : null}
    </div>
    <p class="subject">${t.subject}</p>
    ${t.deadline ? html`<div class="bar" aria-hidden="true"><i class=${near ? 'near' : ''} style=${{ width: `${Math.max(0, Math.min(100, 100 * left / round))}%` }}></i></div>` : null}
    ${t.proposal && html`<p class="proposal"><b>Proposal ${t.proposal.number}</b> ${t.proposal.summary}</p>`}
    <ul class="people">${all.map(a => html`<li key=${a.id} class=${awaited.has(a.id) ? 'awaited' : ''}>
      <${Who} id=${a.id} name=${a.name} />${awaited.has(a.id) && html`<span class="awaits">awaited</span>`}</li>`)}
      ${t.more_respondents ? html`<li>and ${t.more_respondents} more</li>` : null}</ul>
    ${t.files.length > 0 && html`<div class="files">${t.files.map(f => html`<${Path} key=${f} path=${f} />`)}${t.more_files ? html`<span class="more">and ${t.more_files} more</span>` : null}</div>`}
  </li>`;
}
