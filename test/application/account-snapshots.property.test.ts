/** Whatever happened to an account, and wherever a snapshot was taken: with the events behind it, it leads to the same state. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSqliteEventStore, type SqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountType } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { closeBooksOf } from '../../src/application/close-books.ts';
import {
  type BankAccount,
  type BankAccountEvent,
  captureHold,
  changeTerms,
  decideWithoutExpired,
  deposit,
  openAccount,
  placeHold,
  releaseHold,
  withdraw,
} from '../../src/domain/bank-account.ts';
import type { Decision, Rejection } from '../../src/domain/decision.ts';
import type { DomainEvent, EventCodec } from '../../src/event-sourcing/codec.ts';
import type { EventReader, RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { SnapshotKeeper } from '../../src/event-sourcing/snapshots/snapshot-keeper.ts';
import { newId } from '../../src/new-id.ts';
import { settings } from '../domain/property-settings.ts';
import { collect, mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 1);
const codec = createBankCodec('USD') as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;

interface Step {
  readonly does: 'deposit' | 'withdraw' | 'place' | 'capture' | 'release' | 'terms';
  readonly cents: number;
  readonly hours: number;
  readonly key: boolean;
}

const steps = fc.array(
  fc.record({
    does: fc.constantFrom('deposit', 'deposit', 'withdraw', 'place', 'capture', 'release', 'terms'),
    cents: fc.integer({ min: 1, max: 99_999_999 }),
    hours: fc.integer({ min: 0, max: 200 }),
    key: fc.boolean(),
  }) as fc.Arbitrary<Step>,
  { minLength: 1, maxLength: 15, size: 'max' },
);

function decide(
  state: BankAccount,
  { does, cents }: Step,
  id: string,
  now: string,
): Decision<BankAccountEvent[]> {
  const amount = (cents / 100).toFixed(2);
  const posting = { account_id: id, transaction_id: newId(), amount, description: 'x' };
  const hold_id = Object.keys(state.holds)[0] ?? 'none';
  return decideWithoutExpired(state, now, (current) => {
    switch (does) {
      case 'deposit':
        return deposit(current, posting);
      case 'withdraw':
        return withdraw(current, posting, now);
      case 'place': {
        const expires_at = new Date(Date.parse(now) + 50 * HOUR_MS).toISOString();
        return placeHold(current, { hold_id: newId(), amount, description: 'x', expires_at }, now);
      }
      case 'capture':
        return captureHold(current, { ...posting, hold_id, amount: undefined });
      case 'release':
        return releaseHold(current, hold_id);
      case 'terms':
        return changeTerms(current, { credit_rate: '2.5', overdraft_rate: '9.9', monthly_fee: '1.00' });
    }
  });
}

let store: SqliteEventStore;
beforeAll(() => {
  store = openSqliteEventStore({ kind: 'memory' });
});
afterAll(() => store.close());

function repository(now: () => Date, history?: Pick<EventReader, 'readStream'>) {
  const keeper = new SnapshotKeeper<BankAccount>({
    store,
    aggregate: bankAccountType,
    fold: (state, event) => bankAccountType.evolve(state, codec.decode(event), event.metadata.timestamp),
    policy: {},
    retention: { newest: 1 },
    newId,
    now,
  });
  const options = { store, newId, now, snapshots: keeper, ...(history && { history }) };
  return {
    keeper,
    accounts: new Repository<BankAccount, BankAccountEvent, Rejection>(bankAccountType, codec, options),
  };
}

/** Lives an account as the plan says. */
async function live(plan: readonly Step[], id: string) {
  let clock = START;
  const now = () => new Date(clock);
  const opening = {
    account_id: id,
    owner_id: newId(),
    account_type: 'CHECKING',
    currency: 'USD',
    overdraft_limit: '100.00',
    initial_balance: '5000.00',
    transaction_id: newId(),
  } as const;
  const { accounts } = repository(now);
  const context = (key?: string) => ({
    ...newMetadata(),
    ...(key ? { operation: { id: key, contentHash: `hash of ${key}` } } : {}),
  });
  await accounts.execute(id, (state) => openAccount(state, opening), context('opening'));
  for (const [index, step] of plan.entries()) {
    clock += step.hours * HOUR_MS;
    await accounts.execute(
      id,
      (state, at) => decide(state as BankAccount, step, id, at),
      context(step.key ? `key-${index}` : undefined),
    );
  }
  return now;
}

it('a snapshot at every cut leads to the state that the events lead to, and remembers every key', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const id = newId();
      const now = await live(plan, id);
      await expectSameAtEveryCut(id, now);
    }),
    settings(3, 50),
  );
});

it('closed books at every cut lead to the state that the events lead to, and remember every key', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const id = newId();
      const now = await live(plan, id);
      const events = await collect(store.readStream(bankAccountType.stream(id)));
      for (let cut = 1; cut <= events.length; cut += 1) await expectSameBehindBooks(events, cut, now);
    }),
    settings(2, 40),
  );
});

/** Copies the events into a new stream, closes its books in their midst, and truncates it there. */
async function expectSameBehindBooks(events: RecordedEvent[], cut: number, now: () => Date): Promise<void> {
  const id = newId();
  const stream = bankAccountType.stream(id);
  const copies = events.map(({ type, data, metadata }) => newEvent({ type, data, metadata }));
  await mustAppend(store, stream, copies.slice(0, cut), 'no_stream');
  const then = () => new Date(events[cut - 1]?.metadata.timestamp as string);
  const sources = { accounts: repository(then).accounts, reader: store, codec: createBankCodec('USD') };
  const closed = await closeBooksOf(sources, id, then().toISOString(), newMetadata());
  if (!closed.ok) throw new Error(closed.rejection.detail);
  const { revision } = closed.value;
  if (cut < copies.length) await mustAppend(store, stream, copies.slice(cut), revision);
  const whole = await repository(now).accounts.load(id);
  const all = await collect(store.readStream(stream));
  const history = { readStream: (_stream: string, { from = 0 } = {}) => fromArray(all.slice(from)) };
  await store.setStreamMetadata(stream, { truncateBefore: revision });
  expect((await collect(store.readStream(stream)))[0]).toMatchObject({ revision });
  expect(await repository(now).accounts.load(id)).toStrictEqual(whole);
  await expectKeysKnown(repository(now, history).accounts, id, events);
}

async function* fromArray<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Copies the account's events into new streams, so that each cut has a snapshot of its own. */
async function expectSameAtEveryCut(id: string, now: () => Date): Promise<void> {
  const events = await collect(store.readStream(bankAccountType.stream(id)));
  const whole = await repository(now).accounts.load(id);
  for (let cut = 1; cut <= events.length; cut += 1) {
    const copy = newId();
    const stream = bankAccountType.stream(copy);
    const copies = events.map(({ type, data, metadata }) => newEvent({ type, data, metadata }));
    await mustAppend(store, stream, copies.slice(0, cut), 'no_stream');
    expect(await repository(now).accounts.takeSnapshot(copy)).toEqual({ revision: cut - 1, written: true });
    if (cut < copies.length) await mustAppend(store, stream, copies.slice(cut), cut - 1);
    const cold = repository(now);
    const { snapshot } = await cold.keeper.newest(copy);
    expect(snapshot?.revision).toBe(cut - 1);
    expect(await cold.accounts.load(copy)).toStrictEqual(whole);
    await expectKeysKnown(cold.accounts, copy, events);
  }
}

async function expectKeysKnown(
  accounts: ReturnType<typeof repository>['accounts'],
  id: string,
  events: Awaited<
    ReturnType<typeof collect<{ metadata: { idempotency_key?: string; idempotency_hash?: string } }>>
  >,
): Promise<void> {
  const keys = new Set(events.flatMap(({ metadata }) => metadata.idempotency_key ?? []));
  for (const key of keys) {
    const operation = { id: key, contentHash: `hash of ${key}` };
    const again = await accounts.execute(
      id,
      () => {
        throw new Error(`${key} was forgotten`);
      },
      { ...newMetadata(), operation },
    );
    expect(again).toMatchObject({ ok: true, value: { replayed: true } });
  }
}
