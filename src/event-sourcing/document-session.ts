/** The documents of one projector: a bounded cache of what is stored, and the changes of the batch under way. */
import { LRUCache } from 'lru-cache';
import type { Lookup } from './projection.ts';
import type {
  Collection,
  Document,
  ReadModelChanges,
  ReadModelReader,
  StoredDocument,
} from './read-model-store.ts';

/** `null` is the cached knowledge that there is no such document. */
type Known = StoredDocument | null;

export class DocumentSession implements Lookup {
  readonly #store: ReadModelReader;
  readonly #cache: LRUCache<string, { known: Known }> | undefined;
  readonly #changed = new Map<string, { collection: Collection; document: StoredDocument }>();
  /** What this batch has loaded; the cache alone could evict it before it is needed. */
  readonly #loaded = new Map<string, Known>();

  /** @param cachedDocumentsMax documents kept in memory between batches; 0 for a session that serves one query */
  constructor(store: ReadModelReader, cachedDocumentsMax = 0) {
    this.#store = store;
    this.#cache = cachedDocumentsMax > 0 ? new LRUCache({ max: cachedDocumentsMax }) : undefined;
  }

  /** Makes a document readable by `stored` and `get`; answers at once when it is known already. */
  load(collection: Collection, key: string): Promise<void> | undefined {
    const id = idOf(collection, key);
    if (this.#changed.has(id) || this.#loaded.has(id)) return undefined;
    const cached = this.#cache?.get(id);
    if (cached) {
      this.#loaded.set(id, cached.known);
      return undefined;
    }
    return this.#store.get(collection, key).then((found) => {
      this.#loaded.set(id, found ?? null);
    });
  }

  stored(collection: Collection, key: string): StoredDocument | undefined {
    const id = idOf(collection, key);
    return this.#changed.get(id)?.document ?? this.#loaded.get(id) ?? undefined;
  }

  get<D extends Document>(collection: Collection, key: string): D | undefined {
    return this.stored(collection, key)?.document as D | undefined;
  }

  change(collection: Collection, document: StoredDocument): void {
    this.#changed.set(idOf(collection, document.key), { collection, document });
  }

  changes(): ReadModelChanges['writes'] {
    return [...this.#changed.values()];
  }

  /** The batch is committed: its documents are what is stored now. */
  committed(isWriteOnce: (collection: Collection) => boolean): void {
    for (const [id, known] of this.#loaded) this.#cache?.set(id, { known });
    for (const [id, { collection, document }] of this.#changed) {
      if (!isWriteOnce(collection)) this.#cache?.set(id, { known: document });
    }
    this.#changed.clear();
    this.#loaded.clear();
  }

  /** The batch failed: nothing of it may be remembered. */
  discard(): void {
    this.#changed.clear();
    this.#loaded.clear();
    this.#cache?.clear();
  }
}

function idOf(collection: Collection, key: string): string {
  return `${collection.name}/${collection.version}/${key}`;
}
