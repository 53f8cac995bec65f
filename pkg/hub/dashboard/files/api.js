// The hub's REST routes. Errors are Error with the hub's own words and .status.

async function answer(response) {
  const text = await response.text();
  let body = null;
  try { body = text ? JSON.parse(text) : null; } catch { /* no JSON: only the status counts */ }
  if (response.ok) return body;
  const err = new Error(body?.message || `the hub answers ${response.status}`);
  err.status = response.status;
  throw err;
}

/** get reads a route. */
export const get = path => fetch(path, { headers: { Accept: 'application/json' } }).then(answer);

/** act changes something as the person who looks on; the header proves that this page asks. */
export const act = (method, path, body) => fetch(path, {
  method,
  headers: { 'Content-Type': 'application/json', 'X-Coord-Dashboard': '1', 'Idempotency-Key': crypto.randomUUID() },
  body: method === 'DELETE' ? undefined : JSON.stringify(body || {}),
}).then(answer);

/** thread reads a thread with all its messages, page by page. */
export async function thread(id) {
  const path = `/api/threads/${encodeURIComponent(id)}?limit=200`;
  const whole = await get(path);
  whole.messages ||= [];
  for (let page = whole, n = 0; page.next_seq && n < 50; n++) {
    page = await get(`${path}&since_seq=${page.next_seq}`);
    whole.messages.push(...(page.messages || []));
  }
  return whole;
}
