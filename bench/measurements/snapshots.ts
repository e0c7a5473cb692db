/**
 * How long it takes to load an account that is not in memory: with 100, 1,000 and 10,000 events, from the first event on
 * and through a snapshot. Each load is one of a new repository on an open store, as after a restart.
 */
import { join } from 'node:path';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountType } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { type BankAccount, type BankAccountEvent, deposit } from '../../src/domain/bank-account.ts';
import type { Rejection } from '../../src/domain/decision.ts';
import type { DomainEvent, EventCodec } from '../../src/event-sourcing/codec.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { SnapshotKeeper } from '../../src/event-sourcing/snapshots/snapshot-keeper.ts';
import { newId } from '../../src/new-id.ts';
import { type Bench, say } from '../bench.ts';
import type { Findings, Row } from '../report.ts';
import { seedInto } from '../seed.ts';
import { median, medianRatio } from '../statistics.ts';

/** Events behind the snapshot: with one in a hundred events there are 0 to 99, so this is the middle, and the most. */
const TAIL_MIDDLE = 49;
const TAIL_MOST = 99;
const WARM_UPS = 20;
const LOADS_PER_ROUND = 40;
/** Loads of many events are measured in one of so many turns: each takes as long as a hundred others. */
const LONG_EVERY = 10;
/** What the system's description promises for 1,000 events: 95 ms with a snapshot, 850 ms without. */
const PROMISED_MS = 95;
const RATIO_MAX = 1.2;

const codec = createBankCodec('USD') as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;

interface Contender {
  readonly name: string;
  readonly id: string;
  readonly events: number;
  /** Events behind the snapshot; missing when there is none. */
  readonly tail?: number | undefined;
}

/** What is compared: events, and those behind the snapshot. */
const CASES = [
  [100, undefined],
  [1_000, undefined],
  [1_000, TAIL_MIDDLE],
  [10_000, undefined],
  [10_000, TAIL_MIDDLE],
  [10_000, TAIL_MOST],
] as const;

function nameOf(events: number, tail?: number): string {
  return tail === undefined ? `${events}` : `${events}, ${tail} behind a snapshot`;
}

export async function measureSnapshots({ dir, options }: Bench): Promise<Findings> {
  const store = openSqliteEventStore({ kind: 'file', path: join(dir, 'snapshots.db') });
  try {
    const contenders = await prepare(store);
    const raw: Record<string, number[]> = {};
    for (let load = -WARM_UPS; load < options.rounds * LOADS_PER_ROUND; load += 1) {
      // In turn, so that a slow moment of the machine slows all of them.
      for (const contender of contenders) {
        if (isLong(contender) && load % LONG_EVERY !== 0) continue;
        const ms = await coldLoad(store, contender);
        if (load < 0) continue;
        raw[contender.name] ??= [];
        raw[contender.name]?.push(ms);
      }
      if (load % LOADS_PER_ROUND === 0) say(`snapshots: load ${load}`);
    }
    return { rows: rowsOf(raw), raw };
  } finally {
    await store.close();
  }
}

function isLong({ events, tail }: Contender): boolean {
  return events > 100 && tail === undefined;
}

/** Accounts of each length; one with a snapshot has it as far behind as it may be. */
async function prepare(store: EventStore): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const [events, tail] of CASES) {
    const name = nameOf(events, tail);
    say(`snapshots: ${name}`);
    const [id = ''] = await seedInto(store, 1, events - 1 - (tail ?? 0), { depositsPerAppend: 100 });
    if (tail !== undefined) {
      const accounts = repository(store);
      await accounts.takeSnapshot(id);
      for (let more = 0; more < tail; more += 1) await depositInto(accounts, id);
    }
    contenders.push({ name, id, events, tail });
  }
  return contenders;
}

async function depositInto(accounts: ReturnType<typeof repository>, account_id: string): Promise<void> {
  const posting = { account_id, transaction_id: newId(), amount: '12.50', description: 'Salary' };
  const context = { correlation_id: newId(), causation_id: newId() };
  const outcome = await accounts.execute(
    account_id,
    (state) => deposit(state as BankAccount, posting),
    context,
  );
  if (!outcome.ok) throw new Error('a deposit was refused');
}

function repository(store: EventStore, withSnapshots = true) {
  const now = () => new Date();
  const snapshots = new SnapshotKeeper<BankAccount>({
    store,
    aggregate: bankAccountType,
    fold: (state, event) => bankAccountType.evolve(state, codec.decode(event), event.metadata.timestamp),
    policy: {},
    retention: { newest: 10 },
    newId,
    now,
  });
  const options = { store, newId, now, snapshots: withSnapshots ? snapshots : undefined };
  return new Repository<BankAccount, BankAccountEvent, Rejection>(bankAccountType, codec, options);
}

async function coldLoad(store: EventStore, { id, events, tail }: Contender): Promise<number> {
  const accounts = repository(store, tail !== undefined);
  const startedAt = performance.now();
  const loaded = await accounts.load(id);
  const ms = performance.now() - startedAt;
  if (loaded?.revision !== events - 1) throw new Error(`the account is at revision ${loaded?.revision}`);
  return ms;
}

function rowsOf(raw: Readonly<Record<string, readonly number[]>>): Row[] {
  const times = (events: number, tail?: number) => raw[nameOf(events, tail)] ?? [];
  const row = (name: string, events: number, tail?: number): Row => ({
    name,
    value: median(times(events, tail)),
    unit: 'ms',
  });
  const compared = (name: string, tail: number): Row => ({
    ...row(name, 10_000, tail),
    reference: median(times(100)),
    ratio: medianRatio(times(10_000, tail), times(100)),
  });
  return [
    row('Cold load of 100 events', 100),
    row('Cold load of 1,000 events', 1_000),
    {
      ...row('Cold load of 1,000 events, snapshot', 1_000, TAIL_MIDDLE),
      target: { bound: 'at most', of: 'value', limit: PROMISED_MS },
    },
    row('Cold load of 10,000 events', 10_000),
    {
      ...compared('Cold load of 10,000 events, snapshot, to one of 100', TAIL_MIDDLE),
      target: { bound: 'at most', of: 'ratio', limit: RATIO_MAX },
    },
    compared('The same just before the next snapshot', TAIL_MOST),
  ];
}
