/**
 * One-shot container of docker-compose.yml: makes both servers what OpenBank expects of them, and ends. Running it
 * again changes nothing.
 */
import { MongoClient } from 'mongodb';
import { ensureCategorySeparator } from './category-separator.ts';
import { ensureReplicaSet } from './replica-set.ts';

const WAIT_MS_MAX = 120_000;
const CONNECT_MS_MAX = 10_000;

await setUpReadModels(variable('OPENBANK_READ_MODELS'));
await setUpEventStore(variable('OPENBANK_EVENT_STORE'));

/** Without a primary there are no read models, so a failure ends this with an error. */
async function setUpReadModels(url: string): Promise<void> {
  const { host, searchParams } = new URL(url);
  const name = searchParams.get('replicaSet');
  if (!name) throw new Error(`OPENBANK_READ_MODELS=${url} names no replicaSet.`);
  // A replica set without members can only be spoken to directly.
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, {
    serverSelectionTimeoutMS: CONNECT_MS_MAX,
  });
  try {
    const outcome = await ensureReplicaSet(client.db('admin'), { name, host, waitMs: WAIT_MS_MAX });
    console.log(`MongoDB: replica set ${name} ${outcome}.`);
  } finally {
    await client.close();
  }
}

/** The bank reads none of the category streams; they are for people who browse. So a failure is only said. */
async function setUpEventStore(url: string): Promise<void> {
  try {
    const server = `http://${new URL(url).host}`;
    const changed = await ensureCategorySeparator(server, { waitMs: WAIT_MS_MAX });
    const projections = changed.length > 0 ? `changed ${changed.join(' and ')}` : 'nothing to change';
    console.log(`KurrentDB: categories end at the last hyphen (${projections}).`);
  } catch (error) {
    console.error(`KurrentDB: categories end at the first hyphen, as by default. ${String(error)}`);
  }
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set.`);
  return value;
}
