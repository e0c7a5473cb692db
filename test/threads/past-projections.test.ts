/** Past projections of a service: one at a time, a few of them for a while, and what becomes of those that fail. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ScratchSpace } from '../../src/adapters/files/scratch-space.ts';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { EventStoreLocation } from '../../src/config.ts';
import { newId } from '../../src/new-id.ts';
import { PastProjectionFold } from '../../src/threads/past-projection-fold.ts';
import { PastProjections } from '../../src/threads/past-projections.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CONTEXT = { correlation_id: 'test' };
const LOGGER = pino({ level: 'silent' });

function files() {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  return directory;
}

function pastOf(eventStore: EventStoreLocation, readModels: string, keptMs?: number): PastProjections {
  const config = { eventStore, archiveDir: undefined, defaultCurrency: 'USD' };
  const past = new PastProjections(
    { ...config, readModels: { kind: 'file', path: readModels } },
    LOGGER,
    keptMs,
  );
  onTestFinished(() => past.stop());
  return past;
}

function begun(past: PastProjections, projection = 'persons'): string {
  const decision = past.start({ projection }, CONTEXT);
  if (!decision.ok) throw new Error(decision.rejection.detail);
  return decision.value.id;
}

const refusalOf = (decision: { ok: boolean }) => decision as { ok: boolean; rejection?: { code: string } };

async function ended(past: PastProjections, id: string) {
  await eventually('the end', () => past.list().find((one) => one.id === id)?.state !== 'RUNNING');
  return past.list().find((one) => one.id === id);
}

/** A server that takes connections and never says a word. */
async function silentServer(): Promise<EventStoreLocation> {
  const server = createServer().listen(0, '127.0.0.1');
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { kind: 'kurrentdb', url: `esdb://127.0.0.1:${port}?tls=false` };
}

describe('past projections of a service', () => {
  it('are folded one at a time, have no documents before the end, and can be ended', async () => {
    const { file } = files();
    const past = pastOf(await silentServer(), file('read-models.db'));
    const id = begun(past);
    expect(past.start({ projection: 'holds' }, CONTEXT)).toMatchObject({
      rejection: { code: 'past_projection_in_progress', facts: { id } },
    });
    const early = { rejection: { code: 'past_projection_not_finished', facts: { state: 'RUNNING' } } };
    expect(await past.documents(id, { limit: 1 })).toMatchObject(early);
    expect(await past.document(id, 'x')).toMatchObject(early);
    expect(await past.remove(id)).toEqual({ ok: true, value: undefined });
    expect(past.list()).toEqual([]);
    expect(refusalOf(past.get(id)).rejection?.code).toBe('past_projection_not_found');
    // It waits for nobody who is gone.
    await past.remove(begun(past));
  });

  it('say why they failed, and keep no files then', async () => {
    const { file } = files();
    const past = pastOf({ kind: 'file', path: file('nothing.db') }, file('read-models.db'));
    const id = begun(past);
    const failed = await ended(past, id);
    expect(failed).toMatchObject({ state: 'FAILED', documents: null, error: { code: 'unavailable' } });
    expect(failed?.error?.detail).toContain('nothing.db cannot be opened');
    const early = { rejection: { code: 'past_projection_not_finished', facts: { state: 'FAILED' } } };
    expect(await past.documents(id, { limit: 1 })).toMatchObject(early);
    const [place = ''] = readdirSync(file('')).filter((name) => !name.endsWith('.lock'));
    expect(readdirSync(file(place))).toEqual([]);
  });

  it('fail where nothing can be written, and let the next one try', async () => {
    const { file } = files();
    const past = pastOf({ kind: 'file', path: file('no/such/directory/events.db') }, file('read-models.db'));
    mkdirSync(file('no'));
    // A file in the way of the directory.
    openSqliteEventStore({ kind: 'file', path: file('no/such') }).close();
    const failed = await ended(past, begun(past));
    expect(failed).toMatchObject({ state: 'FAILED', error: { code: 'unavailable' } });
    await ended(past, begun(past));
    expect(past.list().map(({ state }) => state)).toEqual(['FAILED', 'FAILED']);
  });

  it('are forgotten after a while, and the oldest when there are too many', async () => {
    const { file } = files();
    // They fail without a thread, which is the quickest end.
    mkdirSync(file('no'));
    await openSqliteEventStore({ kind: 'file', path: file('no/such') }).close();
    const nowhere: EventStoreLocation = { kind: 'file', path: file('no/such/events.db') };
    const past = pastOf(nowhere, file('read-models.db'));
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      ids.push(begun(past));
      await ended(past, ids.at(-1) ?? '');
    }
    expect(past.list().map(({ id }) => id)).toEqual(ids.slice(2).reverse());
    const short = pastOf(nowhere, file('read-models.db'), 20);
    const id = begun(short);
    await eventually('nothing kept', () => short.list().length === 0);
    expect(refusalOf(short.get(id)).rejection?.code).toBe('past_projection_not_found');
  });

  it('leave the bank its room on the disk', async () => {
    const { file } = files();
    const path = file('events.db');
    const store = openSqliteEventStore({ kind: 'file', path });
    await store.append('person-1', [{ id: newId(), type: 'X', data: {}, metadata: METADATA }], 'no_stream');
    await store.close();
    const fold = new PastProjectionFold(
      {
        config: { eventStore: { kind: 'file', path }, archiveDir: undefined, defaultCurrency: 'USD' },
        projection: 'persons',
        time: undefined,
        directory: dirname(path),
        roomLeft: Number.MAX_SAFE_INTEGER,
      },
      () => undefined,
    );
    const outcome = await fold.outcome;
    expect(outcome).toMatchObject({ kind: 'failed', code: 'disk_full' });
  });
});

const METADATA = {
  aggregate_type: 'Person',
  aggregate_id: '1',
  timestamp: '2026-01-01T00:00:00.000Z',
  correlation_id: 'c',
  causation_id: 'c',
};

describe('a scratch space', () => {
  it('is removed by the next process when its own is gone, and by nobody while it lives', async () => {
    const { file } = files();
    const parent = file('');
    const living = new ScratchSpace(parent, 'work');
    const directory = await living.makeDirectory('one');
    const dead = join(parent, `work-${newId()}`);
    mkdirSync(join(dead, 'one'), { recursive: true });
    for (const other of [`other-${newId()}`, 'work-mine', 'work']) mkdirSync(file(other));
    const next = new ScratchSpace(parent, 'work');
    await next.removeLeftovers();
    expect([existsSync(directory), existsSync(dead), existsSync(`${dead}.lock`)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(readdirSync(parent).filter((name) => /^(other-.*|work-mine|work)$/.test(name))).toHaveLength(3);
    await living.remove();
    expect(readdirSync(parent).filter((name) => /^work-[0-9a-f]{8}/.test(name))).toEqual([]);
    await new ScratchSpace(file('nowhere'), 'work').removeLeftovers();
  });
});
