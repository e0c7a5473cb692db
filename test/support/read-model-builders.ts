/** Small builders for tests that write and read documents. */
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  Document,
  ReadModelChanges,
  ReadModelStore,
  StoredDocument,
} from '../../src/event-sourcing/read-model-store.ts';

/** A stored document; what a test cares about, it passes itself. The sequence is the position unless it is given. */
export function newDocument(overrides: Partial<StoredDocument> & { key: string }): StoredDocument {
  const { position = 1n } = overrides;
  return { sequence: position, position, document: { of: overrides.key }, blocked: false, ...overrides };
}

/** A document whose first event could not be folded: it has no body. */
export function documentWithoutBody(key: string, position: bigint): StoredDocument {
  return { key, sequence: position, position, blocked: true };
}

export function newDeadLetter(overrides: Partial<DeadLetter> = {}): DeadLetter {
  return {
    projection: 'things',
    documentKey: 'thing-1',
    position: 1n,
    stream: 'thing-1',
    revision: 0,
    eventId: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01',
    eventType: 'ThingHappenedDomainEventV1',
    cause: 'Error: this thing cannot happen',
    attempts: 1,
    deadSince: '2026-01-02T03:04:05.678Z',
    ...overrides,
  };
}

/** Commits some of what a commit may hold. */
export function commit(store: ReadModelStore, changes: Partial<ReadModelChanges>): Promise<void> {
  return store.commit({ writes: [], deadLetters: [], checkpoints: [], ...changes });
}

/** Writes documents of one collection. */
export function write(
  store: ReadModelStore,
  collection: Collection,
  documents: readonly StoredDocument[],
): Promise<void> {
  return commit(store, { writes: documents.map((document) => ({ collection, document })) });
}

export function checkpoint({ name, version }: Collection, position: bigint): Checkpoint {
  return { projection: name, version, position };
}

export function keysOf(documents: readonly StoredDocument<Document>[]): string[] {
  return documents.map(({ key }) => key);
}
