/** Every setting that the environment may have: its form, its default and its meaning. */
import { z } from 'zod';
import { isCurrency } from './domain/currency.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export const KURRENTDB_URL = /^(esdb|kurrentdb)(\+discover)?:\/\/.+/;
export const MONGODB_URL = /^mongodb(\+srv)?:\/\/.+/;

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

/** `./openbank help config` prints this table. */
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
