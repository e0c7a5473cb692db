/** The command behind batches: how items are folded into appends, and what a failing store makes of them. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { Bank } from '../../src/application/bank.ts';
import { type BatchResult, postBatchHandler } from '../../src/application/commands/post-batch.ts';
import { composeWriteSide } from '../../src/composition/compose-transfers.ts';
import { openAccount } from '../../src/domain/bank-account.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { newId } from '../../src/new-id.ts';
import { SOMEONE } from '../support/transfer-bench.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

const NO_SNAPSHOTS = { policy: {}, retention: { newest: 1 } } as const;

let store: WatchedEventStore;
let bank: Bank;
let post: (items: readonly object[], key?: string) => Promise<BatchResult>;
beforeEach(() => {
  store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  const metrics = new ServiceMetrics({ version: '0.0.0', role: 'all', node: 'here' });
  const nothing = { find: async () => new Map() };
  const defaultCurrency = 'USD';
  const writeSide = composeWriteSide({ defaultCurrency, snapshots: NO_SNAPSHOTS }, store, metrics, nothing);
  bank = { ...writeSide, events: store, newId, now: () => new Date(), defaultCurrency } as unknown as Bank;
  const handle = postBatchHandler(bank);
  post = async (items, key) => {
    const input = { items: [...items], ...(key === undefined ? {} : { key }) };
    const decision = await handle(input, SOMEONE);
    if (!decision.ok) throw new Error(decision.rejection.code);
    return decision.value;
  };
});
afterEach(() => store.close());

async function open(initial_balance = '0'): Promise<string> {
  const account_id = randomUUID();
  const opening = {
    account_id,
    owner_id: randomUUID(),
    account_type: 'CHECKING',
    currency: 'USD',
    overdraft_limit: '0',
    initial_balance,
    transaction_id: randomUUID(),
  } as const;
  await bank.accounts.execute(account_id, (state) => openAccount(state, opening), SOMEONE);
  store.forget();
  return account_id;
}

const deposit = (account_id: string) => ({
  type: 'DEPOSIT',
  account_id,
  amount: '1.00',
  description: 'Salary',
});
const transfer = (from_account_id: string, to_account_id: string) => ({
  type: 'TRANSFER',
  from_account_id,
  to_account_id,
  amount: '1.00',
  description: 'Rent',
});

const kinds = ({ outcomes }: BatchResult) => outcomes.map(({ kind }) => kind);

describe('a batch', () => {
  it('appends once to each account that it posts to, however its items are mixed', async () => {
    const accounts = [await open(), await open(), await open()];
    const items = Array.from({ length: 300 }, (_, index) => deposit(String(accounts[index % 3])));
    expect(new Set(kinds(await post(items)))).toEqual(new Set(['done']));
    expect(store.appends.map(({ events }) => events.length)).toEqual([100, 100, 100]);
  });

  it('takes transfers from one account through their steps together', async () => {
    const from = await open('100.00');
    const payees = await Promise.all(Array.from({ length: 50 }, () => open()));
    store.forget();
    await post(payees.map((payee) => transfer(from, payee)));
    const ofPayer = store.appends.filter(({ stream }) => stream.endsWith(from.replaceAll('-', '')));
    expect(ofPayer.map(({ events }) => events.length)).toEqual([50]);
  });

  it('reads the stream once to answer a batch that was done before', async () => {
    const account = await open();
    const items = Array.from({ length: 200 }, () => deposit(account));
    const first = await post(items, 'again');
    store.forget();
    const again = await post(items, 'again');
    const postings = ({ outcomes }: BatchResult) =>
      outcomes.map(
        (outcome) => outcome.kind === 'done' && 'posting' in outcome.result && outcome.result.posting,
      );
    expect(postings(again)).toEqual(postings(first));
    expect(store.appends).toEqual([]);
    expect(store.reads.filter(({ given }) => given > 0)).toHaveLength(1);
  });

  it('does not try the rest when the store is gone, and does it when it is sent again', async () => {
    const accounts = [await open(), await open(), await open()];
    const items = accounts.flatMap((account) => Array.from({ length: 1_000 }, () => deposit(account)));
    store.onAppend = async (proceed, { stream }) => {
      if (!stream.endsWith(String(accounts[0]).replaceAll('-', ''))) {
        throw new StoreError('unavailable', 'It is gone.');
      }
      return proceed();
    };
    const broken = await post(items, 'broken');
    expect(kinds(broken).slice(0, 1_000)).not.toContain('failed');
    expect(new Set(kinds(broken).slice(1_000))).toEqual(new Set(['failed']));
    const tried = new Set(store.appends.map(({ stream }) => stream));
    expect(tried.size).toBe(2);
    store.onAppend = undefined;
    expect(new Set(kinds(await post(items, 'broken')))).toEqual(new Set(['done']));
    const balances = await Promise.all(
      accounts.map(async (id) => (await bank.accounts.load(id))?.state.balance),
    );
    expect(balances).toEqual([100_000n, 100_000n, 100_000n]);
  });

  it('goes on when a store fails for one account alone', async () => {
    const accounts = [await open(), await open()];
    store.onAppend = async (proceed, { stream }) => {
      if (stream.endsWith(String(accounts[0]).replaceAll('-', '')))
        throw new StoreError('corrupt', 'Broken.');
      return proceed();
    };
    const items = [deposit(String(accounts[0])), deposit(String(accounts[1])), 5 as unknown as object];
    expect(kinds(await post(items))).toEqual(['failed', 'done', 'invalid']);
  });

  it('lets a transfer on record be when the store fails: it is finished without the batch', async () => {
    const [from, to] = [await open('5.00'), await open()];
    store.onAppend = async (proceed, { events }) => {
      if (events.some(({ type }) => type === 'TransferDebitedDomainEventV1')) {
        throw new StoreError('unavailable', 'It is gone.');
      }
      return proceed();
    };
    const { outcomes } = await post([transfer(from, to)], 'unfinished');
    expect(outcomes).toMatchObject([{ kind: 'done', result: { finished: false } }]);
    store.onAppend = undefined;
    const again = await post([transfer(from, to)], 'unfinished');
    expect(again.outcomes).toMatchObject([
      { kind: 'done', result: { finished: true, replayed: true, transfer: { status: 'COMPLETED' } } },
    ]);
    expect((await bank.accounts.load(to))?.state.balance).toBe(100n);
  });

  it('is refused while as many as are worked on at a time are under way', async () => {
    const account = await open();
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    store.onAppend = (proceed) => held.then(proceed);
    const underWay = Array.from({ length: 4 }, () => post([deposit(account)]));
    await expect(post([deposit(account)])).rejects.toMatchObject({ code: 'busy' });
    letGo();
    await Promise.all(underWay);
    store.onAppend = undefined;
    expect(kinds(await post([deposit(account)]))).toEqual(['done']);
  });
});
