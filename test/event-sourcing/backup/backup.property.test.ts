/** Whatever is written before, between and during runs: a backup is the log up to a position, and a restore brings it back. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { settings } from '../../domain/property-settings.ts';
import { newEvents } from '../../support/event-builders.ts';
import { logOf, MemoryBackup, Stores } from './backups.ts';

const STREAMS = ['person-1', 'bank-account-1', 'bank-account-€𝄞', 'snapshot-bank-account-1'] as const;
const stream = fc.constantFrom(...STREAMS);
const append = fc.record({ kind: fc.constant('append'), stream, events: fc.integer({ min: 1, max: 4 }) });
const step = fc.oneof(
  { weight: 6, arbitrary: append },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut'), stream, before: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), stream }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('backup'),
      segmentEvents: fc.integer({ min: 1, max: 6 }),
      /** Written while it is under way. */
      meanwhile: fc.array(append, { maxLength: 4 }),
      /** The run is broken off with this segment. */
      breaksAt: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Append = typeof append extends fc.Arbitrary<infer A> ? A : never;

class Scene {
  readonly stores = new Stores();
  readonly store: SqliteEventStore = this.stores.open('bank.db');
  readonly directory = new MemoryBackup();
  readonly #under: Promise<unknown>[] = [];

  async take(one: Step): Promise<void> {
    if (one.kind === 'append') await this.append(one as Append);
    if (one.kind === 'cut' && 'before' in one) {
      await this.store.setStreamMetadata(one.stream, { truncateBefore: one.before });
    }
    if (one.kind === 'delete' && 'stream' in one) await this.store.deleteStream(one.stream);
    if ('meanwhile' in one) await this.backUp(one);
  }

  append({ stream: name, events }: Append): Promise<unknown> {
    return this.store.append(name, newEvents(events), 'any');
  }

  async backUp({ segmentEvents, meanwhile, breaksAt }: Extract<Step, { meanwhile: unknown }>): Promise<void> {
    const waiting = [...meanwhile];
    const before = await this.store.headPosition();
    this.directory.events.onWrite = (number, at) => {
      const next = waiting.shift();
      if (next) this.#under.push(this.append(next));
      if (number === breaksAt && at === 'whole') throw new StoreError('disk_full', 'No room.');
    };
    try {
      const { run } = await this.stores.backUp('bank.db', this.directory, segmentEvents);
      expect(run.head_position).toBeGreaterThanOrEqual(before ?? 0n);
      await Promise.all(this.#under);
      await this.check(run.head_position);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'disk_full') throw error;
    }
    await Promise.all(this.#under);
  }

  /** The restored store holds what the store holds, up to the position, and goes on where that went on. */
  async check(head: bigint): Promise<void> {
    const held = (await logOf(this.store)).filter(
      (event) => event.position <= head && !event.stream.startsWith('snapshot-'),
    );
    if (held.length === 0) return;
    const { store } = await this.stores.restore(this.directory);
    expect(await logOf(store)).toEqual(held);
    for (const name of STREAMS.slice(0, 3)) {
      expect(await store.getStreamMetadata(name)).toEqual(await this.store.getStreamMetadata(name));
    }
    const next = await store.append('person-1', newEvents(1), 'any');
    const last = held.findLast((event) => event.stream === 'person-1');
    if (next.ok && last) expect(next.revision).toBeGreaterThan(last.revision);
    expect(next.ok && next.position).toBe(head + 1n);
    expect(await store.countEvents()).toBe(held.length + 1);
  }
}

it('every run is a prefix of the log, however it was interrupted, and is restored as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
      const scene = new Scene();
      for (const one of steps) await scene.take(one);
    }),
    settings(5, 60),
  );
});
