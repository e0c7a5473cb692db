/** Figures about all streams together: a handful of documents, however many streams there are. */
import { UNFINISHED_STATUSES } from '../domain/transfer.ts';
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import {
  LENGTH_CLASSES,
  LONGER,
  STREAM_CATEGORIES,
  STREAM_FAULTS,
  type StreamCategory,
  type StreamCategoryDocument,
  type StreamFault,
  streamCategories,
} from '../projections/stream-health.ts';
import { type TransferDocument, transfers } from '../projections/transfers.ts';

/** How long a transfer may take before it counts as an orphan, in minutes: a sweep finishes what is left over sooner. */
export const ORPHAN_MINUTES = 5;

/** Unfinished transfers of each status that are looked at for a figure. */
const ORPHANS_COUNTED_MAX = 1_000;

const MINUTE_MS = 60_000;

export interface CategoryFigures {
  readonly category: StreamCategory;
  readonly streams: number;
  readonly events: number;
  readonly bytes: number;
  /** RFC 3339 UTC; null where there is no event. */
  readonly last_event_at: string | null;
  /** Streams by their length; `up_to` is null for those that are longer than any class. */
  readonly lengths: readonly { readonly up_to: number | null; readonly streams: number }[];
  /** Streams with each fault, and with any. */
  readonly with_faults: Readonly<Record<StreamFault | 'any', number>>;
}

export async function categoryFigures(readModels: Pick<ReadModelReader, 'get'>): Promise<CategoryFigures[]> {
  const figures = STREAM_CATEGORIES.map(async (category) => {
    const stored = await readModels.get<StreamCategoryDocument>(streamCategories, category);
    const { streams = 0, events = 0, bytes = 0, last_event_at = null, lengths = {} } = stored?.document ?? {};
    const faults = stored?.document?.with_faults ?? {};
    const lengthOf = (up_to: number | null) => ({ up_to, streams: lengths[String(up_to ?? LONGER)] ?? 0 });
    return {
      category,
      streams,
      events,
      bytes,
      last_event_at,
      lengths: [...LENGTH_CLASSES, null].map(lengthOf),
      with_faults: Object.fromEntries(
        (['any', ...STREAM_FAULTS] as const).map((fault) => [fault, faults[fault] ?? 0]),
      ) as CategoryFigures['with_faults'],
    };
  });
  return Promise.all(figures);
}

/** Whether an unfinished transfer has stood still for so long that nobody seems to drive it. */
export function isOrphan({ updated_at }: TransferDocument, minutes: number, now: Date): boolean {
  return Date.parse(updated_at) <= now.getTime() - minutes * MINUTE_MS;
}

/** Transfers that nobody seems to drive; of more than a thousand unfinished ones of a status, the oldest count. */
export async function countOrphans(readModels: Pick<ReadModelReader, 'find'>, now: Date): Promise<number> {
  let orphans = 0;
  for (const status of UNFINISHED_STATUSES) {
    const found = await readModels.find<TransferDocument>(transfers, {
      where: { status },
      order: 'oldest_first',
      limit: ORPHANS_COUNTED_MAX,
    });
    orphans += found.filter(({ document }) => document && isOrphan(document, ORPHAN_MINUTES, now)).length;
  }
  return orphans;
}
