/** What the one-shot container does to both servers, against stand-ins that behave as the servers do. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensureCategorySeparator } from '../../docker/category-separator.ts';
import { type AdminDatabase, ensureReplicaSet } from '../../docker/replica-set.ts';

const DEFAULT_QUERY = 'first\r\n-';
const BY_CATEGORY = '/projection/%24by_category/query';
const STREAM_BY_CATEGORY = '/projection/%24stream_by_category/query';

interface FakeProjections {
  readonly url: string;
  readonly queries: Map<string, string>;
  readonly writes: string[];
}

/** KurrentDB's projections as far as their queries go; `before` answers first, when it wants to. */
async function fakeProjections(
  before: (request: IncomingMessage) => number | undefined = () => undefined,
): Promise<FakeProjections> {
  const queries = new Map([BY_CATEGORY, STREAM_BY_CATEGORY].map((path) => [path, DEFAULT_QUERY]));
  const writes: string[] = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const status = before(request) ?? (queries.has(pathname) ? 200 : 404);
    const body = await text(request);
    if (status === 200 && request.method === 'PUT') {
      writes.push(request.url ?? '');
      queries.set(pathname, body);
    }
    response.writeHead(status).end(status === 200 && request.method === 'GET' ? queries.get(pathname) : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, queries, writes };
}

describe('the category separator', () => {
  it('becomes the last hyphen, and is left alone the next time', async () => {
    const { url, queries, writes } = await fakeProjections();
    const options = { waitMs: 5000 };
    expect(await ensureCategorySeparator(url, options)).toEqual(['$by_category', '$stream_by_category']);
    expect([...queries.values()]).toEqual(['last\n-', 'last\n-']);
    expect(writes).toEqual([`${BY_CATEGORY}?emit=true`, `${STREAM_BY_CATEGORY}?emit=true`]);
    expect(await ensureCategorySeparator(url, options)).toEqual([]);
    expect(writes).toHaveLength(2);
  });

  it('is tried again while the projections start', async () => {
    let refusals = 2;
    const { url, queries } = await fakeProjections(() => (refusals-- > 0 ? 503 : undefined));
    await ensureCategorySeparator(url, { waitMs: 10_000 });
    expect(queries.get(BY_CATEGORY)).toBe('last\n-');
  });

  it('is not believed to be changed when the server still says the old one', async () => {
    const { url, queries } = await fakeProjections((request) => {
      if (request.method === 'PUT') return 202;
      return undefined;
    });
    await expect(ensureCategorySeparator(url, { waitMs: 0 })).rejects.toThrow(/is still "first/);
    expect(queries.get(BY_CATEGORY)).toBe(DEFAULT_QUERY);
  });

  it('fails with the answer of a server that does not know it', async () => {
    const { url } = await fakeProjections(() => 404);
    await expect(ensureCategorySeparator(url, { waitMs: 0 })).rejects.toThrow(/answered 404/);
  });
});

/** MongoDB's replication as far as one member goes: it becomes primary `electionLooks` looks after it is initiated. */
class FakeReplication implements AdminDatabase {
  readonly initiated: unknown[] = [];
  #setName: string | undefined;
  #electionLooks: number;
  readonly #failure: Error | undefined;

  constructor({
    setName,
    electionLooks = 2,
    failure,
  }: { setName?: string; electionLooks?: number; failure?: Error } = {}) {
    this.#setName = setName;
    this.#electionLooks = electionLooks;
    this.#failure = failure;
  }

  async command(command: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    if ('hello' in command) return this.#hello();
    const { _id } = command.replSetInitiate as { _id: string };
    this.initiated.push(command.replSetInitiate);
    this.#setName = _id;
    if (this.#failure) throw this.#failure;
    return { ok: 1 };
  }

  #hello(): Readonly<Record<string, unknown>> {
    if (this.#setName === undefined) return { isWritablePrimary: false, isreplicaset: true };
    return { setName: this.#setName, isWritablePrimary: this.#electionLooks-- <= 0 };
  }
}

describe('the replica set', () => {
  const set = { name: 'rs0', host: 'mongodb:27017', waitMs: 5000 };

  it('is initiated with the one member, which becomes primary', async () => {
    const server = new FakeReplication();
    expect(await ensureReplicaSet(server, set)).toBe('initiated');
    expect(server.initiated).toEqual([{ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] }]);
    expect(await ensureReplicaSet(server, set)).toBe('was there');
    expect(server.initiated).toHaveLength(1);
  });

  it('may have been initiated by another setup in the meantime', async () => {
    const failure = Object.assign(new Error('already initialized'), { code: 23 });
    expect(await ensureReplicaSet(new FakeReplication({ failure }), set)).toBe('was there');
  });

  it('is not initiated over another one, nor when the server refuses', async () => {
    const other = new FakeReplication({ setName: 'rs1' });
    await expect(ensureReplicaSet(other, set)).rejects.toThrow(/replica set rs1, not to rs0/);
    expect(other.initiated).toEqual([]);
    const failure = Object.assign(new Error('not authorized'), { code: 13 });
    await expect(ensureReplicaSet(new FakeReplication({ failure }), set)).rejects.toThrow('not authorized');
  });

  it('is not waited for without end', async () => {
    const never = new FakeReplication({ electionLooks: Number.POSITIVE_INFINITY });
    await expect(ensureReplicaSet(never, { ...set, waitMs: 0 })).rejects.toThrow(/did not become primary/);
  });
});
