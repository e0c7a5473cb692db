/**
 * Random commands on a few aggregates, with other writers, lost answers and failures in between: whatever the
 * interleaving, the answers and the streams are those of one command after the other.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { AppendResult } from '../../src/event-sourcing/event-store.ts';
import {
  type Committed,
  type Outcome,
  type Refusal,
  Repository,
} from '../../src/event-sourcing/repository.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { settings } from '../domain/property-settings.ts';
import { collect } from '../support/event-builders.ts';
import {
  fill,
  filled,
  open,
  opened,
  someone,
  spend,
  type Wallet,
  type WalletDecision,
  type WalletEvent,
  type WalletRefusal,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';

const WALLETS = ['a', 'b', 'c'] as const;

/** What happens to an append: nothing, another writer is faster, it fails, or it works and its answer gets lost. */
type Fate = 'fine' | 'overtaken' | 'fails' | 'answer_lost';

type Step =
  | {
      readonly does: 'command';
      readonly id: string;
      readonly decide: WalletDecision;
      readonly expected?: number;
    }
  | { readonly does: 'other_writer'; readonly id: string }
  | { readonly does: 'turn' };

type Answer = Outcome<Committed<Wallet, WalletEvent>, Refusal<WalletRefusal>>;

/** A command and what came of it; no answer when the store failed. */
interface Asked {
  readonly id: string;
  readonly decide: WalletDecision;
  readonly expected: number | undefined;
  answer: Answer | undefined;
}

const amount = fc.integer({ min: 1, max: 9 });
const decisions = fc.oneof(
  { weight: 2, arbitrary: fc.constant(open()) },
  { weight: 4, arbitrary: amount.map((one) => fill(one)) },
  { weight: 1, arbitrary: fc.tuple(amount, amount).map((amounts) => fill(...amounts)) },
  { weight: 1, arbitrary: fc.constant(fill()) },
  { weight: 6, arbitrary: amount.map((one) => spend(one)) },
);
const commands: fc.Arbitrary<Step> = fc
  .record({
    id: fc.constantFrom(...WALLETS),
    decide: decisions,
    expected: fc.option(fc.nat(6), { freq: 6, nil: undefined }),
  })
  .map(({ id, decide, expected }) => ({
    does: 'command',
    id,
    decide,
    ...(expected === undefined ? {} : { expected }),
  }));
const steps = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: commands },
    { weight: 2, arbitrary: fc.constantFrom(...WALLETS).map((id): Step => ({ does: 'other_writer', id })) },
    { weight: 3, arbitrary: fc.constant<Step>({ does: 'turn' }) },
  ),
  { minLength: 1, maxLength: 40, size: 'max' },
);
const fates = fc.infiniteStream(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fate>('fine') },
    { weight: 4, arbitrary: fc.constant<Fate>('overtaken') },
    { weight: 1, arbitrary: fc.constant<Fate>('fails') },
    { weight: 1, arbitrary: fc.constant<Fate>('answer_lost') },
  ),
);

/** The store as one run of the property sees it; counts the events that are not a command's. */
class TroubledStore extends WatchedEventStore {
  readonly #fates: Iterator<Fate>;
  readonly unclaimed = new Map<string, number>();

  constructor(fates: Iterator<Fate>) {
    super(openSqliteEventStore({ kind: 'memory' }));
    this.#fates = fates;
    this.onAppend = (proceed, { stream, events }) => this.#suffer(proceed, stream, events.length);
  }

  /** Creates the wallet, or puts one into it. */
  async write(stream: string): Promise<void> {
    const [newest] = await collect(this.inner.readStream(stream, { direction: 'backwards', limit: 1 }));
    const event = newest ? filled(1) : opened('other');
    const result = await this.inner.append(
      stream,
      walletEvents('other', event),
      newest?.revision ?? 'no_stream',
    );
    if (result.ok) this.#note(stream, 1);
  }

  async #suffer(proceed: () => Promise<AppendResult>, stream: string, events: number): Promise<AppendResult> {
    const fate = this.#fates.next().value as Fate;
    if (fate === 'fails') throw new StoreError('unavailable', 'It does not answer.');
    if (fate === 'overtaken') await this.write(stream);
    const result = await proceed();
    if (fate !== 'answer_lost') return result;
    if (result.ok) this.#note(stream, events);
    throw new StoreError('unavailable', 'The answer got lost.');
  }

  #note(stream: string, events: number): void {
    this.unclaimed.set(stream, (this.unclaimed.get(stream) ?? 0) + events);
  }
}

async function perform(
  store: TroubledStore,
  plan: readonly Step[],
  cachedAggregatesMax: number,
): Promise<Asked[]> {
  const wallets = new Repository<Wallet, WalletEvent, WalletRefusal>(walletType, walletCodec, {
    store,
    newId: () => crypto.randomUUID(),
    now: () => new Date(),
    cachedAggregatesMax,
  });
  const asked: Asked[] = [];
  const answers: Promise<void>[] = [];
  for (const step of plan) {
    if (step.does === 'turn') await nextTurn();
    else if (step.does === 'other_writer') await store.write(walletType.stream(step.id));
    else {
      const { id, decide, expected } = step;
      const one: Asked = { id, decide, expected, answer: undefined };
      asked.push(one);
      const note = (answer: Answer) => {
        one.answer = answer;
      };
      answers.push(wallets.execute(id, decide, someone, expected).then(note, expectStoreError));
    }
  }
  await Promise.all(answers);
  return asked;
}

function expectStoreError(error: unknown): void {
  expect(error).toBeInstanceOf(StoreError);
}

/** The wallet after each number of events: the first entry is the one before any event. */
function statesOf(events: readonly WalletEvent[]): (Wallet | undefined)[] {
  const states: (Wallet | undefined)[] = [undefined];
  for (const event of events) states.push(walletType.evolve(states.at(-1), event));
  return states;
}

/** Checks the answers of one wallet, in the order of asking, against its stream. */
function expectSequential(events: readonly WalletEvent[], asked: readonly Asked[], unclaimed: number): void {
  const states = statesOf(events);
  for (const state of states) expect(state?.balance ?? 0).toBeGreaterThanOrEqual(0);
  let claimed = 0;
  let seen = 0;
  for (const { decide, expected, answer } of asked) {
    if (answer?.ok) {
      const { value } = answer;
      const before = value.revision + 1 - value.events.length;
      expect(before).toBeGreaterThanOrEqual(seen);
      expect(events.slice(before, value.revision + 1)).toEqual(value.events);
      expect(decide(states[before])).toEqual({ ok: true, value: value.events });
      expect(states[value.revision + 1]).toEqual(value.state);
      if (expected !== undefined && states[before]) expect(before - 1).toBe(expected);
      expect(value.position === undefined).toBe(value.events.length === 0);
      claimed += value.events.length;
      seen = value.revision + 1;
    } else if (answer) {
      const found = states.findIndex((state, index) => index >= seen && refuses(state, index));
      expect(found).toBeGreaterThanOrEqual(0);
      seen = found;
    }

    function refuses(state: Wallet | undefined, count: number): boolean {
      if (!answer || answer.ok) return false;
      if (answer.rejection.code === 'revision_mismatch') {
        return count - 1 === answer.rejection.actual && expected !== count - 1;
      }
      const decision = decide(state);
      return !decision.ok && JSON.stringify(decision.rejection) === JSON.stringify(answer.rejection);
    }
  }
  expect(claimed + unclaimed).toBe(events.length);
}

it('commands in any interleaving come to what they come to one after the other', async () => {
  const property = fc.asyncProperty(
    steps,
    fates,
    fc.integer({ min: 1, max: 3 }),
    async (plan, luck, cached) => {
      const store = new TroubledStore(luck);
      try {
        const asked = await perform(store, plan, cached);
        for (const id of WALLETS) {
          const stream = walletType.stream(id);
          const recorded = await collect(store.inner.readStream(stream));
          const events = recorded.map(({ type, data }) => ({ type, data }) as WalletEvent);
          const ofThis = asked.filter((one) => one.id === id);
          expectSequential(events, ofThis, store.unclaimed.get(stream) ?? 0);
        }
      } finally {
        await store.close();
      }
    },
  );
  await fc.assert(property, settings(25, 600));
});
