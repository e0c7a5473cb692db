/** A transfer that is sent again while the first try is still on its way, and looks at accounts that the first has changed. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { Bank } from '../../src/application/bank.ts';
import { postBatchHandler } from '../../src/application/commands/post-batch.ts';
import { requestTransferHandler } from '../../src/application/commands/request-transfer.ts';
import { reverseTransfer } from '../../src/application/commands/reverse-transfer.ts';
import type { RequestContext } from '../../src/application/mediator.ts';
import { operationOfKey } from '../../src/application/operation.ts';
import { composeWriteSide } from '../../src/composition/compose-transfers.ts';
import { bankAccountStream, openAccount } from '../../src/domain/bank-account.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { newId } from '../../src/new-id.ts';
import { collect } from '../support/event-builders.ts';
import { SOMEONE } from '../support/transfer-bench.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

const defaultCurrency = 'USD';
const KEY = 'rent-2026-01';

let store: WatchedEventStore;
let from: string;
let to: string;
/** Where the first try arrives. */
let first: Bank;
beforeEach(async () => {
  store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  first = node();
  from = await open('30.00');
  to = await open('0');
});
afterEach(() => store.close());

/** Another process over the same store. */
function node(): Bank {
  const metrics = new ServiceMetrics({ version: '0.0.0', role: 'all', node: 'here' });
  const snapshots = { policy: {}, retention: { newest: 1 } } as const;
  const nothing = { find: async () => new Map() };
  const writeSide = composeWriteSide({ defaultCurrency, snapshots }, store, metrics, nothing);
  return { ...writeSide, events: store, newId, now: () => new Date(), defaultCurrency } as unknown as Bank;
}

async function open(initial_balance: string): Promise<string> {
  const account_id = randomUUID();
  const ids = { account_id, owner_id: randomUUID(), transaction_id: randomUUID() };
  const terms = { account_type: 'CHECKING', currency: 'USD', overdraft_limit: '0', initial_balance } as const;
  await first.accounts.execute(account_id, (state) => openAccount(state, { ...ids, ...terms }), SOMEONE);
  return account_id;
}

const transfer = () => ({ from_account_id: from, to_account_id: to, amount: '30.00', description: 'Rent' });
const keyed = (message: string, input: object): RequestContext => ({
  ...SOMEONE,
  operation: operationOfKey(KEY, message, input),
});

/** Ways to move all of the money, so that a second try finds nothing to move. */
const WAYS: Record<string, (bank: Bank) => Promise<unknown>> = {
  'a transfer': async (bank) => {
    const decision = await requestTransferHandler(bank)(transfer(), keyed('RequestTransfer', transfer()));
    return decision.ok ? decision.value.transfer : decision.rejection;
  },
  'a transfer of a batch': async (bank) => {
    const items = [{ type: 'TRANSFER', ...transfer() }];
    const decision = await postBatchHandler(bank)({ items, key: KEY }, SOMEONE);
    const outcome = decision.ok ? decision.value.outcomes[0] : undefined;
    return outcome?.kind === 'done' && 'transfer' in outcome.result ? outcome.result.transfer : outcome;
  },
  'a reversal': async (bank) => {
    const request = { account_id: from, transfer_id: original, reason: 'Mistake' };
    const decision = await reverseTransfer(bank, request, keyed('ReverseTransaction', request));
    return decision.ok && 'posting' in decision.value ? decision.value.posting : decision;
  },
};
let original = '';

it.each(Object.keys(WAYS))('%s is told what the first try came to', async (name) => {
  const way = WAYS[name] as (typeof WAYS)[string];
  if (name === 'a reversal') {
    const done = await requestTransferHandler(first)(transfer(), SOMEONE);
    original = done.ok ? done.value.transfer.id : '';
  }
  const payer = name === 'a reversal' ? to : from;
  let told: unknown;
  // The second try has not found the transfer; before it looks at the account, the first one takes the money.
  store.onRead = async (stream) => {
    if (stream !== bankAccountStream(payer)) return;
    store.onRead = undefined;
    told = await way(first);
  };
  const again = await way(node());
  expect(again).toHaveProperty('description');
  expect(again).toEqual(told);
  expect((await first.accounts.load(payer))?.state.balance).toBe(0n);
});

it('what was never put on record is refused as things stand, with a key or without', async () => {
  const all = requestTransferHandler(first);
  expect((await all(transfer(), SOMEONE)).ok).toBe(true);
  for (const context of [SOMEONE, keyed('RequestTransfer', transfer())]) {
    expect(await all(transfer(), context)).toMatchObject({ rejection: { code: 'insufficient_funds' } });
  }
});

it('a transfer that another process finishes is answered with the place of its end', async () => {
  const id = randomUUID();
  store.onAppend = async (proceed, { stream }) => {
    if (stream !== bankAccountStream(from)) return proceed();
    store.onAppend = undefined;
    await node().transferProcess.resume(id, SOMEONE);
    return proceed();
  };
  const decision = await requestTransferHandler({ ...node(), newId: () => id })(transfer(), SOMEONE);
  if (!decision.ok) throw new Error(decision.rejection.code);
  const { transfer: told, position, stream, revision } = decision.value;
  expect(told.status).toBe('COMPLETED');
  const [end] = await collect(store.readStream(stream, { from: revision }));
  expect(position).toBe(end?.position);
});
