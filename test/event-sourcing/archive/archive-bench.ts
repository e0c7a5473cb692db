/** A store with an archive beside it, for tests of what is cut off and read all the same. */

import { fileArchive } from '../../../src/adapters/files/archive/file-archive.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { ArchiveCatalogue } from '../../../src/event-sourcing/archive/archive-catalogue.ts';
import {
  type ArchiveRunOptions,
  archiveStreams,
  finishCuts,
  type StreamCut,
} from '../../../src/event-sourcing/archive/archive-run.ts';
import type { ArchiveStorage } from '../../../src/event-sourcing/archive/archive-storage.ts';
import { ArchivedEventStore } from '../../../src/event-sourcing/archive/archived-event-store.ts';
import type { EventStore } from '../../../src/event-sourcing/event-store.ts';
import { newId } from '../../../src/new-id.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export const PREFIX = 'account-';

export class ArchiveBench {
  readonly #directory = temporaryDirectory();
  readonly path = this.#directory.file('archive');
  readonly live: EventStore;
  readonly storage: ArchiveStorage = fileArchive(this.path);
  readonly catalogue: ArchiveCatalogue;
  readonly store: ArchivedEventStore;

  constructor(live: EventStore = openSqliteEventStore({ kind: 'memory' })) {
    this.live = live;
    this.catalogue = new ArchiveCatalogue(live, this.storage);
    this.store = new ArchivedEventStore(live, this.catalogue, PREFIX);
  }

  /** Another process over the same store and archive. */
  another(): ArchivedEventStore {
    return new ArchivedEventStore(this.live, new ArchiveCatalogue(this.live, fileArchive(this.path)), PREFIX);
  }

  options(more: Partial<ArchiveRunOptions> = {}): ArchiveRunOptions {
    const { live, storage, catalogue } = this;
    return {
      live,
      storage,
      catalogue,
      newId,
      now: () => new Date(),
      signal: new AbortController().signal,
      ...more,
    };
  }

  /** Archives what the streams have before these revisions. */
  async archive(
    cuts: Readonly<Record<string, number>>,
    more: Partial<ArchiveRunOptions> = {},
  ): Promise<void> {
    const options = this.options(more);
    await finishCuts(options);
    const found = new Map<string, StreamCut>();
    for (const [stream, cutBefore] of Object.entries(cuts)) {
      for await (const { revision, position } of this.live.readStream(stream, { limit: 1 })) {
        if (revision < cutBefore) found.set(stream, { first: revision, cutBefore, firstPosition: position });
      }
    }
    if (found.size > 0) await archiveStreams(options, found);
  }

  async close(): Promise<void> {
    await this.live.close();
    this.#directory.remove();
  }
}
