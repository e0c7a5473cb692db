/** How fast a projector fills fresh read models in MongoDB, beside bare bulk writes of the same documents. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { openMongoReadModelStore } from '../../src/adapters/mongodb/read-model-store.ts';
import { openSqliteEventReader } from '../../src/adapters/sqlite/event-store.ts';
import { composeWorker, prepareReadModels } from '../../src/composition/compose-worker.ts';
import { projections } from '../../src/projections/index.ts';
import {
  type MongoServer,
  mongoTargets,
  newDatabase,
  withClient,
} from '../../test/support/mongodb-server.ts';
import { type Bench, databases, say } from '../bench.ts';
import type { Findings } from '../report.ts';
import { seed } from '../seed.ts';
import { median } from '../statistics.ts';

const ACCOUNTS = 1_000;
const ROUNDS_MAX = 3;
/** Documents in one bare bulk write, as many as the adapter sends. */
const BULK = 1_000;

interface Round {
  readonly documents: number;
  readonly rebuildSeconds: number;
  readonly bareSeconds: number;
}

/** On the first server that is there: the one of MONGODB_TEST_URL, a container, or the stand-in for tests. */
export async function measureMongodb(bench: Bench): Promise<Findings> {
  const [standIn, ...real] = await mongoTargets();
  const target = [...real, standIn].find((one) => one && one.missing === undefined);
  if (!target) {
    console.log('mongodb: not measured, because there is no server');
    return { rows: [], raw: { not_measured: 'no server' } };
  }
  const server = await target.start();
  try {
    return await measureOn(bench, target.name, server);
  } finally {
    await server.stop();
  }
}

async function measureOn(bench: Bench, name: string, server: MongoServer): Promise<Findings> {
  const { quick, rounds } = bench.options;
  const deposits = quick ? 10_000 : 50_000;
  const dataDir = join(bench.dir, 'mongodb');
  const { events } = databases(dataDir);
  say(`mongodb: writing ${deposits} deposits into ${ACCOUNTS} accounts`);
  await seed(events, ACCOUNTS, deposits);
  const done: Round[] = [];
  while (done.length < (quick ? 2 : Math.min(rounds, ROUNDS_MAX))) {
    say(`mongodb: round ${done.length + 1} on ${name}`);
    done.push(await round(events, server));
  }
  rmSync(dataDir, { recursive: true });
  return {
    rows: [
      {
        name: `Rebuild in MongoDB (${name})`,
        value: median(done.map(({ documents, rebuildSeconds }) => documents / rebuildSeconds)),
        unit: 'documents/s',
        reference: median(done.map(({ documents, bareSeconds }) => documents / bareSeconds)),
        ratio: median(done.map(({ rebuildSeconds, bareSeconds }) => bareSeconds / rebuildSeconds)),
        target: { bound: 'at least', of: 'ratio', limit: 0.7 },
      },
    ],
    raw: { server: name, rounds: done },
  };
}

/** One rebuild, and the documents that it made written once more without it. */
async function round(events: string, server: MongoServer): Promise<Round> {
  const [rebuilt, bare] = [newDatabase(server), newDatabase(server)];
  try {
    const rebuildSeconds = await rebuild(events, rebuilt.url);
    const documents = await documentsIn(rebuilt.url);
    const bareSeconds = await writeBare(bare.url, documents);
    const count = [...documents.values()].reduce((sum, { length }) => sum + length, 0);
    return { documents: count, rebuildSeconds, bareSeconds };
  } finally {
    await rebuilt.drop();
    await bare.drop();
  }
}

async function rebuild(events: string, url: string): Promise<number> {
  const { reader, close } = openSqliteEventReader(events);
  const store = await openMongoReadModelStore(url);
  await prepareReadModels(store, reader);
  const head = (await reader.headPosition()) ?? 0n;
  const done = new AbortController();
  let problem: unknown;
  const worker = composeWorker({
    reader,
    readModels: store,
    // One projector over all projections, as in the rebuild of the embedded read models.
    config: { readModels: { kind: 'memory' }, defaultCurrency: 'USD' },
    onProblem: (found) => {
      problem = found;
      done.abort();
    },
    onProjected: async () => {
      const checkpoints = await store.checkpoints();
      if (checkpoints.every(({ position }) => position >= head)) done.abort();
    },
  });
  const startedAt = performance.now();
  await worker.run(done.signal);
  const seconds = (performance.now() - startedAt) / 1000;
  await store.close();
  close();
  if (problem !== undefined) throw new Error('the rebuild in MongoDB failed', { cause: problem });
  return seconds;
}

async function documentsIn(url: string): Promise<Map<string, Document[]>> {
  return withClient(url, async (client) => {
    const found = new Map<string, Document[]>();
    for (const { name } of projections) found.set(name, await client.db().collection(name).find().toArray());
    return found;
  });
}

/** Nothing but the documents, into collections with the same indexes, confirmed in the same way. */
async function writeBare(url: string, documents: ReadonlyMap<string, Document[]>): Promise<number> {
  const store = await openMongoReadModelStore(url);
  await store.prepare(projections, 'bare');
  await store.close();
  return withClient(url, async (client) => {
    const startedAt = performance.now();
    for (const [name, all] of documents) {
      const collection = client.db().collection(name, { writeConcern: { w: 'majority' } });
      for (let from = 0; from < all.length; from += BULK) {
        const operations = all.slice(from, from + BULK).map((document) => ({ insertOne: { document } }));
        await collection.bulkWrite(operations, { ordered: false });
      }
    }
    return (performance.now() - startedAt) / 1000;
  });
}
