/** The projector on a thread of its own: it follows the log, its death is noticed, and another one takes over. */
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

/** Whether a worker's thread is gone. */
const isGone = (index: number) => thread.workers[index]?.threadId === -1;

describe('the projection thread', () => {
  it('shows what was recorded before it started and after, and says when it has projected', async () => {
    await thread.register();
    const runner = await thread.start();
    expect(await runner.state()).toBe('running');
    expect(await thread.shows(1)).toBe(true);
    await thread.register();
    await runner.projected.wait(10_000);
    expect(await thread.shows(2)).toBe(true);
    expect(thread.problems).toEqual([]);
  });

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

  it('ends when it is told to, and leaves the files to others', async () => {
    const runner = await thread.start();
    await thread.register();
    await runner.stop();
    expect(await runner.state()).toBe('stopped');
    expect(isGone(0)).toBe(true);
    await openSqliteReadModelStore({ kind: 'file', path: thread.readModelsPath }).close();
    await runner.stop();
    expect(thread.problems).toEqual([]);
    expect(thread.workers).toHaveLength(1);
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
});
