/** A store whose streams may have been cut: it is written as ever, and read through its archive. */
import type { AppendResult, EventStore, ExpectedRevision, NewEvent, StreamMetadata } from '../event-store.ts';
import type { ArchiveCatalogue } from './archive-catalogue.ts';
import { ArchivedEventReader, refuseArchived } from './archived-event-reader.ts';

export class ArchivedEventStore extends ArchivedEventReader implements EventStore {
  readonly #live: EventStore;
  readonly #catalogue: ArchiveCatalogue;

  /** @param archivedPrefix of the streams that may be archived; others are read as they are */
  constructor(live: EventStore, catalogue: ArchiveCatalogue, archivedPrefix: string) {
    super(live, catalogue, archivedPrefix);
    this.#live = live;
    this.#catalogue = catalogue;
  }

  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    return this.#live.append(stream, events, expected);
  }

  setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    return this.#live.setStreamMetadata(stream, metadata);
  }

  /** @throws StoreError `unsupported` when a piece of it is in the archive */
  async deleteStream(stream: string): Promise<void> {
    if (this.archived.mayHave(stream) && (await this.archived.hasPieces(stream))) {
      throw refuseArchived(stream);
    }
    return this.#live.deleteStream(stream);
  }

  async close(): Promise<void> {
    await this.#live.close();
    await this.#catalogue.close();
  }
}
