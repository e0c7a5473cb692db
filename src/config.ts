/** The one configuration: read from the environment (and `.env`), checked once, frozen. */
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { SqliteLocation } from './adapters/sqlite/database.ts';
import { isCurrency } from './domain/currency.ts';
import type { SnapshotPolicy } from './event-sourcing/snapshots/snapshot-policy.ts';
import type { Retention } from './event-sourcing/snapshots/snapshot-store.ts';

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

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const KURRENTDB_URL = /^(esdb|kurrentdb)(\+discover)?:\/\/.+/;
const MONGODB_URL = /^mongodb(\+srv)?:\/\/.+/;

function storeUrl(holds: string, file: string, server: RegExp, serverUrl: string) {
  return z
    .string()
    .refine(
      (url) => /^sqlite:.+/.test(url) || server.test(url),
      `must be sqlite:FILE, sqlite::memory: or ${serverUrl}`,
    )
    .describe(
      `Where ${holds} are kept: sqlite:FILE (${file} in the data directory), sqlite::memory: to forget them, or ${serverUrl}`,
    );
}

/** The longest that a timer of Node.js can wait is some 24 days. */
const SECONDS_MAX = 24 * 60 * 60;

function seconds(fallback: number) {
  return z.coerce
    .number('must be a number of seconds')
    .min(0, 'must not be negative')
    .max(SECONDS_MAX, `must be at most ${SECONDS_MAX}`)
    .default(fallback);
}

function wholeNumber(fallback: number, least: number, most: number) {
  const bounds = `must be a whole number from ${least} to ${most}`;
  return z.coerce.number(bounds).int(bounds).min(least, bounds).max(most, bounds).default(fallback);
}

/** The characters of a URI reference (RFC 3986). */
const URI_REFERENCE = /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$/;

/** Every setting: its default and its meaning. `./openbank help config` prints this table. */
export const settings = {
  OPENBANK_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  OPENBANK_PORT: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(0, 'must be between 0 and 65535')
    .max(65535, 'must be between 0 and 65535')
    .default(8899)
    .describe('Port to listen on; 0 takes any free one'),
  OPENBANK_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .optional()
    .describe(
      'Address at which clients reach the API, for links in CloudEvents; from host and port without it',
    ),
  OPENBANK_DATA_DIR: z.string().min(1).default('.openbank').describe('Databases, log and pid file'),
  OPENBANK_ARCHIVE_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Where events lie that were cut off when books were closed: archive in the data directory; with a server, a directory that all processes share, and nothing is archived without it',
    ),
  OPENBANK_EVENT_STORE: storeUrl(
    'events',
    'events.db',
    KURRENTDB_URL,
    'esdb://… or kurrentdb://…',
  ).optional(),
  OPENBANK_READ_MODELS: storeUrl('read models', 'read-models.db', MONGODB_URL, 'mongodb://…').optional(),
  OPENBANK_ROLE: z
    .enum(['all', 'api', 'worker'], 'must be all, api or worker')
    .default('all')
    .describe('all runs API and projections in one process; api and worker need server stores'),
  OPENBANK_DEFAULT_CURRENCY: z
    .string()
    .refine(isCurrency, 'must be an ISO 4217 code such as USD')
    .default('USD')
    .describe(
      'Currency of accounts that name none; a store with accounts from before accounts had one starts only with theirs',
    ),
  OPENBANK_HOLD_EXPIRY_SECONDS: seconds(60).describe(
    'How often expired holds are recorded, in roles all and worker; 0 leaves it to POST /admin/holds/expire',
  ),
  OPENBANK_INTEREST_SECONDS: seconds(600).describe(
    "How often to look whether last month's interest and fees are due, in roles all and worker; 0 leaves them to POST /admin/interest-runs",
  ),
  CLOUD_EVENT_SINK: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .refine(hasReadableLogin, 'must have a user and a password in percent-encoded UTF-8')
    .optional()
    .describe('Address that published CloudEvents are posted to; nothing is published without it'),
  CLOUD_EVENT_MODE: z
    .enum(['binary', 'structured'], 'must be binary or structured')
    .default('binary')
    .describe('How a CloudEvent is posted: its attributes as headers, or all of it as one JSON body'),
  CLOUD_EVENT_SOURCE: z
    .string()
    .min(1)
    .max(200)
    // Anything else would park every event as no valid CloudEvent.
    .regex(URI_REFERENCE, 'must be a URI or a part of one, without spaces')
    .default('openbank')
    .describe('source of published CloudEvents'),
  CLOUD_EVENT_TYPE_PREFIX: z
    .string()
    .regex(/^[a-z0-9]+([.-][a-z0-9]+)*$/, 'must be lower-case words with dots between them')
    .default('bank')
    .describe('First part of the type of every CloudEvent, as in bank.transaction.v1'),
  OPENBANK_SNAPSHOT_EVERY: wholeNumber(100, 0, 1_000_000).describe(
    'Events of an account after which a snapshot of it is taken; 0 takes none for this reason',
  ),
  OPENBANK_SNAPSHOT_AGE_DAYS: wholeNumber(7, 0, 36_500).describe(
    'Days that ten or more events of an account may be without a snapshot; 0 is for ever',
  ),
  OPENBANK_SNAPSHOT_SLOW_LOAD_MS: wholeNumber(100, 0, 3_600_000).describe(
    'Milliseconds after which a load counts as slow, and is followed by a snapshot; 0 is never',
  ),
  OPENBANK_SNAPSHOT_KEEP: wholeNumber(10, 1, 1_000).describe('Newest snapshots of an account that are kept'),
  OPENBANK_SNAPSHOT_MILESTONE_EVERY: wholeNumber(1_000, 0, 1_000_000_000).describe(
    'One snapshot in so many revisions is kept for good, for looks into the past; 0 keeps none',
  ),
  OPENBANK_SNAPSHOT_AUDIT_SECONDS: wholeNumber(60, 0, 86_400).describe(
    'Seconds between two comparisons of an account’s snapshots with its events; 0 makes none',
  ),
  OPENBANK_BACKUP_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Where backups of the embedded store go, by POST /admin/backups and ./openbank backup'),
  OPENBANK_LOG_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('Log to this file, rotated by size, not to stdout'),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`)
    .default('info')
    .describe('pino level'),
};

const environment = z.object(settings);

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

function hasReadableLogin(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
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
