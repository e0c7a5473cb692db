/** Lists are read page by page while others write: nothing is shown twice, and nothing that was there is left out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallOptions } from '../support/bank-client.ts';
import { ALICE, openAccount, registerAlice } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | undefined;
}

/** Follows the cursors to the end; `between` runs before each further page. */
async function readAll<T>(
  page: (cursor: string | undefined) => Promise<Page<T>>,
  between: () => Promise<unknown> = async () => {},
): Promise<T[]> {
  const seen: T[] = [];
  let cursor: string | undefined;
  do {
    const { items, next_cursor } = await page(cursor);
    expect(items.length).toBeGreaterThan(0);
    seen.push(...items);
    cursor = next_cursor;
    if (cursor !== undefined) await between();
  } while (cursor !== undefined);
  return seen;
}

const MEMORY = ['memory', () => startBank()] as const;
/** With a thread for the projections, which takes half a second to start: in the long tier. */
const FILES = ['files', () => startBank({ dataDir: directory.file('bank') })] as const;
const KINDS = process.env.SLOW === '1' ? [MEMORY, FILES] : [MEMORY];

describe.each(KINDS)('lists of a bank on %s', (_kind, start) => {
  let bank: RunningBank;
  let call: RunningBank['client']['call'];
  beforeAll(async () => {
    bank = await start();
    call = bank.client.call.bind(bank.client);
  });
  afterAll(() => bank.close());

  it('show every person once, in the order of registration, while others register', async () => {
    const registered: string[] = [];
    for (let number = 0; number < 12; number += 1) registered.push(await registerAlice(bank.client));
    const { body, token } = await call('registerPerson', { body: ALICE });
    const before = [...registered, body.id];
    const late: string[] = [];
    const seen = await readAll(
      async (cursor) => (await call('listPersons', { query: { limit: 3, cursor }, token })).body,
      async () => late.length < 3 && late.push(await registerAlice(bank.client)),
    );
    const ids = seen.map((person) => person.id);
    expect(ids.slice(0, before.length)).toEqual(before);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...before, ...late]).toEqual(expect.arrayContaining(ids));
  });

  it('show every account once while money moves and others open', async () => {
    const owner_id = await registerAlice(bank.client);
    const mine: string[] = [];
    for (let number = 0; number < 7; number += 1) mine.push(await openAccount(bank.client, { owner_id }));
    const busy = async () => {
      await openAccount(bank.client);
      await call('depositOnAccount', {
        params: { id: String(mine[3]) },
        body: { amount: 1, description: 'Tip' },
      });
    };
    const { token } = await call('createAccount', { body: { owner_id } });
    const all = await readAll(
      async (cursor) => (await call('listAccounts', { query: { limit: 2, cursor }, token })).body,
      busy,
    );
    const ids = all.map((account) => account.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => mine.includes(id))).toEqual(mine);

    const owned = await readAll(
      async (cursor) =>
        (await call('getAccountsByOwner', { params: { owner_id }, query: { limit: 3, cursor } })).body,
      busy,
    );
    expect(owned.map((account) => account.id).slice(0, 7)).toEqual(mine);
    expect(owned).toHaveLength(8);
  });

  it('show an account’s history backwards, the way it was when the reading began', async () => {
    const id = await openAccount(bank.client);
    let token = '';
    for (let amount = 1; amount <= 9; amount += 1) ({ token } = await deposit(id, amount));
    const page = (options: CallOptions) =>
      call('listAccountTransactions', { params: { id }, token, ...options });
    const seen = await readAll(
      async (cursor) => (await page({ query: { limit: 2, cursor } })).body,
      () => deposit(id, 100),
    );
    expect(seen.map((transaction) => transaction.amount)).toEqual(
      [9, 8, 7, 6, 5, 4, 3, 2, 1].map((amount) => `${amount}.00`),
    );
  });

  it.each(['forwards', 'backwards'] as const)('show events and streams %s, each once', async (direction) => {
    const id = await openAccount(bank.client);
    for (let amount = 1; amount <= 6; amount += 1) await deposit(id, amount);
    const name = `bank-account-${id.replaceAll('-', '')}`;
    const expected = direction === 'forwards' ? [0, 1, 2, 3, 4, 5, 6] : [6, 5, 4, 3, 2, 1, 0];
    for (const read of [
      async (cursor: string | undefined) =>
        (await call('listAccountEvents', { params: { id }, query: { limit: 3, cursor, direction } })).body,
      async (cursor: string | undefined) =>
        (await call('readStream', { params: { name }, query: { limit: 1, cursor, direction } })).body,
    ]) {
      expect((await readAll(read)).map((event) => event.revision)).toEqual(expected);
    }
  });

  it('show every stream once, by name', async () => {
    await registerAlice(bank.client);
    const all = await call('listStreams', { query: { limit: 200 } });
    const names = all.body.items.map((listing) => listing.stream);
    const paged = await readAll(
      async (cursor) => (await call('listStreams', { query: { limit: 4, cursor } })).body,
    );
    expect(paged.map((listing) => listing.stream)).toEqual(names);
    expect(names).toEqual(names.toSorted());
    const people = await readAll(
      async (cursor) => (await call('listStreams', { query: { limit: 4, cursor, prefix: 'person-' } })).body,
    );
    expect(people.map((listing) => listing.stream)).toEqual(
      names.filter((name) => name.startsWith('person-')),
    );
  });

  it('end without a cursor exactly when the last page is full', async () => {
    const owner_id = await registerAlice(bank.client);
    await openAccount(bank.client, { owner_id });
    const { token } = await call('createAccount', { body: { owner_id } });
    const page = (limit: number) =>
      call('getAccountsByOwner', { params: { owner_id }, query: { limit }, token });
    expect((await page(2)).body).not.toHaveProperty('next_cursor');
    expect((await page(1)).body).toHaveProperty('next_cursor');
  });

  function deposit(id: string, amount: number) {
    return call('depositOnAccount', { params: { id }, body: { amount, description: 'Salary' } });
  }
});
