/** The runner of a consumer group: every event is done, tried again or parked, and nothing stops it but its signal. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore, type SqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import {
  type ConsumerGroupProblem,
  type ConsumerGroupRunnerOptions,
  type RunningConsumerGroup,
  runConsumerGroup,
} from '../../src/event-sourcing/consumer-group-runner.ts';
import type {
  ConsumeOptions,
  ConsumerGroupSettings,
  ConsumerGroups,
  Delivery,
} from '../../src/event-sourcing/consumer-groups.ts';
import {
  type NewEvent,
  type RecordedEvent,
  UNREADABLE_EVENT_TYPE,
} from '../../src/event-sourcing/event-store.ts';
import { TemporaryError } from '../../src/event-sourcing/projection.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { idsOf, mustAppend, newEvents } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';

const SETTINGS: ConsumerGroupSettings = {
  name: 'transfer-driver',
  streamPrefixes: ['transfer-'],
  startFrom: 'first_event',
  maxRetries: 2,
};

let store: SqliteEventStore;
let abort: AbortController;
let problems: ConsumerGroupProblem[];
let handled: RecordedEvent[];
let running: RunningConsumerGroup[];
beforeEach(() => {
  store = openSqliteEventStore({ kind: 'memory' });
  abort = new AbortController();
  problems = [];
  handled = [];
  running = [];
});
afterEach(async () => {
  abort.abort();
  await Promise.all(running.map((one) => one.ended));
  await store.close();
});

/** Starts a runner whose handler notes each event and then does what the test says. */
function start(
  handle: ConsumerGroupRunnerOptions['handle'] = async () => {},
  overrides: Partial<ConsumerGroupRunnerOptions> = {},
): RunningConsumerGroup {
  const started = runConsumerGroup({
    groups: store.consumerGroups(),
    settings: SETTINGS,
    handle: async (event, signal) => {
      handled.push(event);
      await handle(event, signal);
    },
    signal: abort.signal,
    onProblem: (problem) => problems.push(problem),
    retryDelayMs: 1,
    ...overrides,
  });
  running.push(started);
  return started;
}

async function append(count: number, overrides: Partial<NewEvent> = {}): Promise<NewEvent[]> {
  const events = newEvents(count, overrides);
  await mustAppend(store, `transfer-${randomUUID()}`, events, 'no_stream');
  return events;
}

const kinds = () => problems.map((problem) => problem.kind);
const done = (group: RunningConsumerGroup, count: number) =>
  eventually(`${count} events done`, () => group.counts.done === count);

describe('work that succeeds', () => {
  it('is done once for each event, older and newer than the run', async () => {
    const older = await append(5);
    const group = start();
    await done(group, 5);
    const newer = await append(3);
    await mustAppend(store, 'other-1', newEvents(1), 'no_stream');
    await done(group, 8);
    expect(idsOf(handled)).toEqual(idsOf([...older, ...newer]));
    expect(group.state).toBe('running');
    expect(group.counts).toEqual({ done: 8, retried: 0, parked: 0 });
    expect(problems).toEqual([]);
  });

  it('goes on at so many events at once, and no more', async () => {
    let atOnce = 0;
    let most = 0;
    await append(30);
    const group = start(
      async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(2);
        atOnce -= 1;
      },
      { concurrency: 4 },
    );
    await done(group, 30);
    expect(most).toBe(4);
  });

  it('keeps to that number also when messages time out while their handlers hang', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await append(3);
    const group = start(() => released, {
      concurrency: 2,
      settings: { ...SETTINGS, messageTimeoutMs: 20 },
    });
    await eventually('two hanging handlers', () => handled.length === 2);
    await sleep(100);
    expect(handled).toHaveLength(2);
    release();
    const parked = () => store.consumerGroups().countParked(SETTINGS.name);
    await eventually('the third', async () => group.counts.done + (await parked()) >= 3);
  });

  it('is not done again by the next run', async () => {
    await append(4);
    await done(start(), 4);
    abort.abort();
    await running[0]?.ended;
    abort = new AbortController();
    const [next] = await append(1);
    await done(start(), 1);
    expect(handled.at(-1)?.id).toBe(next?.id);
    expect(handled).toHaveLength(5);
  });
});

describe('work that fails', () => {
  it.each([
    ['a TemporaryError', new TemporaryError('not yet')],
    ['a store that is not there', new StoreError('unavailable', 'gone for now')],
    ['a store that another one leads', new StoreError('fenced', 'not the leader')],
  ])('for now, with %s, is tried again and reported', async (_, error) => {
    const [bad] = await append(2);
    let tries = 0;
    const group = start(async (event) => {
      if (event.id !== bad?.id) return;
      tries += 1;
      if (tries < 3) throw error;
    });
    await done(group, 2);
    expect(tries).toBe(3);
    expect(group.counts).toEqual({ done: 2, retried: 2, parked: 0 });
    expect(problems).toMatchObject([
      { kind: 'message_retried', group: SETTINGS.name, revision: 0, error, attempts: 1 },
      { kind: 'message_retried', group: SETTINGS.name, revision: 0, error, attempts: 2 },
    ]);
  });

  it.each([
    ['an Error', new Error('no such account'), 'Error: no such account'],
    ['what is corrupt', new StoreError('corrupt', 'damaged'), 'StoreError: damaged'],
    ['what can never work', new StoreError('invalid_request', 'nonsense'), 'StoreError: nonsense'],
    ['something that is no error', 'just text', 'just text'],
  ])('for good, with %s, parks the event with the reason, and the rest goes on', async (_, error, reason) => {
    const [bad] = await append(3);
    const group = start(async (event) => {
      if (event.id === bad?.id) throw error;
    });
    await done(group, 2);
    await eventually('one parked', () => group.counts.parked === 1);
    const [parked] = await store.consumerGroups().listParked(SETTINGS.name, { limit: 10 });
    expect(parked?.event.id).toBe(bad?.id);
    expect(parked?.reason).toBe(reason);
    expect(problems).toMatchObject([
      { kind: 'message_parked', revision: 0, eventType: bad?.type, error, attempts: 1 },
    ]);
  });

  it('for now too often parks the event with the newest reason', async () => {
    await append(1);
    let tries = 0;
    const group = start(async () => {
      tries += 1;
      throw new TemporaryError(`try ${tries}`);
    });
    await eventually('one parked', () => group.counts.parked === 1);
    expect(tries).toBe(3);
    expect(kinds()).toEqual(['message_retried', 'message_retried', 'message_parked']);
    const [parked] = await store.consumerGroups().listParked(SETTINGS.name, { limit: 10 });
    expect(parked?.reason).toBe('TemporaryError: try 3');
  });

  it('waits longer after each failure, but answers before the message times out', async () => {
    await append(1);
    const group = start(
      async () => {
        throw new TemporaryError('not yet');
      },
      { retryDelayMs: 60_000, settings: { ...SETTINGS, messageTimeoutMs: 200, maxRetries: 1 } },
    );
    await eventually('one parked', () => group.counts.parked === 1);
    expect(group.counts).toEqual({ done: 0, retried: 1, parked: 1 });
    expect(handled).toHaveLength(2);
  });

  it('because nobody can read the event parks it without asking the handler', async () => {
    const [damaged] = await append(2);
    const db = (store as unknown as { db: import('node:sqlite').DatabaseSync }).db;
    db.prepare('UPDATE events SET data = ? WHERE id = ?').run('{"cut', damaged?.id ?? '');
    const group = start();
    await done(group, 1);
    await eventually('one parked', () => group.counts.parked === 1);
    expect(handled).toHaveLength(1);
    expect(problems).toMatchObject([{ kind: 'message_parked', eventType: UNREADABLE_EVENT_TYPE }]);
  });
});

describe('a store that fails', () => {
  it('to give the group, or to deliver, is asked again after a while and reported', async () => {
    await append(2);
    const groups = new FailingGroups(store.consumerGroups());
    groups.failures.push('ensureGroup', 'consume', 'end', 'end');
    const group = start(undefined, { groups });
    await done(group, 2);
    expect(kinds()).toEqual(['retrying', 'retrying', 'retrying', 'retrying']);
    expect(problems.map((problem) => 'failures' in problem && problem.failures)).toEqual([1, 2, 3, 4]);
    expect(group.state).toBe('running');
  });

  it('is not asked again without a pause', async () => {
    const groups = new FailingGroups(store.consumerGroups());
    groups.failures.push('ensureGroup');
    const group = start(undefined, { groups, retryDelayMs: 60_000 });
    await eventually('the report', () => problems.length === 1);
    expect(group.state).toBe('retrying');
    await sleep(20);
    expect(problems).toHaveLength(1);
    abort.abort();
    await group.ended;
    expect(group.state).toBe('stopped');
  });

  it('to take an answer gives the event again, and says so', async () => {
    await append(1);
    const groups = new FailingGroups(store.consumerGroups());
    groups.failures.push('ack');
    const group = start(undefined, { groups, settings: { ...SETTINGS, messageTimeoutMs: 50 } });
    await done(group, 1);
    expect(kinds()).toEqual(['answer_lost']);
    expect(handled).toHaveLength(2);
  });
});

describe('the end', () => {
  it('lets the work under way finish, acknowledged, and begins nothing new', async () => {
    await append(3);
    const group = start(
      async (_, signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await sleep(10);
      },
      { concurrency: 2 },
    );
    await eventually('two under way', () => handled.length === 2);
    abort.abort();
    await group.ended;
    expect(group.counts).toEqual({ done: 2, retried: 0, parked: 0 });
    expect(handled).toHaveLength(2);
    abort = new AbortController();
    await done(start(), 1);
    expect(new Set(idsOf(handled)).size).toBe(3);
    expect(problems).toEqual([]);
  });

  it('comes at once when it came before the beginning, and while the group waits for events', async () => {
    const waiting = start();
    await eventually('running', () => waiting.state === 'running');
    abort.abort();
    await waiting.ended;
    await start().ended;
    expect(problems).toEqual([]);
  });
});

type Failure = 'ensureGroup' | 'consume' | 'end' | 'ack';

/** Groups that fail in the given ways, one after another, before they work. */
class FailingGroups implements ConsumerGroups {
  readonly failures: Failure[] = [];
  readonly #inner: ConsumerGroups;

  constructor(inner: ConsumerGroups) {
    this.#inner = inner;
  }

  async ensureGroup(settings: ConsumerGroupSettings): Promise<void> {
    this.#failIfNext('ensureGroup');
    await this.#inner.ensureGroup(settings);
  }

  async *consume(group: string, options: ConsumeOptions): AsyncGenerator<Delivery> {
    this.#failIfNext('consume');
    if (this.#isNext('end')) return;
    for await (const delivery of this.#inner.consume(group, options)) {
      const ack = async () => {
        this.#failIfNext('ack');
        await delivery.ack();
      };
      yield { ...delivery, ack };
    }
  }

  countParked(group: string) {
    return this.#inner.countParked(group);
  }

  listParked(group: string, options: { limit: number }) {
    return this.#inner.listParked(group, options);
  }

  replayParked(group: string, options: { limit: number }) {
    return this.#inner.replayParked(group, options);
  }

  discardParked(group: string, options: { limit: number }) {
    return this.#inner.discardParked(group, options);
  }

  deleteGroup(group: string) {
    return this.#inner.deleteGroup(group);
  }

  #isNext(failure: Failure): boolean {
    if (this.failures[0] !== failure) return false;
    this.failures.shift();
    return true;
  }

  #failIfNext(failure: Failure): void {
    if (this.#isNext(failure)) throw new StoreError('unavailable', `It fails at ${failure}.`);
  }
}
