/** A server that is killed, paused, and comes back while workers commit: whoever tries again loses nothing and repeats nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { openMongoReadModelStore } from '../../../src/adapters/mongodb/read-model-store.ts';
import type { Collection, ReadModelStore } from '../../../src/event-sourcing/read-model-store.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { MongoStandIn, standInMissing } from '../../support/mongodb-server.ts';
import {
  checkpoint,
  commit,
  keysOf,
  newDeadLetter,
  newDocument,
  write,
} from '../../support/read-model-builders.ts';

const THINGS: Collection = { name: 'things', version: 1, indexes: ['owner'], listed: true };
const KEYS = Array.from({ length: 20 }, (_, index) => `k${10 + index}`);
const STEPS = 60;
/** Times after which a test gives up on a server that it has paused itself. */
const IMPATIENT = 'connectTimeoutMS=2000&socketTimeoutMS=2000&serverSelectionTimeoutMS=3000';
const missing = await standInMissing();

/** One step of a worker: every document, a dead letter, and the checkpoint. */
function step(position: bigint) {
  const document = { at: `${position}` };
  return {
    writes: KEYS.map((key) => ({
      collection: THINGS,
      document: newDocument({ key, sequence: 1n, position, document }),
    })),
    deadLetters: [newDeadLetter({ position })],
    checkpoints: [checkpoint(THINGS, position)],
  };
}

/** Tries until it succeeds; answers how often it failed. */
async function insist(work: () => Promise<void>): Promise<number> {
  for (let failures = 0; ; failures += 1) {
    try {
      await work();
      return failures;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      expect(error.code).toBe('unavailable');
      if (failures > 200) throw error;
      await sleep(50);
    }
  }
}

/** The documents that the second step has written so far. */
async function secondStep(store: ReadModelStore) {
  const found = await store.find(THINGS, { order: 'newest_first', limit: 9_000 });
  return found.filter(({ position }) => position === 2n);
}

async function worker(store: ReadModelStore): Promise<number> {
  let failures = 0;
  for (let position = 1n; position <= STEPS; position += 1n) {
    failures += await insist(() => commit(store, step(position)));
    // What was acknowledged is there, whatever happened in between.
    const seen = await store.get(THINGS, 'k10').catch(() => undefined);
    if (seen) expect(seen.position).toBeGreaterThanOrEqual(position);
  }
  return failures;
}

it.skipIf(missing)(
  'is killed and restarted under two workers that do the same work',
  async () => {
    const server = await MongoStandIn.start();
    onTestFinished(() => server.stop());
    const open = () => openMongoReadModelStore(`${server.url}/?serverSelectionTimeoutMS=1000`);
    const stores = [await open(), await open()];
    for (const store of stores) await store.prepare([THINGS], 'a-store');
    let working = true;
    const work = Promise.all(stores.map(worker)).finally(() => {
      working = false;
    });
    let kills = 0;
    while (working && kills < 4) {
      await sleep(300);
      await server.kill();
      await server.restart();
      kills += 1;
    }
    const failures = await work;
    expect(failures.reduce((sum, one) => sum + one)).toBeGreaterThan(0);
    const store = stores[0] as ReadModelStore;
    const found = await store.find(THINGS, { order: 'oldest_first', limit: 100 });
    const last = step(BigInt(STEPS)).writes.map(({ document }) => document);
    expect(found).toStrictEqual(last);
    expect(await store.checkpoints()).toStrictEqual([checkpoint(THINGS, BigInt(STEPS))]);
    expect(await store.countDeadLetters()).toBe(STEPS);
    for (const one of stores) await one.close();
  },
  60_000,
);

it.skipIf(missing)(
  'has no checkpoint ahead of its documents when a commit broke in the middle',
  async () => {
    const server = await MongoStandIn.start();
    onTestFinished(() => server.stop());
    const store = await openMongoReadModelStore(`${server.url}/?${IMPATIENT}`);
    await store.prepare([THINGS], 'a-store');
    await commit(store, step(1n));
    const many = Array.from({ length: 3_000 }, (_, index) => ({
      collection: THINGS,
      document: newDocument({ key: `m${index}`, position: 2n }),
    }));
    const broken = commit(store, { writes: many, checkpoints: [checkpoint(THINGS, 2n)] });
    const outcome = broken.then(
      () => 'committed',
      () => 'broken',
    );
    await expect
      .poll(() => store.get(THINGS, 'm0').then((one) => one !== undefined), { interval: 1, timeout: 13_000 })
      .toBe(true);
    // Not killed: the stand-in does not write a document and its index entry together.
    server.pause();
    expect(await outcome).toBe('broken');
    server.resume();
    // The server may have had the whole commit before the pause: then the documents are all there.
    await insist(async () => {
      const [reached] = await store.checkpoints();
      if (reached?.position === 2n) expect(await secondStep(store)).toHaveLength(3_000);
      else expect(reached).toStrictEqual(checkpoint(THINGS, 1n));
    });
    await insist(() => commit(store, { writes: many, checkpoints: [checkpoint(THINGS, 2n)] }));
    expect(await secondStep(store)).toHaveLength(3_000);
    expect(await store.checkpoints()).toStrictEqual([checkpoint(THINGS, 2n)]);
    await store.close();
  },
  60_000,
);

it.skipIf(missing)(
  'does not wait for ever for a server that hangs, and goes on when it is back',
  async () => {
    const server = await MongoStandIn.start();
    onTestFinished(() => server.stop());
    const store = await openMongoReadModelStore(`${server.url}/?${IMPATIENT}`);
    await store.prepare([THINGS], 'a-store');
    server.pause();
    const changes = {
      writes: [{ collection: THINGS, document: newDocument({ key: 'one' }) }],
      checkpoints: [checkpoint(THINGS, 1n)],
    };
    await expect(commit(store, changes)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.listLeases()).rejects.toMatchObject({ code: 'unavailable' });
    server.resume();
    await expect
      .poll(
        () =>
          commit(store, changes).then(
            () => 'done',
            () => 'failed',
          ),
        { timeout: 30_000 },
      )
      .toBe('done');
    expect(await store.get(THINGS, 'one')).toStrictEqual(newDocument({ key: 'one' }));
    await store.close();
  },
);

it.skipIf(missing)('says that it was closed to whatever was under way', async () => {
  const server = await MongoStandIn.start();
  onTestFinished(() => server.stop());
  const store = await openMongoReadModelStore(`${server.url}/?${IMPATIENT}`);
  await store.prepare([THINGS], 'a-store');
  server.pause();
  const underWay = store.get(THINGS, 'one').catch((error: Error) => error);
  await store.close();
  expect(await underWay).toMatchObject({ name: 'StoreError', code: 'closed' });
  server.resume();
});

it.skipIf(missing)('is killed after a swap: what is served has the documents of the new build', async () => {
  const server = await MongoStandIn.start();
  onTestFinished(() => server.stop());
  const store = await openMongoReadModelStore(`${server.url}/?${IMPATIENT}`);
  const [first, second] = [1, 2].map((build) => ({ ...THINGS, build })) as [Collection, Collection];
  await store.prepare([first, second], 'a-store');
  await store.promote([first]);
  await write(store, first, [newDocument({ key: 'old' })]);
  await write(store, second, [newDocument({ key: 'one' }), newDocument({ key: 'two' })]);
  await store.promote([second]);
  await write(store, second, [newDocument({ key: 'three', position: 2n })]);
  await server.kill();
  await server.restart();
  const served = () => store.find(THINGS, { order: 'oldest_first', limit: 9 }).then(keysOf);
  await expect.poll(() => served().catch(String), { timeout: 10_000 }).toEqual(['one', 'two', 'three']);
  // Nothing of it comes back under the name that the collection had as a build.
  await store.prepare([first, second], 'a-store');
  await write(store, second, [newDocument({ key: 'one', position: 3n })]);
  await store.drop([first]);
  expect(await served()).toEqual(['one', 'two', 'three']);
  expect(await store.get(THINGS, 'one')).toStrictEqual(
    newDocument({ key: 'one', position: 3n, sequence: 1n }),
  );
  await store.close();
});
