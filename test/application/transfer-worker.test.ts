/** The worker of transfers: it drives what it is told of, and its sweep finds what nobody told it. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import {
  openSqliteReadModelStore,
  type SqliteReadModelStore,
} from '../../src/adapters/sqlite/read-model-store.ts';
import type { TransferFailpoint } from '../../src/application/transfer-process.ts';
import {
  runTransferWorker,
  TRANSFER_GROUP,
  type TransferWorkerProblem,
} from '../../src/application/transfer-worker.ts';
import type { ConsumerGroupSettings, ConsumerGroups } from '../../src/event-sourcing/consumer-groups.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { transferDocument, transfers } from '../../src/projections/transfers.ts';
import { eventually } from '../support/eventually.ts';
import { acknowledge, GroupConsumer } from '../support/group-consumer.ts';
import { newDocument, write } from '../support/read-model-builders.ts';
import { TransferBench } from '../support/transfer-bench.ts';

const GROUP: ConsumerGroupSettings = {
  name: TRANSFER_GROUP,
  eventTypes: ['TransferRequestedDomainEventV1'],
  startFrom: 'first_event',
};

let bench: TransferBench;
let groups: ConsumerGroups;
let readModels: SqliteReadModelStore;
let problems: TransferWorkerProblem[];
let stop: () => Promise<void>;
beforeEach(async () => {
  const store = openSqliteEventStore({ kind: 'memory' });
  groups = store.consumerGroups();
  bench = new TransferBench(store);
  await bench.open('100.00');
  readModels = openSqliteReadModelStore({ kind: 'memory' });
  await readModels.prepare([transfers], 'a-store');
  problems = [];
  stop = async () => {};
});
afterEach(async () => {
  await stop();
  await readModels.close();
  await bench.store.inner.close();
});

function startWorker(failpoint?: TransferFailpoint): void {
  const stopping = new AbortController();
  const running = runTransferWorker({
    process: bench.driver(failpoint),
    groups,
    readModels,
    newId: randomUUID,
    onProblem: (problem) => problems.push(problem),
    signal: stopping.signal,
    headStartMs: 0,
    sweepEveryMs: 20,
  });
  stop = () => {
    stopping.abort();
    return running;
  };
}

/** Puts a request on record whose message another consumer has taken and lost, as a server may that restarts. */
async function requestThatIsLost(): Promise<string> {
  await groups.ensureGroup(GROUP);
  const loser = new GroupConsumer(groups, TRANSFER_GROUP, { answer: acknowledge });
  const id = await bench.request('30.00');
  await loser.untilDelivered(1);
  await loser.stop();
  return id;
}

/** Brings the read model to where the transfer is. */
async function project(id: string): Promise<void> {
  const transfer = await bench.transfer(id);
  const document = transferDocument(id, transfer, transfer.steps.length - 1);
  await write(readModels, transfers, [newDocument({ key: id, document })]);
}

const hasEnded = async (id: string) => (await bench.transfer(id)).status === 'COMPLETED';

it('a transfer that the group tells of is finished', async () => {
  const id = await bench.request('30.00');
  startWorker();
  await eventually('the end of the transfer', () => hasEnded(id));
  expect(await bench.balances()).toEqual({ from: 7_000n, to: 3_000n, suspense: 0n });
  expect(problems).toEqual([]);
});

it('a transfer whose message was lost is found by the sweep, and finished once', async () => {
  const id = await requestThatIsLost();
  startWorker();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await bench.transfer(id)).status).toBe('REQUESTED');
  await project(id);
  await eventually('the end of the transfer', () => hasEnded(id));
  // The read model still shows it open, so that the sweep comes by again.
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(await bench.balances()).toEqual({ from: 7_000n, to: 3_000n, suspense: 0n });
  expect(await bench.legs(id)).toHaveLength(2);
  expect(problems).toEqual([]);
});

it('a transfer that the sweep cannot finish is reported, and finished by a later one', async () => {
  const id = await requestThatIsLost();
  await project(id);
  let failing = true;
  startWorker((moment) => {
    if (failing && moment === 'debit_settled') throw new StoreError('unavailable', 'A test said so.');
  });
  await eventually('the report', () => problems.length > 0);
  expect(problems[0]).toMatchObject({ kind: 'transfer_unfinished', transferId: id });
  expect((await bench.transfer(id)).status).toBe('REQUESTED');
  failing = false;
  await eventually('the end of the transfer', () => hasEnded(id));
  expect(await bench.balances()).toEqual({ from: 7_000n, to: 3_000n, suspense: 0n });
});
