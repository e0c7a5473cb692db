/** What the metastream `$$name` says about the stream `name`. */
import { DELETED_STREAM, type EventLog, NO_STREAM } from './event-log.ts';

/** `maxAge` is in seconds. `acl` is kept as it was written. */
export interface StreamMetadata {
  readonly maxCount?: number;
  readonly maxAge?: number;
  /** `DELETED_STREAM` marks a soft-deleted stream. */
  readonly truncateBefore?: number;
  readonly acl?: { readonly [right: string]: unknown };
}

/** The JSON number that marks a soft-deleted stream: the server's `long.MaxValue`, exact. */
export const SOFT_DELETED_JSON = '{"$tb":9223372036854775807}';

// The server's long.MaxValue, as near as JSON.parse gets to it.
const SOFT_DELETED_NUMBER = 2 ** 63;

function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

/** Metadata that is not a JSON object counts as none. Server: src/EventStore.Core/Data/StreamMetadata.cs (TryFromJsonBytes) */
function parseStreamMetadata(data: Uint8Array): StreamMetadata {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(data).toString('utf8'));
  } catch {
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null) return {};
  const { $maxCount, $maxAge, $tb, $acl } = parsed as Record<string, unknown>;
  const maxCount = wholeNumber($maxCount);
  const maxAge = wholeNumber($maxAge);
  const truncateBefore = wholeNumber($tb);
  return {
    ...(maxCount === undefined ? {} : { maxCount }),
    ...(maxAge === undefined ? {} : { maxAge }),
    ...(truncateBefore === undefined
      ? {}
      : { truncateBefore: truncateBefore >= SOFT_DELETED_NUMBER ? DELETED_STREAM : truncateBefore }),
    ...(typeof $acl === 'object' && $acl !== null ? { acl: $acl as { [right: string]: unknown } } : {}),
  };
}

/**
 * The metadata in force. A metastream has no metadata of its own but keeps one event.
 * Server: src/EventStore.Core/Services/Storage/ReaderIndex/IndexReader.cs (GetStreamMetadataCached, GetStreamMetadataUncached)
 */
export function metadataOf(log: EventLog, stream: string): StreamMetadata {
  if (stream.startsWith('$$')) return { maxCount: 1 };
  const last = log.lastRevision(`$$${stream}`);
  if (last === NO_STREAM || last === DELETED_STREAM) return {};
  const newest = log.recordsOf(`$$${stream}`).at(-1);
  return newest === undefined ? {} : parseStreamMetadata(newest.data);
}

export function isSoftDeleted(log: EventLog, stream: string): boolean {
  return metadataOf(log, stream).truncateBefore === DELETED_STREAM;
}
