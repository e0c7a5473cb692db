/** The one configuration: read from the environment (and `.env`), checked once, frozen. */
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { SqliteLocation } from './adapters/sqlite/database.ts';
import type { SnapshotPolicy } from './event-sourcing/snapshots/snapshot-policy.ts';
import type { Retention } from './event-sourcing/snapshots/snapshot-store.ts';
import { KURRENTDB_URL, type LOG_LEVELS, MONGODB_URL, settings } from './settings.ts';

export type { SqliteLocation };
export type EventStoreLocation = SqliteLocation | { readonly kind: 'kurrentdb'; readonly url: string };
export type ReadModelLocation = SqliteLocation | { readonly kind: 'mongodb'; readonly url: string };

/** How CloudEvents are named, on their way out and in. */
export interface CloudEventNaming {
  readonly source: string;
  readonly typePrefix: string;
  /** Absolute URL under which the API serves the schemas of the types. */
  readonly schemas: string;
}

/** Where published CloudEvents go, and how they are named. */
export interface CloudEventSettings extends CloudEventNaming {
  readonly sink: string;
  readonly mode: 'binary' | 'structured';
}

/** When snapshots of accounts are taken, which are kept, and how often they are held against the events. */
export interface SnapshotSettings {
  readonly policy: SnapshotPolicy;
  readonly retention: Retention;
  /** Missing when they never are. */
  readonly auditEveryMs?: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Absolute path. */
  readonly dataDir: string;
  readonly eventStore: EventStoreLocation;
  /** Absolute path; missing where nothing can be archived. */
  readonly archiveDir: string | undefined;
  readonly readModels: ReadModelLocation;
  readonly role: 'all' | 'api' | 'worker';
  readonly defaultCurrency: string;
  /** Between two looks at the open holds; 0 is never. */
  readonly holdExpirySeconds: number;
  /** Between two looks whether the last month is posted; 0 is never. */
  readonly interestSeconds: number;
  readonly cloudEventNaming: CloudEventNaming;
  /** What the publisher remembers. Where it is a file, it is not that of the read models: who deletes those publishes nothing again. */
  readonly publisherState: ReadModelLocation;
  /** Missing when nothing is published. */
  readonly cloudEvents?: CloudEventSettings;
  readonly snapshots: SnapshotSettings;
  /** Absolute path; missing where the API makes no backups. */
  readonly backupDir?: string;
  readonly logFile?: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** One sentence that names the variable, its value and what it should be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const environment = z.object(settings);

/**
 * Reads the configuration.
 * @throws ConfigError with one clear sentence for the first wrong value.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable means "not set": that is how compose files and shells leave a value out.
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const variable = String(issue?.path[0]);
    throw new ConfigError(`${variable}=${withoutLogin(set[variable])} is not usable: it ${issue?.message}.`);
  }
  const values = parsed.data;
  const dataDir = resolve(values.OPENBANK_DATA_DIR);
  const eventStore = eventStoreLocation(values.OPENBANK_EVENT_STORE, join(dataDir, 'events.db'));
  const readModels = readModelLocation(values.OPENBANK_READ_MODELS, join(dataDir, 'read-models.db'));
  if (eventStore.kind === 'file' && readModels.kind === 'file' && eventStore.path === readModels.path) {
    throw new ConfigError(
      `OPENBANK_READ_MODELS=${values.OPENBANK_READ_MODELS} is not usable: it is the file of the events.`,
    );
  }
  if (values.OPENBANK_ROLE !== 'all' && (eventStore.kind !== 'kurrentdb' || readModels.kind !== 'mongodb')) {
    throw new ConfigError(
      `OPENBANK_ROLE=${values.OPENBANK_ROLE} is not usable: the embedded store serves one process, so separate roles need server stores in OPENBANK_EVENT_STORE and OPENBANK_READ_MODELS.`,
    );
  }
  return Object.freeze({
    host: values.OPENBANK_HOST,
    port: values.OPENBANK_PORT,
    dataDir,
    eventStore,
    archiveDir: archiveDir(values.OPENBANK_ARCHIVE_DIR, eventStore, dataDir),
    readModels,
    role: values.OPENBANK_ROLE,
    defaultCurrency: values.OPENBANK_DEFAULT_CURRENCY,
    holdExpirySeconds: values.OPENBANK_HOLD_EXPIRY_SECONDS,
    interestSeconds: values.OPENBANK_INTEREST_SECONDS,
    ...cloudEventSettings(values),
    publisherState: publisherState(eventStore, readModels),
    snapshots: snapshotSettings(values),
    ...(values.OPENBANK_BACKUP_DIR ? { backupDir: resolve(values.OPENBANK_BACKUP_DIR) } : {}),
    ...(values.OPENBANK_LOG_FILE ? { logFile: resolve(values.OPENBANK_LOG_FILE) } : {}),
    logLevel: values.LOG_LEVEL,
  });
}

/** Processes of one bank may run on many machines: there nobody but the operator knows what they share. */
function archiveDir(named: string | undefined, { kind }: EventStoreLocation, dataDir: string) {
  if (kind === 'memory') return undefined;
  if (named !== undefined) return resolve(named);
  return kind === 'file' ? join(dataDir, 'archive') : undefined;
}

/** A message may show an address that is wrong, but no password in it. */
function withoutLogin(value = ''): string {
  return value.replace(/\/\/.*@/, '//…@');
}

type Values = z.output<typeof environment>;

function cloudEventSettings(values: Values): Pick<Config, 'cloudEventNaming' | 'cloudEvents'> {
  const { CLOUD_EVENT_SINK: sink, CLOUD_EVENT_MODE: mode } = values;
  const cloudEventNaming = {
    source: values.CLOUD_EVENT_SOURCE,
    typePrefix: values.CLOUD_EVENT_TYPE_PREFIX,
    schemas: `${publicUrl(values)}/api/v1/cloud-events/schemas`,
  };
  return { cloudEventNaming, ...(sink ? { cloudEvents: { sink, mode, ...cloudEventNaming } } : {}) };
}

/** Zero is off. */
function snapshotSettings(values: Values): SnapshotSettings {
  const everyEvents = values.OPENBANK_SNAPSHOT_EVERY;
  const ageMs = values.OPENBANK_SNAPSHOT_AGE_DAYS * DAY_MS;
  const slowLoadMs = values.OPENBANK_SNAPSHOT_SLOW_LOAD_MS;
  const milestoneEvery = values.OPENBANK_SNAPSHOT_MILESTONE_EVERY;
  const auditEveryMs = values.OPENBANK_SNAPSHOT_AUDIT_SECONDS * 1_000;
  return {
    policy: {
      ...(everyEvents > 0 ? { everyEvents } : {}),
      ...(ageMs > 0 ? { ageMs } : {}),
      ...(slowLoadMs > 0 ? { slowLoadMs } : {}),
    },
    retention: { newest: values.OPENBANK_SNAPSHOT_KEEP, ...(milestoneEvery > 0 ? { milestoneEvery } : {}) },
    ...(auditEveryMs > 0 ? { auditEveryMs } : {}),
  };
}

/** Without a slash at its end. An address that only a server can use as it is stands for the machine itself. */
function publicUrl({ OPENBANK_PUBLIC_URL: url, OPENBANK_HOST: host, OPENBANK_PORT: port }: Values): string {
  if (url) return url.replace(/\/+$/, '');
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The server's database, or a file of its own beside the events. */
function publisherState(eventStore: EventStoreLocation, readModels: ReadModelLocation): ReadModelLocation {
  if (readModels.kind === 'mongodb') return readModels;
  const beside = eventStore.kind === 'kurrentdb' ? readModels : eventStore;
  return beside.kind === 'file' ? { kind: 'file', path: join(dirname(beside.path), 'reactors.db') } : beside;
}

function eventStoreLocation(url: string | undefined, fallback: string): EventStoreLocation {
  return url && KURRENTDB_URL.test(url) ? { kind: 'kurrentdb', url } : sqliteLocation(url, fallback);
}

function readModelLocation(url: string | undefined, fallback: string): ReadModelLocation {
  return url && MONGODB_URL.test(url) ? { kind: 'mongodb', url } : sqliteLocation(url, fallback);
}

function sqliteLocation(url: string | undefined, fallback: string): SqliteLocation {
  const target = url?.slice('sqlite:'.length) ?? fallback;
  return target === ':memory:' ? { kind: 'memory' } : { kind: 'file', path: resolve(target) };
}
