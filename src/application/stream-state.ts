/** How one stream is, in the words of the API: what its document says, as of now. */
import { BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import type { RecordedEvent } from '../event-sourcing/event-store.ts';
import {
  dayOf,
  RECENT_DAYS,
  STREAM_FAULTS,
  type StreamCategory,
  type StreamFault,
  type StreamHealthDocument,
} from '../projections/stream-health.ts';
import type { Bank } from './bank.ts';

export { STREAM_CATEGORIES, STREAM_FAULTS } from '../projections/stream-health.ts';

type StreamProblem = StreamFault | 'snapshot_lag';

export interface StreamState {
  readonly stream: string;
  readonly category: StreamCategory;
  readonly first_revision: number;
  /** Its newest revision and one. */
  readonly length: number;
  readonly events: number;
  readonly bytes: number;
  readonly first_event_at: string;
  readonly last_event_at: string;
  /** Whole days since the first event, and since the newest. */
  readonly age_days: number;
  readonly quiet_days: number;
  readonly events_last_7_days: number;
  /** Over the last seven days, or over the stream's whole age where it is younger. */
  readonly events_per_day: number;
  readonly problems: readonly StreamProblem[];
  readonly faults: readonly FaultState[];
  /** The newest ones, at most five. */
  readonly gaps: readonly GapState[];
  readonly snapshot?: SnapshotState;
}

export interface FaultState {
  readonly fault: StreamFault;
  readonly count: number;
  readonly since_revision: number;
  readonly newest_revision: number;
  readonly newest_type: string;
}

export interface GapState {
  readonly after_revision: number;
  readonly next_revision: number;
  /** What is missing was cut off on purpose: the stream does not begin before `next_revision` any more. */
  readonly cut_off: boolean;
}

export interface SnapshotState {
  /** Of the newest usable snapshot; null where there is none. */
  readonly revision: number | null;
  /** Events that a load has to read behind it. */
  readonly lag: number;
}

type States = Pick<Bank, 'events' | 'now'>;

/** The state without its snapshots. A gap is looked for in the stream itself, since what was cut off is no fault. */
export async function streamState(
  bank: States,
  stream: string,
  document: StreamHealthDocument,
): Promise<StreamState> {
  const { category, first_revision, length, events, bytes, first_at, last_at, faults = {} } = document;
  const today = dayOf(bank.now().toISOString());
  const age_days = Math.max(0, today - dayOf(first_at));
  const events_last_7_days = recentEvents(document, today);
  const gaps = await gapStates(bank, stream, document);
  const isFaulty = (fault: StreamFault) =>
    faults[fault] !== undefined && (fault !== 'gap' || gaps.some(({ cut_off }) => !cut_off));
  return {
    stream,
    category,
    first_revision,
    length,
    events,
    bytes,
    first_event_at: first_at,
    last_event_at: last_at,
    age_days,
    quiet_days: Math.max(0, today - dayOf(last_at)),
    events_last_7_days,
    events_per_day: Math.round((events_last_7_days / Math.min(RECENT_DAYS, age_days + 1)) * 100) / 100,
    problems: STREAM_FAULTS.filter(isFaulty),
    faults: STREAM_FAULTS.flatMap((fault) => {
      const { count, since, newest } = faults[fault] ?? {};
      if (count === undefined || since === undefined || !newest) return [];
      const { revision: newest_revision, type: newest_type } = newest;
      return [{ fault, count, since_revision: since, newest_revision, newest_type }];
    }),
    gaps,
  };
}

/** The same with what a load of an account begins with; other streams have no snapshots. */
export async function withSnapshot(bank: Pick<Bank, 'snapshots'>, state: StreamState): Promise<StreamState> {
  const snapshot = await snapshotOf(bank, state.stream, state.length);
  if (!snapshot) return state;
  const { everyEvents } = bank.snapshots.policy;
  const lags = everyEvents !== undefined && snapshot.lag > everyEvents;
  const problems: readonly StreamProblem[] = lags ? [...state.problems, 'snapshot_lag'] : state.problems;
  return { ...state, problems, snapshot };
}

/** What a load of an account begins with; nothing for other streams. @param length its newest revision and one */
export async function snapshotOf(
  { snapshots }: Pick<Bank, 'snapshots'>,
  stream: string,
  length: number,
): Promise<SnapshotState | undefined> {
  const account = accountOf(stream);
  if (account === undefined) return undefined;
  const newest = await snapshots.history.atOrBefore(account, length - 1);
  const revision = newest?.revision ?? null;
  return { revision, lag: length - 1 - (revision ?? -1) };
}

/** The id of the account whose stream this is. */
function accountOf(stream: string): string | undefined {
  const digits = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
  const [, ...parts] = digits.exec(stream.slice(BANK_ACCOUNT_STREAM_PREFIX.length)) ?? [];
  return stream.startsWith(BANK_ACCOUNT_STREAM_PREFIX) && parts.length > 0 ? parts.join('-') : undefined;
}

function recentEvents({ recent, last_day }: StreamHealthDocument, today: number): number {
  const ago = Math.max(0, today - last_day);
  return recent.slice(0, Math.max(0, RECENT_DAYS - ago)).reduce((sum, count) => sum + count, 0);
}

async function gapStates(bank: States, stream: string, { gaps = [] }: StreamHealthDocument) {
  if (gaps.length === 0) return [];
  const begins = (await firstEvent(bank, stream))?.revision ?? Number.POSITIVE_INFINITY;
  return gaps.map(({ after, next }) => ({
    after_revision: after,
    next_revision: next,
    cut_off: next > after && begins >= next,
  }));
}

/** The oldest event that can still be read. */
export async function firstEvent({ events }: Pick<Bank, 'events'>, stream: string) {
  return anEvent(events.readStream(stream, { limit: 1 }));
}

export async function lastEvent({ events }: Pick<Bank, 'events'>, stream: string) {
  return anEvent(events.readStream(stream, { limit: 1, direction: 'backwards' }));
}

async function anEvent(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent | undefined> {
  for await (const event of events) return event;
  return undefined;
}
