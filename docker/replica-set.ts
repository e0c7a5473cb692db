/** Makes a fresh MongoDB server a replica set of one, which majority writes and retryable writes need. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 250;

/** `AlreadyInitialized`: another setup was quicker. */
const ALREADY_INITIALIZED = 23;

/** The part of the driver's `Db` that is needed: runs a command on the database `admin`. */
export interface AdminDatabase {
  command(command: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
}

/** The set, and the address at which its one member is reached by everybody who connects by the set's name. */
export interface ReplicaSet {
  readonly name: string;
  readonly host: string;
  /** How long the member may take to become primary, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Initiates the set unless that was done before, and waits until its member takes writes.
 * @throws Error when the server belongs to another set, or does not become primary in time
 */
export async function ensureReplicaSet(
  admin: AdminDatabase,
  { name, host, waitMs }: ReplicaSet,
): Promise<'initiated' | 'was there'> {
  const { setName } = await admin.command({ hello: 1 });
  if (setName !== undefined && setName !== name) {
    throw new Error(`${host} belongs to the replica set ${String(setName)}, not to ${name}.`);
  }
  // A server that restarts as a member tells the set's name only when it has read its configuration.
  const initiated =
    setName === undefined && (await initiate(admin, { _id: name, members: [{ _id: 0, host }] }));
  const deadline = performance.now() + waitMs;
  while ((await admin.command({ hello: 1 })).isWritablePrimary !== true) {
    if (performance.now() > deadline) throw new Error(`${host} did not become primary within ${waitMs} ms.`);
    await delay(POLL_MS);
  }
  return initiated ? 'initiated' : 'was there';
}

async function initiate(
  admin: AdminDatabase,
  configuration: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  try {
    await admin.command({ replSetInitiate: configuration });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === ALREADY_INITIALIZED) return false;
    throw error;
  }
}
