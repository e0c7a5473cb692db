/** The projector on a thread of its own: it follows the log, and ends when it is told to. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
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
});
