/** A store as a backup reads it, together with what was cut off from it into the archive. */
import type { LiveReader } from '../archive/archived-event-reader.ts';
import type { StateRecord } from './backup-state.ts';
import type { BackupSource } from './write-backup.ts';

type ArchiveReader = Pick<LiveReader, 'readAll' | 'getStreamMetadata'>;

/**
 * A bank restored from it has all events in its store again, and no archive.
 * @param reader of the same store, through its archive
 */
export function wholeSource(live: BackupSource, reader: ArchiveReader): BackupSource {
  return {
    storeId: live.storeId,
    headPosition: () => live.headPosition(),
    readAll: (options) => reader.readAll(options),
    freeze: () => live.freeze(),
    thaw: () => live.thaw(),
    async *states() {
      for await (const state of live.states()) yield await uncut(state, reader);
    },
  };
}

/** A stream that is in the archive begins where its oldest piece does. */
async function uncut(state: StateRecord, reader: ArchiveReader): Promise<StateRecord> {
  if (state.kind !== 'stream' || state.stream_metadata.truncateBefore === undefined) return state;
  const stream_metadata = await reader.getStreamMetadata(state.stream);
  const { truncateBefore: first_revision = 0 } = stream_metadata;
  if (first_revision === state.stream_metadata.truncateBefore) return state;
  return { ...state, stream_metadata, first_revision, last_removed_revision: first_revision - 1 };
}
