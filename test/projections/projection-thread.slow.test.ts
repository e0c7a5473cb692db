/** A projection thread that dies more than once, and one that cannot be started again for a while. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { eventually } from '../support/eventually.ts';
import { ProjectionThreadFixture } from '../support/projection-thread.ts';

let thread: ProjectionThreadFixture;
beforeEach(() => {
  thread = new ProjectionThreadFixture();
});
afterEach(() => thread.dispose());

const deaths = () => thread.problems.filter((problem) => problem.kind === 'worker_died');

describe('the projection thread', () => {
  it('is tried again with a growing delay while it cannot open its files', async () => {
    const runner = await thread.start();
    await thread.kill();
    const other = openSqliteReadModelStore({ kind: 'file', path: thread.readModelsPath });
    await thread.register();
    await eventually('a second failure', () => deaths().length === 3);
    expect(await runner.state()).toBe('stopped');
    expect(deaths().map(({ delayMs }) => delayMs)).toEqual([1_000, 2_000, 4_000]);
    expect(deaths().at(-1)?.error).toMatchObject({ name: 'StoreError', code: 'in_use' });
    await other.close();
    expect(await thread.shows(1)).toBe(true);
    expect(await runner.state()).toBe('running');
  });

  it('starts with the shortest delay again after one that worked', async () => {
    const runner = await thread.start();
    for (let time = 1; time <= 3; time += 1) {
      await thread.kill();
      await eventually('the notice', () => deaths().length === time);
      await thread.register();
      await eventually('the next worker', async () => (await runner.state()) === 'running');
      expect(await thread.shows(time)).toBe(true);
      await runner.projected.wait(200);
    }
    expect(deaths().map(({ delayMs }) => delayMs)).toEqual([1_000, 1_000, 1_000]);
  });

  it('ends also when it was just being started again', async () => {
    const runner = await thread.start();
    await thread.kill();
    await eventually('the next worker', () => thread.workers.length === 2);
    await runner.stop();
    expect(thread.workers[1]?.threadId).toBe(-1);
    expect(await runner.state()).toBe('stopped');
  });
});
