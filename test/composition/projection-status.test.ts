/** How each projection is, as operators see it: a failure shows for the group that it concerns, and for no other. */
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { composeWorker, prepareReadModels } from '../../src/composition/compose-worker.ts';
import { projectionStatus } from '../../src/composition/projection-status.ts';
import { OperatorRequests } from '../../src/event-sourcing/operator-requests.ts';
import { Signal } from '../../src/event-sourcing/signal.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { newId } from '../../src/new-id.ts';
import { projectionGroups } from '../../src/projections/index.ts';
import { runInThisThread } from '../../src/threads/worker-runner.ts';
import { mustAppend, newEvent } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { WatchedReadModels } from '../support/watched-read-models.ts';

const registered = newEvent({
  type: 'PersonRegisteredDomainEventV1',
  data: {
    first_name: 'Alice',
    last_name: 'Smith',
    date_of_birth: '1990-05-15',
    nationality: 'US',
    gender: 'FEMALE',
  },
});

async function runningWorker() {
  const events = openSqliteEventStore({ kind: 'memory' });
  const readModels = new WatchedReadModels(openSqliteReadModelStore({ kind: 'memory' }));
  await prepareReadModels(readModels, events);
  const config = { readModels: { kind: 'memory' }, defaultCurrency: 'EUR' } as const;
  const worker = runInThisThread(
    (onProjected) =>
      composeWorker({ reader: events, readModels, config, onProjected, onProblem: () => undefined }),
    new Signal(),
  );
  onTestFinished(async () => {
    await worker.stop();
    await readModels.close();
    await events.close();
  });
  const sources = { events, readModels, worker, positionsCountEvents: true };
  /** The state of each group. */
  const states = async () =>
    Object.fromEntries((await projectionStatus(sources)).map(({ group, state }) => [group, state]));
  const is = (what: string, expected: Record<string, string>) =>
    eventually(what, async () => JSON.stringify(await states()) === JSON.stringify(expected));
  return { events, readModels, worker, states, is };
}

const everyGroup = (state: string) => Object.fromEntries(projectionGroups.map(({ name }) => [name, state]));

it('a rebuild whose writes fail shows for its group alone, until they succeed', async () => {
  const { events, readModels, worker, states, is } = await runningWorker();
  await mustAppend(events, 'person-1', [registered], 'no_stream');
  await is('all at work', everyGroup('running'));
  await eventually('the first builds', async () => (await readModels.builds()).some(({ live }) => live));
  readModels.onCommit = async (proceed, changes) => {
    const isRebuild = changes.checkpoints.some(
      ({ projection, build }) => projection === 'holds' && build === 2,
    );
    if (isRebuild) throw new StoreError('unavailable', 'no space left');
    await proceed(changes);
  };
  const requests = new OperatorRequests({ store: events, newId, now: () => new Date() });
  const request = { type: 'ProjectionRebuildRequestedV1', data: { consumer: 'holds' } } as const;
  await requests.record(request, { correlation_id: 'c', causation_id: 'c' });
  await eventually('the rebuild to fail', async () => (await states()).holds === 'retrying');
  expect(await states()).toEqual({ ...everyGroup('running'), holds: 'retrying' });
  expect(await worker.state()).toBe('retrying');
  readModels.onCommit = undefined;
});

it('what fails for all groups shows for all', async () => {
  const { events, readModels, is } = await runningWorker();
  await is('all at work', everyGroup('running'));
  readModels.onCommit = () => Promise.reject(new StoreError('unavailable', 'no space left'));
  await mustAppend(events, 'person-1', [registered], 'no_stream');
  await is('all to fail', everyGroup('retrying'));
  readModels.onCommit = undefined;
});
