/** Many requests at once on the same account: none is lost, none counts twice, and no rule is broken between them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALICE, openAccount, posting, registerAlice } from '../support/customers.ts';
import { type RunningBank, startBank } from '../support/running-bank.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const AT_ONCE = 64;
const oneToMany = Array.from({ length: AT_ONCE }, (_, index) => index + 1);

const MEMORY = ['memory', () => startBank()] as const;
/** With a thread for the projections, which takes half a second to start: in the long tier. */
const FILES = ['files', () => startBank({ dataDir: directory.file('bank') })] as const;
const KINDS = process.env.SLOW === '1' ? [MEMORY, FILES] : [MEMORY];

describe.each(KINDS)('many requests at once to a bank on %s', (_kind, start) => {
  let bank: RunningBank;
  let client: RunningBank['client'];
  beforeAll(async () => {
    bank = await start();
    client = bank.client;
  });
  afterAll(() => bank.close());

  it('record every deposit once, each at a revision of its own', async () => {
    const id = await openAccount(client);
    const answers = await Promise.all(
      oneToMany.map((cents) =>
        client.call('deposit', { body: posting(id, `0.${String(cents).padStart(2, '0')}`) }),
      ),
    );
    const revisions = answers.map(({ body }) => body.revision).toSorted((left, right) => left - right);
    expect(revisions).toEqual(oneToMany);
    expect(new Set(answers.map(({ body }) => body.transaction_id)).size).toBe(AT_ONCE);

    const { items } = (await client.call('listAccountEvents', { params: { id }, query: { limit: 200 } }))
      .body;
    expect(items.map((event) => event.revision)).toEqual([0, ...oneToMany]);
    // Each posting was answered with the balance that it left behind, in the order of the stream.
    let cents = 0n;
    for (const { data } of items.slice(1)) {
      cents += BigInt(String(data.amount).replace('.', ''));
      expect(data.balance).toBe(`${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`);
    }
    const newest = answers.toSorted((left, right) => left.body.revision - right.body.revision).at(-1);
    const account = await client.call('getAccount', { params: { id }, token: String(newest?.token) });
    expect(account.body).toMatchObject({ balance: '20.80', transaction_count: AT_ONCE, revision: AT_ONCE });
  });

  it('pay out exactly what the account can afford', async () => {
    const id = await openAccount(client, { initial_balance: '50.00', overdraft_limit: '50.00' });
    const outcomes = await Promise.all(
      oneToMany.map(() => client.try('withdrawal', { body: posting(id, '7.00') })),
    );
    const refused = outcomes.filter((outcome) => !outcome.ok);
    expect(outcomes.length - refused.length).toBe(14);
    expect(new Set(refused.map((outcome) => outcome.problem.code))).toEqual(new Set(['insufficient_funds']));
    expect(new Set(refused.map((outcome) => outcome.problem.available_balance))).toEqual(new Set(['2.00']));
    const token = outcomes.map((outcome) => outcome.token).findLast((one) => one !== '');
    const account = await client.call('getAccount', { params: { id }, token: String(token) });
    expect(account.body).toMatchObject({ balance: '-48.00', available_balance: '2.00', revision: 15 });
  });

  it('let one of several writers win who all saw the same revision', async () => {
    const id = await openAccount(client, { initial_balance: '1.00' });
    const headers = { 'if-match': '"1"' };
    const outcomes = await Promise.all(
      oneToMany.map((amount) =>
        client.try('depositOnAccount', { params: { id }, headers, body: { amount, description: 'Race' } }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.status === 412)).toHaveLength(AT_ONCE - 1);
    expect((await client.call('listAccountEvents', { params: { id } })).body.items).toHaveLength(3);
  });

  it('close an account once, whatever else is going on', async () => {
    const id = await openAccount(client);
    const closing = () => client.try('closeAccount', { params: { id }, body: { reason: 'Race' } });
    const paying = () => client.try('deposit', { body: posting(id, '1.00') });
    const outcomes = await Promise.all(oneToMany.map((number) => (number % 2 ? closing() : paying())));
    const { items } = (await client.call('listAccountEvents', { params: { id }, query: { limit: 200 } }))
      .body;
    expect(items).toHaveLength(1 + outcomes.filter((outcome) => outcome.ok).length);
    const types = items.map((event) => event.type);
    // Either the first to come closed it, or money came first and no one could.
    expect(types.indexOf('BankAccountClosedDomainEventV1')).toBe(types.length === 2 ? 1 : -1);
    expect(types.length === 2 || types.length === 1 + AT_ONCE / 2).toBe(true);
  });

  it('keep many accounts apart', async () => {
    const owner_id = await registerAlice(client);
    const ids = await Promise.all(oneToMany.slice(0, 20).map(() => openAccount(client, { owner_id })));
    await Promise.all(
      [1, 2, 3].flatMap((round) =>
        ids.map((id, index) => client.call('deposit', { body: posting(id, round * (index + 1)) })),
      ),
    );
    const { token } = await client.call('registerPerson', { body: ALICE });
    const { items } = (await client.call('getAccountsByOwner', { params: { owner_id }, token })).body;
    const balances = new Map(items.map(({ id, balance }) => [id, balance]));
    expect(ids.map((id) => balances.get(id))).toEqual(ids.map((_, index) => `${6 * (index + 1)}.00`));
  });
});
