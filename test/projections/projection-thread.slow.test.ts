/** A projection thread that hears of every event, that dies, and that cannot be started again for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
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
  it('hears of every event, also of one that comes right after another', async () => {
    await thread.start();
    for (let round = 0; round < 12; round += 1) {
      await thread.register();
      await sleep(1 + (round % 5));
      const count = await thread.register();
      const startedAt = Date.now();
      expect(await thread.shows(count)).toBe(true);
      // Without a notice it would look by itself after a second.
      expect(Date.now() - startedAt).toBeLessThan(600);
    }
  });

  it('does not start where the read models are in use', async () => {
    const other = openSqliteReadModelStore({ kind: 'file', path: thread.readModelsPath });
    await expect(thread.start()).rejects.toMatchObject({ name: 'StoreError', code: 'in_use' });
    await other.close();
    await thread.start();
    expect(thread.problems).toEqual([]);
  });

  it('that is killed is noticed, started again, and catches up', async () => {
    const runner = await thread.start();
    await thread.register();
    expect(await thread.shows(1)).toBe(true);
    await thread.kill();
    await eventually('the notice', () => thread.problems.length > 0);
    expect(await runner.state()).toBe('stopped');
    expect(thread.problems).toEqual([{ kind: 'worker_died', error: expect.any(Error), delayMs: 1_000 }]);
    runner.wake();
    await thread.register();
    await thread.register();
    await eventually('the next worker', async () => (await runner.state()) === 'running');
    expect(await thread.shows(3)).toBe(true);
    expect(thread.workers).toHaveLength(2);
    await thread.register();
    expect(await thread.shows(4)).toBe(true);
    expect(thread.problems).toHaveLength(1);
  });

  it('is not started again when the end was asked for meanwhile', async () => {
    const runner = await thread.start();
    await thread.kill();
    await eventually('the notice', () => thread.problems.length > 0);
    const startedAt = Date.now();
    await runner.stop();
    expect(Date.now() - startedAt).toBeLessThan(500);
    // A worker that is started all the same would show up by now.
    await sleep(50);
    expect(thread.workers).toHaveLength(1);
  });

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
