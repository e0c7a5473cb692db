/** Builds of embedded read models that are filled on two threads: the same documents, and no harm when one dies. */
import type { Worker as Thread } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import {
  composeWorker,
  prepareReadModels,
  type WorkerProblem,
} from '../../src/composition/compose-worker.ts';
import { projectionGroups } from '../../src/projections/index.ts';
import { transactions } from '../../src/projections/transactions.ts';
import { ALICE, created, posted, usd } from '../support/bank-events.ts';
import { mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const POSTINGS = 30;

/** A later program: in every group the projection that no other looks up has a new version. */
const LATER = projectionGroups.map((group) => ({
  ...group,
  projections: group.projections.map((one, index) =>
    index === group.projections.length - 1 ? { ...one, version: one.version + 1 } : one,
  ),
}));

class Bench {
  readonly #directory = temporaryDirectory();
  readonly #paths = {
    events: this.#directory.file('events.db'),
    readModels: this.#directory.file('read.db'),
  };
  readonly events = openSqliteEventStore({ kind: 'file', path: this.#paths.events });
  readonly readModels = openSqliteReadModelStore({ kind: 'file', path: this.#paths.readModels });
  readonly problems: WorkerProblem[] = [];
  /** Threads of this process since then. */
  readonly threads: Thread[] = [];

  static async open(): Promise<Bench> {
    const bench = new Bench();
    const note = (thread: Thread) => void bench.threads.push(thread);
    process.on('worker', note);
    onTestFinished(async () => {
      process.off('worker', note);
      await bench.readModels.close();
      await bench.events.close();
      bench.#directory.remove();
    });
    await bench.#append('person-p', 'Person', 'p', [{ type: 'PersonRegisteredDomainEventV1', data: ALICE }]);
    const postings = Array.from({ length: POSTINGS }, (_, index) =>
      posted(`t-${index}`, usd('CREDIT', '1.00', `${index + 1}.00`)),
    );
    await bench.#append('bank-account-a', 'BankAccount', 'a', [created('p'), ...postings]);
    await prepareReadModels(bench.readModels, bench.events);
    return bench;
  }

  /** Works until all of these versions are served, while nothing of the log is missing in them. */
  async project(groups: typeof projectionGroups): Promise<void> {
    const stopping = new AbortController();
    const worker = composeWorker({
      reader: this.events,
      readModels: this.readModels,
      groups,
      config: {
        eventStore: { kind: 'file', path: this.#paths.events },
        readModels: { kind: 'file', path: this.#paths.readModels },
        defaultCurrency: 'USD',
      },
      onProjected() {},
      onProblem: (problem) => this.problems.push(problem),
    });
    const running = worker.run(stopping.signal);
    const head = (await this.events.headPosition()) ?? 0n;
    await eventually('every version at the end of the log', async () => {
      const reached = await this.readModels.checkpoints();
      return groups
        .flatMap(({ projections }) => projections)
        .every(({ name, version }) =>
          reached.some((one) => one.projection === name && one.version === version && one.position >= head),
        );
    });
    stopping.abort();
    await running;
  }

  async documents() {
    const find = (name: string, where: Record<string, string>) => {
      const projection = projectionGroups
        .flatMap((group) => group.projections)
        .find((one) => one.name === name);
      if (!projection) throw new Error(`there is no ${name}`);
      return this.readModels.find(projection, { where, order: 'oldest_first', limit: 100 });
    };
    return [await find('bank_accounts', {}), await find(transactions.name, { account_id: 'a' })];
  }

  async #append(
    stream: string,
    aggregate_type: string,
    aggregate_id: string,
    events: readonly { readonly type: string; readonly data: object }[],
  ): Promise<void> {
    const metadata = newMetadata({ aggregate_type, aggregate_id });
    await mustAppend(
      this.events,
      stream,
      events.map((event) => newEvent({ ...event, metadata })),
      'no_stream',
    );
  }
}

it('fills what is rebuilt together on a second thread too, and both are served in the end', async () => {
  const bench = await Bench.open();
  await bench.project(projectionGroups);
  expect(bench.threads).toHaveLength(0);
  const before = await bench.documents();
  await bench.project(LATER);
  expect(bench.threads).toHaveLength(1);
  expect(before.map((documents) => documents.length)).toEqual([1, POSTINGS]);
  expect(await bench.documents()).toStrictEqual(before);
  expect(bench.problems.filter(({ kind }) => kind !== 'rebuilding')).toEqual([]);
});

it('begins another thread when the first one dies', async () => {
  const bench = await Bench.open();
  await bench.project(projectionGroups);
  process.once('worker', (thread: Thread) => void thread.terminate());
  await bench.project(LATER);
  expect(bench.threads).toHaveLength(2);
  expect(bench.problems.filter(({ kind }) => kind === 'retrying')).toHaveLength(1);
  expect((await bench.documents())[1]).toHaveLength(POSTINGS);
});
