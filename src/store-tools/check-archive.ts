/** Reads the whole archive of the configured store, beside a bank that may be running. */

import { openEventReader } from '../composition/open-stores.ts';
import type { Config } from '../config.ts';
import type { VolumeRecord } from '../event-sourcing/archive/archive-storage.ts';
import { StoreError, type StoreErrorCode } from '../event-sourcing/store-error.ts';

export { StoreError };

/** What is wrong with one volume says nothing of the others. */
const OF_ONE_VOLUME: readonly StoreErrorCode[] = ['archive_damaged', 'unavailable'];

/** A volume, and what is wrong with it, if anything: also why it cannot be read. */
export interface CheckedVolume {
  readonly record: VolumeRecord;
  readonly damage?: string;
}

/**
 * Checks one volume after the other, every byte of it, in the order in which they were written.
 * @throws StoreError when the store cannot be read
 */
export async function* checkArchive({
  eventStore,
  archiveDir,
}: Pick<Config, 'eventStore' | 'archiveDir'>): AsyncGenerator<CheckedVolume> {
  if (eventStore.kind === 'memory') {
    throw new StoreError('unsupported', 'A store in memory cannot be read by another process.');
  }
  const { archive, close } = await openEventReader({ eventStore, archiveDir });
  try {
    await archive.catalogue.refresh();
    for (const { record, open } of archive.catalogue.volumes) {
      try {
        // Where no directory is named, opening says so.
        await (archive.storage ? archive.storage.check(record) : open());
        yield { record };
      } catch (error) {
        if (!(error instanceof StoreError) || !OF_ONE_VOLUME.includes(error.code)) throw error;
        yield { record, damage: error.message };
      }
    }
  } finally {
    await close();
  }
}
