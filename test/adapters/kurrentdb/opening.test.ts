/** Opening a store: which servers are refused and how, and the identity that all clients of a log agree on. */
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { EventStoreDBClient } from '@eventstore/db-client';
import { describe, expect, it } from 'vitest';
import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import { collect, mustAppend, newEvents, uniqueName } from '../../support/event-builders.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { DEADLINE_MS, follow, openStore, startDouble, startDoubleAndStore } from './with-double.ts';

const SECRET = 'hunter2';

describe('opening', () => {
  it('a server that nobody listens on is unavailable', async () => {
    const url = `kurrentdb://admin:${SECRET}@127.0.0.1:${await freePort()}?tls=false`;
    await expectRefusal(url, 'unavailable', /^KurrentDB at 127\.0\.0\.1:\d+ did not do it: /);
  });

  it('a cluster of which no node answers is unavailable', async () => {
    const port = await freePort();
    const options = `tls=false&maxDiscoverAttempts=2&discoveryInterval=10&defaultDeadline=${DEADLINE_MS}`;
    const url = `kurrentdb://admin:${SECRET}@127.0.0.1:${port},127.0.0.1:${port}?${options}`;
    await expectRefusal(url, 'unavailable', /discover/);
  });

  it.each(['20.10.0', '21.10.9'])('a server of version %s is too old', async (version) => {
    const double = await startDouble({ version });
    await expectRefusal(double.url, 'unsupported', /too old/);
  });

  it('a wrong password is refused, the right one is let in, over TLS', async () => {
    const directory = temporaryDirectory();
    const tlsCaFile = directory.file('ca.crt');
    try {
      const double = await startDouble({ users: { admin: 'changeit' }, tlsCaFile });
      const url = (password: string) => double.url.replace('://', `://admin:${password}@`);
      await expectRefusal(url(SECRET), 'access_denied', /credentials/);
      const store = await openKurrentDbEventStore(url('changeit'));
      const stream = uniqueName('secure');
      await mustAppend(store, stream, newEvents(2), 'no_stream');
      expect(await collect(store.readStream(stream))).toHaveLength(2);
      await store.close();
      const address = `kurrentdb://admin:changeit@localhost:${double.port}`;
      await expectRefusal(address, 'unavailable', /certificate/);
      await (await openKurrentDbEventStore(`${address}?tlsVerifyCert=false`)).close();
    } finally {
      directory.remove();
    }
  });

  it('a user without rights on the log may write, but neither follow it nor make groups', async () => {
    const directory = temporaryDirectory();
    try {
      const users = { admin: 'changeit', clerk: SECRET };
      const double = await startDouble({ users, tlsCaFile: directory.file('ca.crt') });
      const store = await openKurrentDbEventStore(double.url.replace('://', `://clerk:${SECRET}@`));
      await mustAppend(store, uniqueName('own'), newEvents(1), 'no_stream');
      const denied = { name: 'StoreError', code: 'access_denied' };
      await expect(follow(store).ended()).rejects.toMatchObject(denied);
      const settings = { name: 'g', streamPrefixes: ['x'], startFrom: 'first_event' as const };
      await expect(store.consumerGroups.ensureGroup(settings)).rejects.toMatchObject(denied);
      await expect(store.consumerGroups.listParked('g', { limit: 1 })).rejects.toMatchObject(denied);
      await store.close();
    } finally {
      directory.remove();
    }
  });

  it('waits a little for a server that is not ready yet', async () => {
    const double = await startDouble();
    double.faults.beUnavailableFor(60);
    await openStore(double);
  });

  it('finds the leader through the gossip of a cluster', async () => {
    const double = await startDouble();
    const { port } = double;
    const url = `kurrentdb+discover://127.0.0.1:${port}?tls=false`;
    const store = await openKurrentDbEventStore(url);
    await mustAppend(store, uniqueName('cluster'), newEvents(1), 'no_stream');
    await store.close();
  });

  it('leaves no connection behind when it is closed', async () => {
    const double = await startDouble();
    const store = await openKurrentDbEventStore(double.url);
    const follower = follow(store);
    await follower.until('caught up', () => follower.hasCaughtUp);
    expect(double.connectionCount).toBeGreaterThan(0);
    await store.close();
    await expect.poll(() => double.connectionCount).toBe(0);
  });
});

describe('the identity of a log', () => {
  it('is the same for all clients, also for those that come first at once', async () => {
    const double = await startDouble();
    const stores = await Promise.all([1, 2, 3, 4].map(() => openStore(double)));
    expect(new Set(stores.map((store) => store.storeId)).size).toBe(1);
    expect((await openStore(double)).storeId).toBe(stores[0]?.storeId);
    expect(stores[0]?.storeId).toMatch(/^[0-9a-f]{16}$/);
  });

  it('differs from that of another log', async () => {
    const [one, two] = [await startDoubleAndStore(), await startDoubleAndStore()];
    expect(one.store.storeId).not.toBe(two.store.storeId);
  });

  it('is asked again when the server comes back: another log is neither written nor read on', async () => {
    const directory = temporaryDirectory();
    try {
      const stateFile = directory.file('events.ndjson');
      const first = await startDouble({ stateFile });
      const store = await openStore(first);
      const writer = await openStore(first);
      const stream = uniqueName('mine');
      await mustAppend(store, stream, newEvents(3), 'no_stream');
      const follower = follow(store, { streamPrefixes: [stream] });
      await follower.until('caught up', () => follower.hasCaughtUp);
      await first.close();
      const other = await startDouble({ port: first.port });
      const another = { name: 'StoreError', code: 'corrupt', message: expect.stringMatching(/another log/) };
      await expect(follower.ended()).rejects.toMatchObject(another);
      // The second one has never written, so nothing of it broke.
      for (const client of [store, writer]) {
        await expect(client.append(uniqueName('lost'), newEvents(1), 'no_stream')).rejects.toMatchObject(
          another,
        );
        await expect(client.headPosition()).rejects.toMatchObject(another);
      }
      await other.close();
      await startDouble({ port: first.port, stateFile });
      await mustAppend(store, stream, newEvents(1), 2);
      expect(await store.headPosition()).toBeDefined();
    } finally {
      directory.remove();
    }
  });

  it('is not one of the events, and its stream is nobody else’s', async () => {
    const { store } = await startDoubleAndStore();
    expect(await store.headPosition()).toBeUndefined();
    expect(await collect(store.readAll())).toEqual([]);
    const follower = follow(store);
    await follower.until('caught up', () => follower.hasCaughtUp);
    expect(follower.events).toEqual([]);
    const refused = { name: 'StoreError', code: 'invalid_request' };
    for (const reserved of ['openbank-store', '$ce-bank', '']) {
      await expect(store.append(reserved, newEvents(1), 'any')).rejects.toMatchObject(refused);
      await expect(store.deleteStream(reserved)).rejects.toMatchObject(refused);
      await expect(store.setStreamMetadata(reserved, {})).rejects.toMatchObject(refused);
    }
  });

  it('cannot be read from a stream that somebody else has written', async () => {
    const double = await startDouble();
    const client = EventStoreDBClient.connectionString(double.url);
    const [event] = newEvents(1);
    await client.appendToStream('openbank-store', [{ ...event, contentType: 'application/json' } as never]);
    await client.dispose();
    await expectRefusal(double.url, 'corrupt', /openbank-store/);
  });
});

async function expectRefusal(url: string, code: string, message: RegExp): Promise<void> {
  const error = await openKurrentDbEventStore(url).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'StoreError', code, message: expect.stringMatching(message) });
  expect(inspect(error, { depth: 10 })).not.toContain(SECRET);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
