/**
 * Read models `stream_health` and `stream_categories`: how each stream is, and how all of a kind are together. They watch
 * the log itself, so that what no other projection can read shows here. Their folds never fail.
 */
import { BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import { PERSON_STREAM_PREFIX } from '../domain/person.ts';
import { TRANSFER_STREAM_PREFIX } from '../domain/transfer.ts';
import type { LoggedEvent } from '../event-sourcing/logged-event.ts';
import { defineLogProjection } from '../event-sourcing/projection.ts';

/** What may be wrong with a stream by its events alone. */
export const STREAM_FAULTS = ['gap', 'unknown_type', 'failing_upcast', 'unreadable'] as const;
export type StreamFault = (typeof STREAM_FAULTS)[number];

/** Revisions that are not there: those between two events that should follow each other. */
export interface Gap {
  readonly after: number;
  readonly next: number;
}

export interface FaultRecord {
  readonly count: number;
  /** The revision at which it was seen first. */
  readonly since: number;
  /** The newest event at which it was seen. */
  readonly newest: { readonly type: string; readonly revision: number };
}

export type StreamHealthDocument = {
  readonly category: StreamCategory;
  /** 0, unless what came before was cut off before it was seen. */
  readonly first_revision: number;
  /** Its newest revision and one: what is missing or was cut off counts, too. */
  readonly length: number;
  /** The length cut to two digits, so that most events leave the order of streams by length alone. */
  readonly magnitude: number;
  /** Those that were seen. */
  readonly events: number;
  /** Of their data and metadata, as JSON in UTF-8. */
  readonly bytes: number;
  /** When the first and the newest event happened, RFC 3339 UTC. What they are, the stream itself tells. */
  readonly first_at: string;
  readonly last_at: string;
  /** The day of the newest event, counted from 1970; missing where nothing more is expected to happen. */
  readonly quiet_since?: number;
  /** Events of `last_day`, of the day before, and so on; a week at most. */
  readonly recent: readonly number[];
  readonly last_day: number;
  readonly faults?: { readonly [fault in StreamFault]?: FaultRecord };
  /** The newest ones. */
  readonly gaps?: readonly Gap[];
  /** There, and this text, where something is wrong: lists of such streams go by it. */
  readonly problem?: 'yes';
};

export type StreamCategoryDocument = {
  readonly streams: number;
  readonly events: number;
  readonly bytes: number;
  readonly last_event_at: string;
  /** Streams by the smallest of `LENGTH_CLASSES` that is not below their length. */
  readonly lengths: Readonly<Record<string, number>>;
  /** Streams with any fault, and with each of them. */
  readonly with_faults: Readonly<Partial<Record<StreamFault | 'any', number>>>;
};

const PREFIXES = {
  person: PERSON_STREAM_PREFIX,
  'bank-account': BANK_ACCOUNT_STREAM_PREFIX,
  transfer: TRANSFER_STREAM_PREFIX,
} as const;
export type StreamCategory = keyof typeof PREFIXES;
export const STREAM_CATEGORIES = Object.keys(PREFIXES) as StreamCategory[];

/** After these, a stream is not expected to go on; nor is a person's after any. */
const FINAL_TYPES: ReadonlySet<string> = new Set([
  'BankAccountClosedDomainEventV1',
  'TransferCompletedDomainEventV1',
  'TransferRejectedDomainEventV1',
  'TransferRefundedDomainEventV1',
  'TransferSuspendedDomainEventV1',
  'TransferReversedDomainEventV1',
]);

/** Upper ends of the classes of stream lengths; beyond them comes `more`. */
export const LENGTH_CLASSES = [1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000, 1_000_000] as const;
export const LONGER = 'more';

export const RECENT_DAYS = 7;
const GAPS_KEPT = 5;
const DAY_MS = 86_400_000;
const UTC_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

export const streamHealth = defineLogProjection<StreamHealthDocument>({
  name: 'stream_health',
  version: 2,
  patient: true,
  indexes: ['problem'],
  listed: false,
  rankings: [
    { by: 'magnitude', within: 'category' },
    { by: 'quiet_since', within: 'category' },
  ],
  keys: ({ stream }) => (categoryOf(stream) ? [stream] : []),
  fold(document, event, _lookup, stream) {
    const { revision, type } = event;
    const at = atOf(event);
    const day = dayOf(at);
    const category = document?.category ?? categoryOf(stream) ?? 'bank-account';
    const awaitsMore = category !== 'person' && !FINAL_TYPES.has(type);
    return {
      category,
      first_revision: document?.first_revision ?? revision,
      length: revision + 1,
      magnitude: magnitudeOf(revision + 1),
      events: (document?.events ?? 0) + 1,
      bytes: (document?.bytes ?? 0) + bytesOf(event),
      first_at: document?.first_at ?? at,
      last_at: at,
      ...(awaitsMore ? { quiet_since: day } : {}),
      ...withRecent(document, day),
      ...withFaults(document, event),
    };
  },
});

export const streamCategories = defineLogProjection<StreamCategoryDocument>({
  name: 'stream_categories',
  version: 1,
  patient: true,
  indexes: [],
  listed: false,
  keys: ({ stream }) => {
    const category = categoryOf(stream);
    return category ? [category] : [];
  },
  lookups: ({ stream }) => [{ from: streamHealth, key: stream }],
  fold(document, event, lookup) {
    const stream = lookup.get(streamHealth, event.stream);
    const { streams = 0, events = 0, bytes = 0, lengths = {}, with_faults = {} } = document ?? {};
    const isFirst = stream?.first_revision === event.revision;
    const at = atOf(event);
    const lastAt = document?.last_event_at ?? at;
    return {
      streams: streams + (isFirst ? 1 : 0),
      events: events + 1,
      bytes: bytes + bytesOf(event),
      last_event_at: at > lastAt ? at : lastAt,
      lengths: withLength(lengths, event, isFirst ? undefined : lengthBefore(stream, event)),
      with_faults: withNewFaults(with_faults, stream, event),
    };
  },
});

/** The kind of a stream; nothing for one that is none of the bank's. */
export function categoryOf(stream: string): StreamCategory | undefined {
  return STREAM_CATEGORIES.find((category) => stream.startsWith(PREFIXES[category]));
}

/** Days since 1970 at a moment, RFC 3339 UTC. */
export function dayOf(at: string): number {
  const text = at.slice(0, 10);
  if (text !== lastDay.text) lastDay = { text, day: Math.floor(Date.parse(text) / DAY_MS) };
  return lastDay.day;
}

/** 7 is 7, 47 is 47, 1,234 is 1,200. */
function magnitudeOf(length: number): number {
  let step = 1;
  while (length >= step * 100) step *= 10;
  return length - (length % step);
}

/** The class of a length: the upper end as text, or `LONGER`. */
export function lengthClass(length: number): string {
  return String(LENGTH_CLASSES.find((end) => length <= end) ?? LONGER);
}

/** What cannot be read may not say when it happened, or say nonsense. */
function atOf({ metadata, recordedAt }: LoggedEvent): string {
  const { timestamp } = metadata as { timestamp?: unknown };
  return typeof timestamp === 'string' && isTime(timestamp) ? timestamp : recordedAt;
}

/** The day of the last time that was asked for: the events of a log come day by day. */
let lastDay = { text: '', day: 0 };

function isTime(text: string): boolean {
  return UTC_TIME.test(text) && !Number.isNaN(dayOf(text));
}

/** Both read models ask for the size of each event, one after the other. */
let lastSized: { readonly of?: object; readonly bytes: number } = { bytes: 0 };

function bytesOf({ data, metadata }: LoggedEvent): number {
  if (lastSized.of === metadata) return lastSized.bytes;
  const bytes = Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(metadata));
  lastSized = { of: metadata, bytes };
  return bytes;
}

/** An event from before the newest day, by another clock, counts for its own day. */
function withRecent(
  document: StreamHealthDocument | undefined,
  day: number,
): Pick<StreamHealthDocument, 'recent' | 'last_day'> {
  if (!document) return { last_day: day, recent: [1] };
  const { recent, last_day } = document;
  if (day > last_day) {
    const between = Array.from({ length: Math.min(day - last_day - 1, RECENT_DAYS) }, () => 0);
    return { last_day: day, recent: [1, ...between, ...recent].slice(0, RECENT_DAYS) };
  }
  const ago = last_day - day;
  if (ago === 0) return { last_day, recent: recent.with(0, (recent[0] ?? 0) + 1) };
  if (ago >= RECENT_DAYS) return { last_day, recent };
  const filled = Array.from({ length: Math.max(recent.length, ago + 1) }, (_, index) => recent[index] ?? 0);
  return { last_day, recent: filled.with(ago, (filled[ago] ?? 0) + 1) };
}

function withFaults(
  document: StreamHealthDocument | undefined,
  { type, revision, fault }: LoggedEvent,
): Pick<StreamHealthDocument, 'faults' | 'gaps' | 'problem'> {
  const gap =
    document && revision !== document.length ? { after: document.length - 1, next: revision } : undefined;
  const { faults = {}, gaps = [], problem } = document ?? {};
  if (!gap && !fault) return problem ? { faults, gaps, problem } : {};
  const seen: StreamFault[] = [...(gap ? (['gap'] as const) : []), ...(fault ? [fault] : [])];
  const counted = seen.map((one) => {
    const { count = 0, since = revision } = faults[one] ?? {};
    return [one, { count: count + 1, since, newest: { type, revision } }] as const;
  });
  return {
    faults: { ...faults, ...Object.fromEntries(counted) },
    gaps: gap ? [...gaps, gap].slice(-GAPS_KEPT) : gaps,
    problem: 'yes',
  };
}

/** The stream's document may be ahead of the event: then the newest gaps still tell what came before it. */
function lengthBefore(stream: StreamHealthDocument | undefined, { revision }: LoggedEvent): number {
  const gap = stream?.gaps?.find(({ next }) => next === revision);
  return gap ? gap.after + 1 : revision;
}

function withLength(
  lengths: Readonly<Record<string, number>>,
  { revision }: LoggedEvent,
  before: number | undefined,
): Readonly<Record<string, number>> {
  const now = lengthClass(revision + 1);
  const old = before === undefined ? undefined : lengthClass(before);
  if (now === old) return lengths;
  const moved = { ...lengths, [now]: (lengths[now] ?? 0) + 1 };
  return old === undefined ? moved : { ...moved, [old]: (lengths[old] ?? 0) - 1 };
}

/** A stream counts for a fault from the first one on. */
function withNewFaults(
  counts: StreamCategoryDocument['with_faults'],
  stream: StreamHealthDocument | undefined,
  { revision }: LoggedEvent,
): StreamCategoryDocument['with_faults'] {
  const faults = stream?.faults;
  if (!faults) return counts;
  const fresh = STREAM_FAULTS.filter((fault) => faults[fault]?.since === revision);
  if (fresh.length === 0) return counts;
  const isFirst = STREAM_FAULTS.every((fault) => (faults[fault]?.since ?? revision) >= revision);
  const names: (StreamFault | 'any')[] = isFirst ? ['any', ...fresh] : fresh;
  return { ...counts, ...Object.fromEntries(names.map((name) => [name, (counts[name] ?? 0) + 1])) };
}
