// One thread: how it stands, the conversation, and what a person can do.
import { html, useEffect, useRef, useState } from './vendor/htm-preact.js';
import { Path, Score, Who, useNow } from './hooks.js';
import { act, thread as read } from './api.js';
import { clock, countdown, outcomes } from './format.js';

const live = t => t.status === 'open' || t.status === 'resolving' || t.status === 'claimed';

export function Thread({ id, news, close, confirm, names }) {
  const now = useNow();
  const [t, set] = useState(null);
  const [error, setError] = useState('');
  const title = useRef(null);
  useEffect(() => {
    let current = true;
    read(id).then(v => { if (current) { set(v); setError(''); } }, err => { if (current) setError(err.message); });
    return () => { current = false; };
  }, [id, news]);
  useEffect(() => { title.current?.focus(); }, [id]);
  const shown = t?.thread_id === id ? t : null;
  return html`<aside class="thread" aria-labelledby="thread-title" onKeyDown=${e => { if (e.key === 'Escape') close(); }}>
    <header>
      <h2 id="thread-title" tabIndex="-1" ref=${title}>${id}${shown ? `: ${shown.subject}` : ''}</h2>
      <button type="button" class="quiet" aria-label="Close the view of ${id}" onClick=${close}>✕</button>
    </header>
    ${error && html`<p class="bad" role="alert">${error}</p>`}
    ${!shown && !error && html`<p class="empty">Reading ${id}…</p>`}
    ${shown && html`<${Body} t=${shown} now=${now} confirm=${confirm} names=${names} />`}
  </aside>`;
}

function Body({ t, now, confirm, names }) {
  const name = a => names.get(a.id) || a.name || a.id;
  const agreed = t.type === 'consensus'; // its words are those of the proposal
  return html`
    <div class="standing">
      <span class="chip ${t.type || t.status}">${outcomes[t.type] || outcomes[t.status]}</span>
      <${Score} score=${t.score} layer=${t.layer} />
      <span class="chip">round ${t.round}</span>
      ${t.deadline && live(t) ? html`<span class="countdown">${countdown(t.deadline - now)}</span>` : null}
    </div>
    <dl class="facts-list">
      <dt>Opened by</dt><dd><${Who} id=${t.initiator.id} name=${name(t.initiator)} /></dd>
      ${t.respondents.length > 0 && html`<dt>With</dt><dd>${t.respondents.map(a => html`<${Who} key=${a.id} id=${a.id} name=${name(a)} />`)}</dd>`}
      ${t.proposal?.awaiting?.length > 0 && html`<dt>Awaited</dt><dd>${t.proposal.awaiting.map(a => html`<${Who} key=${a.id} id=${a.id} name=${name(a)} />`)}</dd>`}
      ${t.files.length > 0 && html`<dt>About</dt><dd class="files">${t.files.map(f => html`<${Path} key=${f} path=${f} />`)}${t.more_files ? html`<span class="more">and ${t.more_files} more</span>` : null}</dd>`}
    </dl>
    ${t.proposal && html`<p class="proposal"><b>${agreed ? 'Agreed: proposal' : 'Proposal'} ${t.proposal.number} by ${name(t.proposal.by)}</b> ${t.proposal.summary}</p>`}
    ${t.summary && !agreed && html`<p class="proposal"><b>Outcome</b> ${t.summary}</p>`}
    <ol class="talk" aria-label="Conversation">${(t.messages || []).map(m => html`<li key=${m.message_id} class="message ${m.type}">
      <div class="by"><${Who} id=${m.author.id} name=${m.author.name} /><span class="type">${m.type === 'context' ? '' : m.type}${m.late ? ' late' : ''}</span><time>${clock(m.time)}</time></div>
      <p>${m.content}</p></li>`)}
      ${!(t.messages || []).length && html`<li class="empty">Nobody has said anything yet.</li>`}</ol>
    <${Reply} t=${t} confirm=${confirm} />`;
}

// Reply lets the person who looks on take part. What it says and does reaches
// the agents as a human's.
function Reply({ t, confirm }) {
  const [text, setText] = useState('');
  const [said, setSaid] = useState(null);
  const [busy, setBusy] = useState(false);
  const path = `/api/threads/${encodeURIComponent(t.thread_id)}`;
  const run = (call, words) => {
    setBusy(true);
    call.then(() => setSaid({ words }), err => setSaid({ words: err.message, bad: true })).finally(() => setBusy(false));
  };
  const post = e => {
    e.preventDefault();
    if (!text.trim()) return;
    run(act('POST', `${path}/messages`, { content: text.trim(), type: 'context' }).then(() => setText('')), 'Sent to everybody in the thread.');
  };
  return html`<form class="reply" onSubmit=${post}>
    <label for="reply-text">Say something as a person</label>
    <textarea id="reply-text" rows="3" maxLength="4000" value=${text} onInput=${e => setText(e.target.value)} placeholder="The agents are told that a person wrote this."></textarea>
    <div class="row"><button type="submit" class="primary" disabled=${busy || !text.trim() || t.status === 'cancelled'}>Post</button>
      ${live(t) && html`<button type="button" class="quiet" disabled=${busy} onClick=${() => confirm({
        title: `Close ${t.thread_id}?`, words: 'The consultation ends for everybody as closed, by you. That gives nobody the right to write; the agents are told.', yes: 'Close it',
        go: () => run(act('POST', `${path}/close`, { summary: 'closed by a person on the dashboard' }), 'Closed.') })}>Close the thread</button>`}</div>
    ${said && html`<p class=${said.bad ? 'bad' : 'good'} role="status">${said.words}</p>`}
  </form>`;
}
