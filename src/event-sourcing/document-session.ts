/** The documents of one projector: a bounded cache of what is stored, and the changes of the batch under way. */
import type { Lookup, LookupKey } from './projection.ts';
import type {
  Collection,
  Document,
  ReadModelChanges,
  ReadModelReader,
  StoredDocument,
} from './read-model-store.ts';

type DocumentReader = Pick<ReadModelReader, 'get' | 'getMany'>;

interface Entry {
  /** `undefined` is the knowledge that there is no such document. */
  stored: StoredDocument | undefined;
  changed: boolean;
}

const NONE: ReadonlySet<string> = new Set();

export class DocumentSession implements Lookup {
  readonly #store: DocumentReader;
  readonly #cachedDocumentsMax: number;
  readonly #entries = new Map<Collection, Map<string, Entry>>();
  /** The same maps by every object that names them: what counts is the name and the version. */
  readonly #named = new Map<Collection, Map<string, Entry>>();
  /** What was asked for last: an event asks for each of its documents several times in a row. */
  #last: { readonly collection: Collection; readonly key: string; readonly entry: Entry } | undefined;
  #changed = 0;

  /** @param cachedDocumentsMax documents of each collection kept in memory between batches; 0 serves one query */
  constructor(store: DocumentReader, cachedDocumentsMax = 0) {
    this.#store = store;
    this.#cachedDocumentsMax = cachedDocumentsMax;
  }

  /** Makes a document readable by `stored` and `get`; answers at once when it is known already. */
  load(collection: Collection, key: string): Promise<void> | undefined {
    const entries = this.#of(collection);
    if (entries.has(key)) return undefined;
    return this.#store.get(collection, key).then((stored) => {
      entries.set(key, { stored, changed: false });
      this.#last = undefined;
    });
  }

  /** Makes many documents readable in few requests, where the store can do that; elsewhere it does nothing. */
  async loadMany(wanted: Iterable<LookupKey>): Promise<void> {
    if (!this.#store.getMany) return;
    const unknown = new Map<Collection, Set<string>>();
    for (const { from, key } of wanted) {
      if (this.knows(from, key)) continue;
      const keys = unknown.get(from) ?? new Set();
      unknown.set(from, keys.add(key));
    }
    for (const [collection, keys] of unknown) {
      const found = await this.#store.getMany(collection, [...keys]);
      const byKey = new Map(found.map((stored) => [stored.key, stored]));
      for (const key of keys) this.#of(collection).set(key, { stored: byKey.get(key), changed: false });
    }
    this.#last = undefined;
  }

  /** Documents that were changed since the last commit, without those that it kept back. */
  get changedDocuments(): number {
    return this.#changed;
  }

  /** Whether it is known what is stored, be it nothing. */
  knows(collection: Collection, key: string): boolean {
    return this.#entryOf(collection, key) !== undefined;
  }

  stored(collection: Collection, key: string): StoredDocument | undefined {
    return this.#entryOf(collection, key)?.stored;
  }

  get<D extends Document>(collection: Collection, key: string): D | undefined {
    return this.stored(collection, key)?.document as D | undefined;
  }

  change(collection: Collection, document: StoredDocument): void {
    const entry = this.#entryOf(collection, document.key);
    if (!entry?.changed) this.#changed += 1;
    if (!entry) {
      this.#of(collection).set(document.key, { stored: document, changed: true });
      return;
    }
    entry.stored = document;
    entry.changed = true;
  }

  /** @param keptBack names of collections whose changes wait for a later commit */
  changes(keptBack: ReadonlySet<string> = NONE): ReadModelChanges['writes'] {
    const writes: { collection: Collection; document: StoredDocument }[] = [];
    for (const [collection, entries] of this.#entries) {
      if (keptBack.has(collection.name)) continue;
      for (const { stored, changed } of entries.values())
        if (changed && stored) writes.push({ collection, document: stored });
    }
    return writes;
  }

  /** The batch is committed: its documents are what is stored now. */
  committed(isWriteOnce: (collection: Collection) => boolean, keptBack: ReadonlySet<string> = NONE): void {
    this.#last = undefined;
    this.#changed = 0;
    for (const [collection, entries] of this.#entries) {
      if (keptBack.has(collection.name)) continue;
      if (isWriteOnce(collection)) entries.clear();
      for (const entry of entries.values()) if (entry.changed) entry.changed = false;
      this.#evict(entries);
    }
  }

  /** Whether any of these collections knows more documents than it should keep. */
  isFull(collections: ReadonlySet<string>): boolean {
    return [...this.#entries].some(
      ([{ name }, entries]) => collections.has(name) && entries.size > this.#cachedDocumentsMax,
    );
  }

  /** The batch failed: nothing of it may be remembered. */
  discard(): void {
    this.#last = undefined;
    this.#changed = 0;
    this.#entries.clear();
    this.#named.clear();
  }

  #entryOf(collection: Collection, key: string): Entry | undefined {
    const last = this.#last;
    if (last?.key === key && last.collection === collection) return last.entry;
    const entry = this.#of(collection).get(key);
    if (entry) this.#last = { collection, key, entry };
    return entry;
  }

  #of(collection: Collection): Map<string, Entry> {
    const named = this.#named.get(collection);
    if (named) return named;
    const { name, version } = collection;
    const same = [...this.#entries.keys()].find((one) => one.name === name && one.version === version);
    const entries = this.#entries.get(same ?? collection) ?? new Map<string, Entry>();
    this.#entries.set(same ?? collection, entries);
    this.#named.set(collection, entries);
    return entries;
  }

  /** Drops those that came first; only between batches, because a batch relies on what it has loaded. */
  #evict(entries: Map<string, Entry>): void {
    let surplus = entries.size - this.#cachedDocumentsMax;
    for (const key of entries.keys()) {
      if (surplus <= 0) return;
      entries.delete(key);
      surplus -= 1;
    }
  }
}
