/** Servers that are not there, too old or silent; and URLs that say too much. */
import { createServer, type Server, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { connectTo } from '../../../src/adapters/mongodb/connection.ts';
import { openMongoReadModelStore } from '../../../src/adapters/mongodb/read-model-store.ts';
import type { Collection } from '../../../src/event-sourcing/read-model-store.ts';
import { MongoStandIn, standInMissing } from '../../support/mongodb-server.ts';
import { newDocument, write } from '../../support/read-model-builders.ts';

const THINGS: Collection = { name: 'things', version: 1, indexes: ['owner'], listed: true };
const missing = await standInMissing();

async function standIn(wireVersion?: number): Promise<MongoStandIn> {
  const server = await MongoStandIn.start(wireVersion);
  onTestFinished(() => server.stop());
  return server;
}

async function refusalOf(url: string): Promise<Error> {
  return openMongoReadModelStore(url).then(
    async (store) => {
      await store.close();
      throw new Error(`${url} was opened`);
    },
    (error: Error) => error,
  );
}

/** Everything that a log would show of an error. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.stack} ${shown(error.cause)}`;
}

it('says that a server is not there, and how it was looked for, without the password', async () => {
  const error = await refusalOf('mongodb://ann:s3cret@127.0.0.1:9/bank?serverSelectionTimeoutMS=200');
  expect(error).toMatchObject({ name: 'StoreError', code: 'unavailable', temporary: true });
  expect(error.message).toMatch(/^MongoDB at 127\.0\.0\.1:9\/bank cannot be reached \(.*ECONNREFUSED.*\)\.$/);
  expect(shown(error)).not.toContain('s3cret');
});

it.each([
  'mongodb://ann:s3cret@host@elsewhere/bank',
  'mongodb://ann:s3%cret@127.0.0.1/bank',
  'mongodb://ann:s3cret@127.0.0.1/bank?noSuchOption=s3cret',
  'mongodb://ann:s3cret@127.0.0.1:99999/bank',
  'http://ann:s3cret@127.0.0.1/bank',
])('refuses %s without repeating it', async (url) => {
  const error = await refusalOf(url);
  expect(error).toMatchObject({ name: 'StoreError', code: 'invalid_request' });
  expect(shown(error)).not.toMatch(/s3/);
});

it('gives up on a server that takes connections but never answers', async () => {
  const sockets: Socket[] = [];
  const silent = await new Promise<Server>((resolve) => {
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1', () =>
      resolve(server),
    );
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as { port: number };
  const error = await refusalOf(`mongodb://127.0.0.1:${port}/?serverSelectionTimeoutMS=300`);
  expect(error).toMatchObject({ name: 'StoreError', code: 'unavailable' });
});

it.skipIf(missing)('refuses a server that is too old', async () => {
  const server = await standIn(8);
  const error = await refusalOf(`${server.url}/?serverSelectionTimeoutMS=1000`);
  expect(error).toMatchObject({ name: 'StoreError', code: 'unsupported' });
  expect(error.message).toContain('is too old for OpenBank');
});

it.skipIf(missing)('goes into the database that the URL names, or else into openbank', async () => {
  const server = await standIn();
  for (const [path, database] of [
    ['', 'openbank'],
    ['/', 'openbank'],
    ['/?appName=x', 'openbank'],
    ['/my%5Fbank', 'my_bank'],
  ]) {
    const error = await openMongoReadModelStore(server.url + path).then(async (store) => {
      await store.close();
      return store.get(THINGS, 'one').catch((refusal: Error) => refusal);
    });
    expect(error).toMatchObject({
      code: 'closed',
      message: `${server.url.replace('mongodb://', 'MongoDB at ')}/${database} was closed.`,
    });
  }
});

it.skipIf(missing).each([
  ['', 10_000],
  ['w=1&journal=false&readConcernLevel=local&readPreference=secondary', 10_000],
  ['wtimeoutMS=77', 77],
])('writes and reads by majority on the primary, whatever the URL says: %s', async (options, wtimeout) => {
  const server = await standIn();
  const connection = await connectTo(`${server.url}/?${options}`);
  await connection.run(async (db) => {
    expect(db.writeConcern).toMatchObject({ w: 'majority', wtimeout });
    expect(db.readConcern?.level).toBe('majority');
    expect(db.readPreference?.mode).toBe('primary');
  });
  await connection.close();
});

it.skipIf(missing)('cannot write before it was prepared', async () => {
  const server = await standIn();
  const store = await openMongoReadModelStore(server.url);
  await expect(write(store, THINGS, [newDocument({ key: 'one' })])).rejects.toMatchObject({
    code: 'invalid_request',
  });
  await store.close();
});
