/** Queries: how the streams are, all together, the longest, stale and problematic ones, and each. */
import { z } from 'zod';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import type { RecordedEvent } from '../../event-sourcing/event-store.ts';
import type { RankOptions, StoredDocument } from '../../event-sourcing/read-model-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import {
  dayOf,
  STREAM_CATEGORIES,
  type StreamCategory,
  type StreamHealthDocument,
  streamHealth,
} from '../../projections/stream-health.ts';
import type { Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { type CategoryFigures, categoryFigures, countOrphans, ORPHAN_MINUTES } from '../stream-figures.ts';
import { firstEvent, lastEvent, type StreamState, streamState, withSnapshot } from '../stream-state.ts';
import { decodeCursor, encodeCursor, invalidCursor, type Page, pageFields } from './paging.ts';
import { streamNameFields } from './streams.ts';

type Stored = StoredDocument<StreamHealthDocument>;

/** Documents that one request looks through for streams that it may show. */
const LOOKED_AT_MAX = 400;
const LONGEST_SHOWN = 10;

export interface StreamHealthSummary {
  readonly categories: readonly CategoryFigures[];
  readonly longest: readonly StreamState[];
  /** Transfers that nobody seems to drive, and after how many minutes they count. */
  readonly orphan_transfers: number;
  readonly orphan_minutes: number;
}

export const GetStreamHealthSummary = query<StreamHealthSummary>()(
  'GetStreamHealthSummary',
  z.strictObject({}),
);

export function getStreamHealthSummaryHandler(
  bank: Bank,
): Handler<Record<string, never>, StreamHealthSummary> {
  return async () => {
    const longest = await ranked(bank, STREAM_CATEGORIES, {
      by: 'magnitude',
      order: 'largest_first',
      limit: LONGEST_SHOWN,
    });
    return accept({
      categories: await categoryFigures(bank.readModels),
      longest: byLength(await statesOf(bank, longest)),
      orphan_transfers: await countOrphans(bank.readModels, bank.now()),
      orphan_minutes: ORPHAN_MINUTES,
    });
  };
}

export const STREAM_LISTS = ['longest', 'stale', 'problems', 'snapshot_lag'] as const;

export const streamHealthFields = z.strictObject({
  ...pageFields,
  list: z
    .enum(STREAM_LISTS)
    .default('longest')
    .meta({
      description:
        '`longest`: by length, to two digits. `stale`: open accounts and unfinished transfers without an event for ' +
        '`days`, the quietest first. `problems`: with a gap, or with events that cannot be read. `snapshot_lag`: ' +
        'accounts with more events behind their newest snapshot than there should be.',
      examples: ['longest'],
    }),
  category: z
    .enum(['person', 'bank-account', 'transfer'])
    .optional()
    .meta({
      description: 'Only streams of this kind; for `longest` and `stale`.',
      examples: ['bank-account'],
    }),
  days: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .meta({ description: 'For `stale`: without an event for so many days.', examples: [30] }),
});

type ListRequest = z.output<typeof streamHealthFields>;

export const ListStreamHealth = query<Page<StreamState>>()('ListStreamHealth', streamHealthFields);

export function listStreamHealthHandler(bank: Bank): Handler<ListRequest, Page<StreamState>> {
  return (request) => {
    switch (request.list) {
      case 'longest':
        return longest(bank, request);
      case 'stale':
        return stale(bank, request);
      case 'problems':
        return problematic(bank, request);
      case 'snapshot_lag':
        return lagging(bank, request);
    }
  };
}

async function longest(bank: Bank, request: ListRequest): Promise<Decision<Page<StreamState>>> {
  const page = await rankedPage(bank, request, { by: 'magnitude', order: 'largest_first' });
  if (!page.ok) return page;
  return accept({ ...page.value, items: byLength(await statesOf(bank, page.value.items)) });
}

async function stale(bank: Bank, request: ListRequest): Promise<Decision<Page<StreamState>>> {
  const page = await rankedPage(bank, request, { by: 'quiet_since', order: 'smallest_first' });
  if (!page.ok) return page;
  const newest = dayOf(bank.now().toISOString()) - request.days;
  const shown = page.value.items.filter((one) => numberOf(one, 'quiet_since') <= newest);
  const items = await statesOf(bank, shown);
  return accept(shown.length < page.value.items.length ? { items } : { ...page.value, items });
}

async function problematic(bank: Bank, { limit, cursor }: ListRequest): Promise<Decision<Page<StreamState>>> {
  const list = 'stream_health/problems';
  const after = cursor === undefined ? undefined : decodeCursor(list, cursor);
  if (after === null) return invalidCursor();
  const found = await bank.readModels.find<StreamHealthDocument>(streamHealth, {
    where: { problem: 'yes' },
    order: 'newest_first',
    ...(after ? { after } : {}),
    limit: limit + 1,
  });
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const states = await statesOf(bank, shown);
  return accept({
    // What was cut off on purpose is no fault.
    items: states.filter(({ problems }) => problems.length > 0),
    ...(last && found.length > limit ? { next_cursor: encodeCursor(list, last) } : {}),
  });
}

/** Snapshots are not in the log that read models follow, so they are looked up: a bounded number for each request. */
async function lagging(bank: Bank, { limit, cursor }: ListRequest): Promise<Decision<Page<StreamState>>> {
  const { everyEvents } = bank.snapshots.policy;
  const items: StreamState[] = [];
  let place = cursor;
  for (let looked = 0; looked < LOOKED_AT_MAX && items.length < limit; looked += limit) {
    const request = { limit: limit - items.length, cursor: place, category: 'bank-account' as const };
    const page = await rankedPage(bank, { ...request, list: 'snapshot_lag' }, BY_LENGTH);
    if (!page.ok) return page;
    // Those behind are shorter still.
    const long = page.value.items.filter(({ document }) => (document?.length ?? 0) > (everyEvents ?? 0));
    for (const state of everyEvents === undefined ? [] : await statesOf(bank, long)) {
      const whole = await withSnapshot(bank, state);
      if (whole.problems.includes('snapshot_lag')) items.push(whole);
    }
    place = long.length === 0 ? undefined : page.value.next_cursor;
    if (place === undefined) break;
  }
  return accept({ items, ...(place === undefined ? {} : { next_cursor: place }) });
}

const BY_LENGTH = { by: 'magnitude', order: 'largest_first' } as const;

/** The first and the newest event as they can be read now; null where they cannot. */
export interface WholeStreamState extends StreamState {
  readonly first_event: StreamEvent | null;
  readonly last_event: StreamEvent | null;
}

export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly revision: number;
  readonly at: string;
}

export const GetStreamHealth = query<WholeStreamState>()('GetStreamHealth', streamNameFields);

export function getStreamHealthHandler(bank: Bank): Handler<{ name: string }, WholeStreamState> {
  return async ({ name }) => {
    const document = (await bank.readModels.get<StreamHealthDocument>(streamHealth, name))?.document;
    if (!document) {
      return reject('stream_not_found', `There is no stream ${name} of a person, an account or a transfer.`, {
        field: 'name',
      });
    }
    return accept({
      ...(await withSnapshot(bank, await streamState(bank, name, document))),
      first_event: await eventOf(() => firstEvent(bank, name)),
      last_event: await eventOf(() => lastEvent(bank, name)),
    });
  };
}

async function eventOf(read: () => Promise<RecordedEvent | undefined>): Promise<StreamEvent | null> {
  try {
    const event = await read();
    if (!event) return null;
    const { id, type, revision, recordedAt, metadata } = event;
    return { id, type, revision, at: metadata.timestamp ?? recordedAt };
  } catch (error) {
    // What nobody can read is what the answer is about.
    if (error instanceof StoreError && error.code === 'corrupt') return null;
    throw error;
  }
}

type RankedRequest = Pick<ListRequest, 'limit' | 'cursor' | 'list' | 'category'>;

/** A page of a ranking over one kind of streams or all of them. */
async function rankedPage(
  bank: Bank,
  { list, category, cursor, limit }: RankedRequest,
  ranking: Pick<RankOptions, 'by' | 'order'>,
): Promise<Decision<Page<Stored>>> {
  const name = `stream_health/${list}/${category ?? 'all'}`;
  const place = cursor === undefined ? undefined : decodeCursor(name, cursor);
  if (place === null) return invalidCursor();
  const found = await ranked(bank, category ? [category] : STREAM_CATEGORIES, {
    ...ranking,
    ...(place ? { after: { value: Number(place.sequence), key: place.key } } : {}),
    limit: limit + 1,
  });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  if (!last || found.length <= limit) return accept({ items });
  const sequence = BigInt(numberOf(last, ranking.by));
  return accept({ items, next_cursor: encodeCursor(name, { sequence, key: last.key }) });
}

/** The same ranking of several kinds, put together: all of them begin behind the same place. */
async function ranked(
  { readModels }: Pick<Bank, 'readModels'>,
  categories: readonly StreamCategory[],
  options: Omit<RankOptions, 'within'>,
): Promise<Stored[]> {
  const found = await Promise.all(
    categories.map((within) => readModels.rank<StreamHealthDocument>(streamHealth, { ...options, within })),
  );
  const { by, order, limit } = options;
  const ascending = (one: Stored, other: Stored) =>
    numberOf(one, by) - numberOf(other, by) || (one.key < other.key ? -1 : 1);
  const sorted = found
    .flat()
    .sort((one, other) => ascending(one, other) * (order === 'largest_first' ? -1 : 1));
  return sorted.slice(0, limit);
}

function numberOf({ document }: Stored, by: string): number {
  return Number(document?.[by as 'magnitude' | 'quiet_since'] ?? 0);
}

async function statesOf(bank: Bank, found: readonly Stored[]): Promise<StreamState[]> {
  const states: StreamState[] = [];
  for (const { key, document } of found) if (document) states.push(await streamState(bank, key, document));
  return states;
}

function byLength(states: readonly StreamState[]): StreamState[] {
  return [...states].sort((one, other) => other.length - one.length);
}
