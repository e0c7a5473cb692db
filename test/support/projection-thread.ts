/** A projection thread over files of its own, whose workers a test can see and kill. */
import type { Worker } from 'node:worker_threads';
import { openSqliteEventStore, type SqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelReader } from '../../src/adapters/sqlite/read-model-cache.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import { persons } from '../../src/projections/persons.ts';
import { type ReportProblem, runInWorkerThread, type WorkerRunner } from '../../src/threads/worker-runner.ts';
import { ALICE } from './bank-events.ts';
import { mustAppend, newEvent, newMetadata } from './event-builders.ts';
import { eventually } from './eventually.ts';
import { temporaryDirectory } from './temporary-directory.ts';

type Problem = Parameters<ReportProblem>[0];

export class ProjectionThreadFixture {
  readonly events: SqliteEventStore;
  readonly config: Config;
  readonly readModelsPath: string;
  readonly problems: Problem[] = [];
  /** All workers of this process since the fixture was made; Node.js tells of each one. */
  readonly workers: Worker[] = [];
  readonly #directory = temporaryDirectory();
  readonly #noteWorker = (worker: Worker) => void this.workers.push(worker);
  #runner: WorkerRunner | undefined;
  #persons = 0;

  constructor() {
    process.on('worker', this.#noteWorker);
    const path = this.#directory.file('events.db');
    this.events = openSqliteEventStore({ kind: 'file', path });
    this.readModelsPath = this.#directory.file('read-models.db');
    this.config = loadConfig({
      OPENBANK_EVENT_STORE: `sqlite:${path}`,
      OPENBANK_READ_MODELS: `sqlite:${this.readModelsPath}`,
    });
  }

  async start(): Promise<WorkerRunner> {
    const report: ReportProblem = (problem) => this.problems.push(problem);
    this.#runner = await runInWorkerThread(this.config, this.events.appended, report);
    return this.#runner;
  }

  /** Ends the newest worker from outside, as running out of memory does. */
  async kill(): Promise<void> {
    await this.workers.at(-1)?.terminate();
  }

  /** Appends the registration of one more person; answers how many there are. */
  async register(): Promise<number> {
    this.#persons += 1;
    const id = `p-${this.#persons}`;
    const metadata = newMetadata({ aggregate_type: 'Person', aggregate_id: id });
    const event = newEvent({ type: 'PersonRegisteredDomainEventV1', data: ALICE, metadata });
    await mustAppend(this.events, `person-${id}`, [event], 'no_stream');
    return this.#persons;
  }

  /** Waits until the read model shows so many persons; answers whether it never showed more. */
  async shows(count: number): Promise<boolean> {
    const { reader, close } = openSqliteReadModelReader(this.readModelsPath);
    try {
      let found = 0;
      await eventually(`${count} persons in the read model`, async () => {
        found = (await reader.find(persons, { order: 'oldest_first', limit: 1_000 })).length;
        return found >= count;
      });
      return found === count;
    } finally {
      close();
    }
  }

  async dispose(): Promise<void> {
    await this.#runner?.stop();
    process.off('worker', this.#noteWorker);
    await this.events.close();
    this.#directory.remove();
  }
}
