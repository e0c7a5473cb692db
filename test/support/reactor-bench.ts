/** Stores in memory, both watched, a sink, and reactors over them: what the reactor's tests start from. */
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import type { NewEvent } from '../../src/event-sourcing/event-store.ts';
import { type DeadLettersRequest, OperatorRequests } from '../../src/event-sourcing/operator-requests.ts';
import { Reactor, type ReactorOptions, type ReactorProblem } from '../../src/event-sourcing/reactor.ts';
import { reactorCollection } from '../../src/event-sourcing/reactor-journal.ts';
import { newId } from '../../src/new-id.ts';
import { mustAppend, newEvents } from './event-builders.ts';
import { eventually } from './eventually.ts';
import { FakeSink } from './fake-sink.ts';
import { someone } from './wallet.ts';
import { WatchedEventStore } from './watched-event-store.ts';
import { WatchedReadModels } from './watched-read-models.ts';

export const REACTOR = 'publisher';
export const PREFIX = 'thing-';

export class RunningReactor {
  readonly reactor: Reactor;
  readonly problems: ReactorProblem[] = [];
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(options: ReactorOptions) {
    this.reactor = new Reactor({ ...options, onProblem: (problem) => this.problems.push(problem) });
    this.#running = this.reactor.run(this.#stopping.signal).catch((error: unknown) => error);
  }

  count(kind: ReactorProblem['kind']): number {
    return this.problems.filter((problem) => problem.kind === kind).length;
  }

  /** Waits for a reactor that ends by itself. @returns why it did */
  ended(): Promise<unknown> {
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}

export class ReactorBench {
  readonly events = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  readonly store = new WatchedReadModels(openSqliteReadModelStore({ kind: 'memory' }));
  readonly sink = new FakeSink();
  readonly requests = new OperatorRequests({ store: this.events, newId, now: () => new Date() });
  readonly #running: RunningReactor[] = [];

  /** Starts a reactor; a second one stands for the worker after a restart. */
  async start(settings: Partial<ReactorOptions> = {}): Promise<RunningReactor> {
    await this.store.prepare([reactorCollection(REACTOR)], this.events.storeId);
    const running = new RunningReactor({
      name: REACTOR,
      reader: this.events,
      store: this.store,
      streamPrefixes: [PREFIX],
      deliver: this.sink.deliver,
      retryDelayMs: 1,
      commitIntervalMs: 1,
      ...settings,
    });
    this.#running.push(running);
    return running;
  }

  /** Appends events to a stream, wherever it stands. */
  async record(stream: string, count = 1): Promise<NewEvent[]> {
    const events = newEvents(count);
    await mustAppend(this.events, stream, events, 'any');
    return events;
  }

  request(type: DeadLettersRequest['type'], selection: { document_key?: string; position?: string } = {}) {
    const data = { consumer: REACTOR, ...selection };
    return this.requests.record(
      type === 'DeadLettersRetryRequestedV1' ? { type, data } : { type, data: { ...data, reason: 'test' } },
      someone,
    );
  }

  async checkpoint(): Promise<bigint> {
    return (await this.store.checkpoints()).find(({ projection }) => projection === REACTOR)?.position ?? 0n;
  }

  /** Waits until all that is in the log was delivered or parked, and that is on record. */
  async caughtUp(): Promise<void> {
    await eventually('the reactor at the end of the log', async () => {
      return (await this.checkpoint()) === ((await this.events.headPosition()) ?? 0n);
    });
  }

  /** Dead letters in short. */
  async letters() {
    const found = await this.store.listDeadLetters({ projection: REACTOR, limit: 1_000 });
    return found.map(({ documentKey, revision, cause, attempts }) => [
      documentKey,
      revision,
      cause,
      attempts,
    ]);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop()));
    await this.store.close();
    await this.events.close();
  }
}
