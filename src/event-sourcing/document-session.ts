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

/** What is known of one collection. */
interface Known {
  readonly entries: Map<string, Entry>;
  /** Those of them that the next commit writes: a cache is far larger than what a batch changes. */
  changed: Entry[];
}

const NONE: ReadonlySet<string> = new Set();

export class DocumentSession implements Lookup {
  readonly #store: DocumentReader;
  readonly #cachedDocumentsMax: number;
  readonly #known = new Map<Collection, Known>();
  /** The same by every object that names them: what counts is the name and the version. */
  readonly #named = new Map<Collection, Known>();
  /** What was asked for last: an event asks for each of its documents several times in a row. */
  #last: { readonly collection: Collection; readonly key: string; readonly entry: Entry } | undefined;
  /** Documents that were changed since the last commit, without those that it kept back. */
  #changedDocuments = 0;

  /** @param cachedDocumentsMax documents of each collection kept in memory between batches; 0 serves one query */
  constructor(store: DocumentReader, cachedDocumentsMax = 0) {
    this.#store = store;
    this.#cachedDocumentsMax = cachedDocumentsMax;
  }

  /** Makes a document readable by `stored` and `get`; answers at once when it is known already. */
  load(collection: Collection, key: string): Promise<void> | undefined {
    const { entries } = this.#of(collection);
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
      const { entries } = this.#of(collection);
      for (const key of keys) entries.set(key, { stored: byKey.get(key), changed: false });
    }
    this.#last = undefined;
  }

  get changedDocuments(): number {
    return this.#changedDocuments;
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
    const known = this.#entryOf(collection, document.key);
    const entry = known ?? { stored: document, changed: false };
    entry.stored = document;
    if (entry.changed) return;
    entry.changed = true;
    this.#changedDocuments += 1;
    const { entries, changed } = this.#of(collection);
    changed.push(entry);
    if (!known) entries.set(document.key, entry);
  }

  /** @param keptBack names of collections whose changes wait for a later commit */
  changes(keptBack: ReadonlySet<string> = NONE): ReadModelChanges['writes'] {
    const writes: { collection: Collection; document: StoredDocument }[] = [];
    for (const [collection, { changed }] of this.#known) {
      if (keptBack.has(collection.name)) continue;
      for (const { stored } of changed) if (stored) writes.push({ collection, document: stored });
    }
    return writes;
  }

  /** The batch is committed: its documents are what is stored now. */
  committed(isWriteOnce: (collection: Collection) => boolean, keptBack: ReadonlySet<string> = NONE): void {
    this.#last = undefined;
    this.#changedDocuments = 0;
    for (const [collection, known] of this.#known) {
      if (keptBack.has(collection.name)) continue;
      for (const entry of known.changed) entry.changed = false;
      known.changed = [];
      if (isWriteOnce(collection)) known.entries.clear();
      this.#evict(known.entries);
    }
  }

  /** Whether any of these collections knows more documents than it should keep. */
  isFull(collections: ReadonlySet<string>): boolean {
    return [...this.#known].some(
      ([{ name }, { entries }]) => collections.has(name) && entries.size > this.#cachedDocumentsMax,
    );
  }

  /** The batch failed: nothing of it may be remembered. */
  discard(): void {
    this.#last = undefined;
    this.#changedDocuments = 0;
    this.#known.clear();
    this.#named.clear();
  }

  #entryOf(collection: Collection, key: string): Entry | undefined {
    const last = this.#last;
    if (last?.key === key && last.collection === collection) return last.entry;
    const entry = this.#of(collection).entries.get(key);
    if (entry) this.#last = { collection, key, entry };
    return entry;
  }

  #of(collection: Collection): Known {
    const named = this.#named.get(collection);
    if (named) return named;
    const { name, version } = collection;
    const same = [...this.#known.keys()].find((one) => one.name === name && one.version === version);
    const known = this.#known.get(same ?? collection) ?? { entries: new Map(), changed: [] };
    this.#known.set(same ?? collection, known);
    this.#named.set(collection, known);
    return known;
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
