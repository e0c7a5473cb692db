/** What a backup refuses, what it survives, and to which instants it leads back. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openBackupSource } from '../../../src/adapters/sqlite/backup-source.ts';
import { checkBackup } from '../../../src/event-sourcing/backup/backup-chain.ts';
import type { StateRecord } from '../../../src/event-sourcing/backup/backup-state.ts';
import { backUp } from '../../../src/event-sourcing/backup/write-backup.ts';
import { StoreError } from '../../../src/event-sourcing/store-error.ts';
import { idsOf, mustAppend, newEvents } from '../../support/event-builders.ts';
import { GroupConsumer, park } from '../../support/group-consumer.ts';
import type { MemorySegment, MemorySegments } from '../../support/memory-segments.ts';
import { logOf, MemoryBackup, Stores } from './backups.ts';

const FULL = new StoreError('disk_full', 'No room.');

/** A bank of twelve events, recorded at four instants: 1, 2, 2 and 4 seconds after the epoch. */
async function timedBank() {
  const stores = new Stores();
  const store = stores.open('bank.db');
  for (let revision = 0; revision < 4; revision += 1) {
    for (const stream of ['person-1', 'bank-account-1', 'bank-account-2']) {
      await mustAppend(store, stream, newEvents(1), revision === 0 ? 'no_stream' : revision - 1);
    }
  }
  const instant = 'CASE WHEN position <= 3 THEN 1000 WHEN position <= 9 THEN 2000 ELSE 4000 END';
  stores.sql('bank.db', `UPDATE events SET recorded_at = ${instant}`);
  const directory = new MemoryBackup();
  await stores.backUp('bank.db', directory);
  return { stores, store, directory, log: await logOf(store) };
}

const at = (ms: number) => ({ time: new Date(ms).toISOString() });

describe('a point in time', () => {
  it('is inclusive: everything that was recorded at it is there, and nothing that came later', async () => {
    const { stores, directory, log } = await timedBank();
    for (const [to, events] of [
      [at(1000), 3],
      [at(1999), 3],
      [at(2000), 9],
      [at(3999), 9],
      [at(4000), 12],
      [{ position: 1n }, 1],
      [{ position: 11n }, 11],
      [{ position: 12n }, 12],
    ] as const) {
      const { store, plan } = await stores.restore(directory, to);
      expect(await logOf(store)).toEqual(log.slice(0, events));
      expect(plan.last.position).toBe(BigInt(events));
      expect(await mustAppend(store, 'person-9', newEvents(1), 'no_stream')).toMatchObject({
        position: BigInt(events + 1),
      });
    }
  });

  it('that lies before the first event, or beyond what was backed up, is refused', async () => {
    const { stores, directory } = await timedBank();
    await expect(stores.restore(directory, at(999))).rejects.toThrow(
      'The backup begins with position 1, recorded at 1970-01-01T00:00:01.000Z: there is nothing to restore up to an earlier point.',
    );
    await expect(stores.restore(directory, at(Date.now() + 60_000))).rejects.toThrow(
      /^The backup is of .*: what came later is not in it/,
    );
    await expect(stores.restore(directory, { position: 13n })).rejects.toThrow(
      'The backup ends at position 12, before 13.',
    );
  });

  it('cuts the log at one place, also where the clock was set back', async () => {
    const { stores, store, directory, log } = await timedBank();
    await mustAppend(store, 'person-1', newEvents(1), 3);
    stores.sql('bank.db', 'UPDATE events SET recorded_at = 1500 WHERE position = 13');
    await stores.backUp('bank.db', directory);
    const { store: restored } = await stores.restore(directory, at(2000));
    expect(await logOf(restored)).toEqual(log.slice(0, 9));
  });

  it('takes settings and groups of the newest run that saw no more', async () => {
    const { stores, store, directory } = await timedBank();
    const groups = store.consumerGroups();
    const group = { name: 'workers', streamPrefixes: ['person-'], startFrom: 'first_event' } as const;
    await groups.ensureGroup(group);
    const consumer = new GroupConsumer(groups, 'workers', { answer: park });
    await consumer.until('four parked messages', async () => (await groups.countParked('workers')) === 4);
    await consumer.stop();
    await store.setStreamMetadata('bank-account-1', { truncateBefore: 2 });
    await stores.backUp('bank.db', directory);
    const positions = await mustAppend(store, 'bank-account-2', newEvents(1), 3);
    await stores.backUp('bank.db', directory);

    for (const to of [undefined, { position: 12n }] as const) {
      const { store: restored } = await stores.restore(directory, to);
      const found = await restored.consumerGroups().listParked('workers', { limit: 9 });
      expect(found.map(({ event, reason }) => [event.position, reason])).toEqual(
        [1n, 4n, 7n, 10n].map((position) => [position, 'nobody can do this']),
      );
      expect(await restored.headPosition()).toBe(to?.position ?? positions.position);
      expect(await restored.getStreamMetadata('bank-account-1')).toEqual({ truncateBefore: 2 });
      expect((await logOf(restored)).filter(({ stream }) => stream === 'bank-account-1')).toHaveLength(2);
    }
    // The first run knew neither: nothing had been cut off then.
    const { store: earlier } = await stores.restore(directory, { position: 11n });
    expect(await logOf(earlier)).toHaveLength(11);
    await expect(earlier.consumerGroups().countParked('workers')).rejects.toThrow(/workers/);
  });
});

describe('streams that lost events', () => {
  it('go on at the revisions where they were', async () => {
    const { stores, store, directory } = await timedBank();
    await store.deleteStream('person-1');
    await mustAppend(store, 'bank-account-1', newEvents(4), 3);
    await store.setStreamMetadata('bank-account-1', { truncateBefore: 6 });
    await stores.backUp('bank.db', directory);
    const { store: restored } = await stores.restore(directory);
    expect(await logOf(restored)).toEqual(await logOf(store));
    expect(await mustAppend(restored, 'person-1', newEvents(1), 'no_stream')).toMatchObject({ revision: 4 });
    expect(await mustAppend(restored, 'bank-account-1', newEvents(1), 7)).toMatchObject({ revision: 8 });
    await checkBackup(directory);
    // What was cut off before a run reached it is in no backup; the rest of the stream is whole.
    const { store: earlier } = await stores.restore(directory, { position: 16n });
    expect((await logOf(earlier)).filter(({ stream }) => stream === 'bank-account-1')).toHaveLength(2);
  });

  it('while they are backed up do not tear it apart', async () => {
    const stores = new Stores();
    const store = stores.open('bank.db');
    await mustAppend(store, 'person-1', newEvents(20), 'no_stream');
    await mustAppend(store, 'person-2', newEvents(20), 'no_stream');
    const directory = new MemoryBackup();
    directory.events.onWrite = (number) => {
      if (number === 2) void store.setStreamMetadata('person-2', { truncateBefore: 15 });
      if (number === 3) void store.append('person-2', newEvents(5), 19);
    };
    await stores.backUp('bank.db', directory);
    directory.events.onWrite = undefined;
    await stores.backUp('bank.db', directory);
    const { store: restored } = await stores.restore(directory);
    expect(idsOf(await logOf(restored))).toEqual(idsOf(await logOf(store)));
  });
});

describe('a backup that was altered', () => {
  const flipped = (content: Uint8Array, place: number) => content.with(place, (content[place] as number) ^ 1);
  const spoil = (segments: MemorySegments, index: number, change: (content: Uint8Array) => Uint8Array) => {
    const segment = segments.segments[index] as MemorySegment;
    segments.segments = segments.segments.with(index, { ...segment, content: change(segment.content) });
  };
  const forged = (directory: MemoryBackup) => {
    const [segment] = directory.events.segments;
    const text = gunzipSync(segment?.content ?? '')
      .toString()
      .replace('"number":0', '"number":9');
    const records = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    directory.events.rewrite(1, records);
  };
  const manifest = (change: (text: string) => string | undefined) => (directory: MemoryBackup) => {
    directory.manifest = change(directory.manifest ?? '');
  };
  const DAMAGES: readonly (readonly [string, (directory: MemoryBackup) => void, RegExp])[] = [
    [
      'a flipped bit',
      ({ events }) => spoil(events, 1, (c) => flipped(c, 40)),
      /segment-2.* was altered or cut short/,
    ],
    [
      'a truncated segment',
      ({ events }) => spoil(events, 0, (c) => c.slice(0, -9)),
      /segment-1.* was altered or cut short/,
    ],
    [
      'a missing first segment',
      ({ events }) => void events.segments.shift(),
      /segment 2, where segment 1 belongs/,
    ],
    [
      'a missing last segment',
      ({ events }) => void events.segments.pop(),
      /The backup is not whole: segment 3 is missing/,
    ],
    ['a forged segment', forged, /does not continue the segment before it/],
    [
      'a flipped bit in a state',
      ({ states }) => spoil(states, 0, (c) => flipped(c, 12)),
      /was altered or cut short/,
    ],
    ['a missing state', ({ states }) => void states.segments.pop(), /the state of run 1 is missing/],
    [
      'a changed manifest',
      manifest((text) => text.replace('"events": 12', '"events": 11')),
      /backup\.json is damaged: its checksum is another one/,
    ],
    ['a truncated manifest', manifest((text) => text.slice(0, -20)), /backup\.json is damaged/],
    [
      'a manifest of a newer program',
      manifest((text) => text.replace('"version": 1', '"version": 2')),
      /another version of OpenBank: it has format 2/,
    ],
    ['no manifest', manifest(() => undefined), /holds no finished backup: backup\.json is missing/],
  ];

  it.each(DAMAGES)('by %s is refused before anything is written', async (_what, damage, message) => {
    const { stores, directory } = await timedBank();
    damage(directory);
    await expect(stores.restore(directory)).rejects.toThrow(message);
    await expect(checkBackup(directory)).rejects.toThrow(message);
  });

  it.each(DAMAGES.slice(0, -1))('by %s is noticed by the next run', async (_what, damage, message) => {
    const { stores, directory } = await timedBank();
    damage(directory);
    const { manifest } = directory;
    await expect(stores.backUp('bank.db', directory)).rejects.toThrow(message);
    expect(directory.manifest).toBe(manifest);
  });
});

describe('a full disk', () => {
  it.each(['events', 'states', 'manifest'] as const)(
    'at the %s loses nothing: the run before is restored',
    async (at_) => {
      const { stores, store, directory, log } = await timedBank();
      await mustAppend(store, 'person-1', newEvents(9), 3);
      const fail = () => {
        throw FULL;
      };
      if (at_ === 'manifest') directory.onManifest = fail;
      else directory[at_].onWrite = (_number, step) => (step === 'whole' ? fail() : undefined);
      await expect(stores.backUp('bank.db', directory)).rejects.toBe(FULL);
      await checkBackup(directory);
      expect(await logOf((await stores.restore(directory)).store)).toEqual(log);

      directory.onManifest = undefined;
      directory.events.onWrite = undefined;
      directory.states.onWrite = undefined;
      const { run } = await stores.backUp('bank.db', directory);
      expect(run).toMatchObject({ number: 2, events: 21, new_events: 9 });
      expect(new Set(directory.states.segments.map(({ number }) => number))).toEqual(new Set([1, 2]));
      expect(await logOf((await stores.restore(directory)).store)).toEqual(await logOf(store));
    },
  );
});

describe('a disk that', () => {
  const withFlippedByte = (written: MemorySegment): readonly MemorySegment[] => [
    { ...written, content: written.content.with(30, ~(written.content[30] ?? 0)) },
  ];

  it.each([
    ['does not hold what was written to it', withFlippedByte, /segment-4.* was altered or cut short/],
    ['forgets a whole segment', () => [], /does not hold what was just written/],
  ] as const)('%s is noticed before the run is done', async (_what, kept, message) => {
    const { stores, store, directory } = await timedBank();
    await mustAppend(store, 'person-1', newEvents(3), 3);
    const { events, manifest } = directory;
    const write = events.write.bind(events);
    events.write = async (number, bytes) => {
      const file = await write(number, bytes);
      events.segments = events.segments.flatMap((one) => (one.number === number ? kept(one) : one));
      return file;
    };
    await expect(stores.backUp('bank.db', directory)).rejects.toThrow(message);
    expect(directory.manifest).toBe(manifest);
  });
});

it('is of one instant: what is cut off while its state is read was not cut off', async () => {
  const { stores, log } = await timedBank();
  const directory = new MemoryBackup();
  const { source, close } = openBackupSource(stores.path('bank.db'));
  const cut = `UPDATE streams SET metadata = '{"truncateBefore":3}', first_revision = 3, last_removed_revision = 2`;
  await backUp({
    source: {
      storeId: source.storeId,
      headPosition: () => source.headPosition(),
      readAll: (options) => source.readAll(options),
      freeze: () => source.freeze(),
      thaw: () => source.thaw(),
      *states() {
        stores.sql('bank.db', `${cut} WHERE name = 'person-1'`);
        yield* source.states() as Iterable<StateRecord>;
      },
    },
    directory,
    now: () => new Date(),
    reactors: async function* () {},
  });
  close();
  expect(await logOf((await stores.restore(directory)).store)).toEqual(log);
});

it('states that no run names are taken away', async () => {
  const { stores, directory } = await timedBank();
  const interrupted = await directory.states.write(
    2,
    (async function* () {
      yield new Uint8Array([1]);
    })(),
  );
  await stores.backUp('bank.db', directory);
  const left = directory.states.segments.map(({ sha256 }) => sha256);
  expect(left).not.toContain(interrupted.sha256);
  expect(left).toHaveLength(2);
});

describe('the directory of a backup', () => {
  it('takes no other store', async () => {
    const { stores, directory } = await timedBank();
    stores.open('other.db');
    await expect(stores.backUp('other.db', directory)).rejects.toThrow(
      /holds another backup: it is of the store .*A restored bank is another store; name another directory\.$/,
    );
  });

  it('takes no older copy of its own store, also one that went on by itself', async () => {
    const { stores, store, directory } = await timedBank();
    const { store: older, name } = await stores.restore(directory, { position: 9n });
    stores.sql(name, `UPDATE store SET id = '${store.storeId}'`);
    const lost = /holds events up to position 12 that the store does not have/;
    await expect(stores.backUp(name, directory)).rejects.toThrow(lost);
    await mustAppend(older, 'person-1', newEvents(8), 2);
    await expect(stores.backUp(name, directory)).rejects.toThrow(lost);
  });
});

it('an empty store is backed up, and there is nothing to restore', async () => {
  const stores = new Stores();
  const store = stores.open('bank.db');
  const directory = new MemoryBackup();
  expect((await stores.backUp('bank.db', directory)).run).toMatchObject({ events: 0, segments: 0 });
  await expect(stores.restore(directory)).rejects.toThrow('The backup holds no event');
  await mustAppend(store, 'person-1', newEvents(2), 'no_stream');
  await stores.backUp('bank.db', directory);
  expect(await logOf((await stores.restore(directory)).store)).toEqual(await logOf(store));
});
