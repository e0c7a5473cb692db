/** What the parts of the read model store contract share. */
import type {
  Collection,
  ReadModelReader,
  ReadModelStore,
} from '../../src/event-sourcing/read-model-store.ts';

/** A new and empty store. */
export interface OpenedReadModels {
  readonly store: ReadModelStore;
  /** A further reader of the same documents, as the API has one beside the projector. */
  openReader(): Promise<{ readonly reader: ReadModelReader; close(): Promise<void> }>;
  /** A further store of the same documents, as another worker has one; missing where there is only one writer. */
  openSecond?(): Promise<ReadModelStore>;
  /** Closes the store and removes what it left behind. */
  dispose(): Promise<void>;
}

export type Opened = () => OpenedReadModels;
export type StoreOf = () => ReadModelStore;

export const THINGS: Collection = { name: 'things', version: 1, indexes: ['owner', 'colour'], listed: true };
export const THINGS_V2: Collection = { name: 'things', version: 2, indexes: ['owner'], listed: true };
export const OTHERS: Collection = { name: 'others', version: 1, indexes: [], listed: true };
export const ALL = [THINGS, THINGS_V2, OTHERS];
export const OLDEST = { order: 'oldest_first', limit: 1_000 } as const;

/** The checkpoints as lines such as `things v1 7`. */
export async function positions(store: ReadModelReader): Promise<string[]> {
  const found = await store.checkpoints();
  return found.map(({ projection, version, position }) => `${projection} v${version} ${position}`).sort();
}
