/** Random histories of a store that is written, cut and restarted, against a model of a few lines. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  AppendResult,
  ExpectedRevision,
  NewEvent,
  StreamMetadata,
} from '../../../src/event-sourcing/event-store.ts';
import { settings } from '../../domain/property-settings.ts';
import { collect, idsOf, newEvents } from '../../support/event-builders.ts';
import { StoreFile } from './store-file.ts';

const streamName = fc.constantFrom('a', 'b', 'c');

const append = fc.record({
  stream: streamName,
  count: fc.integer({ min: 1, max: 4 }),
  expected: fc.oneof(
    fc.constant('right' as const),
    fc.constantFrom<ExpectedRevision>('no_stream', 'stream_exists', 'any'),
    fc.integer({ min: 0, max: 10 }),
  ),
});

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      group: fc.array(append, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), stream: streamName }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('maxCount' as const),
      stream: streamName,
      keep: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('truncate' as const),
      stream: streamName,
      keep: fc.nat({ max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'restart' as const }) },
);

type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

interface ModelStream {
  kept: { id: string; revision: number }[];
  next: number;
  maxCount: number;
}

interface Sent {
  readonly stream: string;
  readonly events: NewEvent[];
  readonly expected: ExpectedRevision;
  readonly answer: AppendResult;
}

describe('random histories', () => {
  it('leave the store as the model says after every step', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 20 }), async (commands) => {
        const history = new History();
        try {
          for (const each of commands) {
            await history.perform(each);
            await history.verify();
          }
        } finally {
          await history.file.dispose();
        }
      }),
      settings(6, 150),
    );
  });
});

/** The store under test and its model, side by side. */
class History {
  readonly file = new StoreFile();
  readonly #model = new Map<string, ModelStream>(
    ['a', 'b', 'c'].map((name) => [name, { kept: [], next: 0, maxCount: Number.POSITIVE_INFINITY }]),
  );
  readonly #sent: Sent[] = [];
  #newestPosition = 0n;

  async perform(step: Command): Promise<void> {
    if (step.kind === 'append') return this.#append(step.group);
    if (step.kind === 'retry') return this.#retry(step.which);
    if (step.kind === 'restart') return void (await this.file.restart());
    const model = this.#stream(step.stream);
    if (step.kind === 'delete') {
      model.kept = [];
      return this.file.store.deleteStream(step.stream);
    }
    const metadata: StreamMetadata =
      step.kind === 'maxCount'
        ? { maxCount: step.keep }
        : { truncateBefore: Math.max(0, model.next - step.keep) };
    model.maxCount = metadata.maxCount ?? Number.POSITIVE_INFINITY;
    model.kept = model.kept.filter((event) => event.revision >= (metadata.truncateBefore ?? 0));
    this.#retain(model);
    await this.file.store.setStreamMetadata(step.stream, metadata);
  }

  async verify(): Promise<void> {
    const { store } = this.file;
    let events = 0;
    for (const [name, { kept }] of this.#model) {
      const read = await collect(store.readStream(name));
      expect(read.map(({ id, revision }) => ({ id, revision }))).toEqual(kept);
      events += kept.length;
    }
    const log = await collect(store.readAll());
    expect(log).toHaveLength(events);
    expect(await store.countEvents()).toBe(events);
    expect((await store.headPosition()) ?? 0n).toBe(this.#newestPosition);
  }

  /** All at once: they share a commit, in the order of the calls. */
  async #append(
    group: { stream: string; count: number; expected: ExpectedRevision | 'right' }[],
  ): Promise<void> {
    const sending = group.map(({ stream, count, expected: wish }) => {
      const model = this.#stream(stream);
      const events = newEvents(count);
      const newest = model.kept.length === 0 ? 'no_stream' : model.next - 1;
      const expected = wish === 'right' ? newest : wish;
      const outcome = accepts(expected, newest)
        ? this.#write(model, events)
        : { ok: false, conflict: { actual: newest } };
      return {
        stream,
        events,
        expected,
        outcome,
        answering: this.file.store.append(stream, events, expected),
      };
    });
    for (const { stream, events, expected, outcome, answering } of sending) {
      const answer = await answering;
      expect(answer).toMatchObject(outcome);
      if (!answer.ok) continue;
      expect(answer.position).toBeGreaterThan(this.#newestPosition);
      this.#newestPosition = answer.position;
      this.#sent.push({ stream, events, expected, answer });
    }
  }

  /** Sends an earlier append again, when the store can still know it: its events are all there, at their place. */
  async #retry(which: number): Promise<void> {
    const known = this.#sent.filter((sent) => this.#isRecognisable(sent));
    const sent = known[which % known.length];
    if (!sent) return;
    expect(await this.file.store.append(sent.stream, sent.events, sent.expected)).toEqual(sent.answer);
  }

  #isRecognisable({ stream, events, expected }: Sent): boolean {
    const { kept } = this.#stream(stream);
    const place = kept.findIndex((event) => event.id === events[0]?.id);
    return place >= 0 && (typeof expected === 'number' || (expected === 'no_stream' && place === 0));
  }

  #write(model: ModelStream, events: NewEvent[]) {
    for (const id of idsOf(events)) model.kept.push({ id, revision: model.next++ });
    this.#retain(model);
    return { ok: true, revision: model.next - 1 };
  }

  #retain(model: ModelStream): void {
    model.kept = model.kept.filter((event) => event.revision >= model.next - model.maxCount);
  }

  #stream(name: string): ModelStream {
    return this.#model.get(name) as ModelStream;
  }
}

function accepts(expected: ExpectedRevision, newest: number | 'no_stream'): boolean {
  if (expected === 'any') return true;
  if (expected === 'stream_exists') return newest !== 'no_stream';
  return expected === newest;
}
