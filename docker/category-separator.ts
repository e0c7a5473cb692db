/**
 * Lets KurrentDB cut a stream's category at its last hyphen, so that `bank-account-…` is in `$ce-bank-account` and
 * not in `$ce-bank`. The separator is the query of two system projections, which the server's HTTP API changes.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** The projections behind `$ce-…` (events of a category) and `$category-…` (its streams). */
const PROJECTIONS = ['$by_category', '$stream_by_category'] as const;

const LAST_HYPHEN = 'last\n-';
const POLL_MS = 500;
/** Until its projections run, the server takes requests about them and never answers. */
const REQUEST_MS_MAX = 5000;

/**
 * Changes the separator where it is another one, and tells of which projections.
 * @param server address of the HTTP API, such as `http://kurrentdb:2113`
 * @param waitMs how long the server's projections may take to start, in milliseconds
 * @throws Error with the last failure when the server does not do it in time
 */
export async function ensureCategorySeparator(
  server: string,
  { waitMs }: { readonly waitMs: number },
): Promise<readonly string[]> {
  const deadline = performance.now() + waitMs;
  const changed: string[] = [];
  for (const name of PROJECTIONS) {
    const url = `${server}/projection/${encodeURIComponent(name)}/query`;
    if (await retryUntil(deadline, () => setQuery(url))) changed.push(name);
  }
  return changed;
}

/** Whether the query was another one. Answers only when the server says the new one itself. */
async function setQuery(url: string): Promise<boolean> {
  if (isLastHyphen(await request('GET', url))) return false;
  await request('PUT', `${url}?emit=true`, LAST_HYPHEN);
  const query = await request('GET', url);
  if (!isLastHyphen(query)) throw new Error(`${url} is still ${JSON.stringify(query)}.`);
  return true;
}

/** The server's own default has a carriage return. */
function isLastHyphen(query: string): boolean {
  return query.replaceAll('\r', '').trim() === LAST_HYPHEN;
}

async function request(method: 'GET' | 'PUT', url: string, body?: string): Promise<string> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'text/plain' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text.slice(0, 200)}`);
  return text;
}

async function retryUntil<T>(deadline: number, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(POLL_MS);
    }
  }
}
