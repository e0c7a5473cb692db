/**
 * Holds what read models serve against documents that were folded anew from the events, also while both go on: a
 * document is compared where both have seen the same events of it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Position } from './event-store.ts';
import type { AnyProjection } from './projection.ts';
import type { Document, ReadModelReader, StoredDocument } from './read-model-store.ts';

type Compared = Pick<AnyProjection<never>, 'name' | 'version' | 'indexes' | 'listed'>;

/**
 * - `missing`: the events make it, and it is not served. - `different`: what is served is not what the events make.
 * - `extra`: it is served, and no event made it. - `blocked`: an event of it could not be folded, there or here.
 */
export type DifferenceKind = 'missing' | 'different' | 'extra' | 'blocked';

export interface Difference {
  readonly projection: string;
  readonly key: string;
  readonly kind: DifferenceKind;
  /** Of a document that is different: names of its fields, never what is in them. */
  readonly fields: readonly string[];
}

export interface ComparedProjection {
  readonly projection: string;
  /** Documents that were found to agree. */
  readonly equal: number;
  /** In any order; the first ones only. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** Keys of documents that had seen more events than the folded ones: to be compared again after another fold. */
  readonly ahead: readonly string[];
}

const PAGE_DOCUMENTS = 500;
const DIFFERENCES_KEPT_MAX = 20;

export interface ComparedStores {
  readonly served: ReadModelReader;
  /** Folded up to a position that the served ones have reached. */
  readonly folded: ReadModelReader;
  readonly foldedTo: Position;
}

/** @param keys only these; without them, all that are folded, and all that are served where they can be listed */
export async function compareDocuments(
  projection: Compared,
  stores: ComparedStores,
  keys?: readonly string[],
): Promise<ComparedProjection> {
  return new Comparison(projection, stores).run(keys);
}

class Comparison {
  readonly #projection: Compared;
  readonly #stores: ComparedStores;
  readonly #differences: Difference[] = [];
  readonly #ahead: string[] = [];
  #differenceCount = 0;
  #equal = 0;

  constructor(projection: Compared, stores: ComparedStores) {
    this.#projection = projection;
    this.#stores = stores;
  }

  async run(keys: readonly string[] | undefined): Promise<ComparedProjection> {
    const { folded } = this.#stores;
    if (keys) {
      for (let from = 0; from < keys.length; from += PAGE_DOCUMENTS) {
        const asked = keys.slice(from, from + PAGE_DOCUMENTS);
        const found = await this.#get(folded, this.#folded, asked);
        await this.#comparePage([...found.values()]);
      }
    } else {
      for await (const page of this.#pages(folded, this.#folded)) await this.#comparePage(page);
      await this.#findExtras();
    }
    return {
      projection: this.#projection.name,
      equal: this.#equal,
      differences: this.#differences,
      differenceCount: this.#differenceCount,
      ahead: this.#ahead,
    };
  }

  /** As the folded documents are kept: all can be listed. */
  get #folded(): Compared {
    return { ...this.#projection, indexes: [], listed: true };
  }

  async #comparePage(page: readonly StoredDocument[]): Promise<void> {
    const served = await this.#get(
      this.#stores.served,
      this.#projection,
      page.map(({ key }) => key),
    );
    for (const folded of page) this.#compare(folded, served.get(folded.key));
  }

  #compare(folded: StoredDocument, served: StoredDocument | undefined): void {
    const { key } = folded;
    if (served && served.position > this.#stores.foldedTo) {
      this.#ahead.push(key);
      return;
    }
    const fields = differingFields(plain(served?.document), plain(folded.document));
    if (!served) this.#differs(key, 'missing');
    else if (served.blocked || folded.blocked) this.#differs(key, 'blocked');
    else if (served.position === folded.position && fields.length === 0) this.#equal += 1;
    else this.#differs(key, 'different', fields);
  }

  /** What was made by an event beyond the folded ones is no surprise. */
  async #findExtras(): Promise<void> {
    if (!this.#projection.listed) return;
    const { served, folded, foldedTo } = this.#stores;
    for await (const page of this.#pages(served, this.#projection)) {
      const known = await this.#get(
        folded,
        this.#folded,
        page.map(({ key }) => key),
      );
      for (const { key, sequence } of page) {
        if (sequence <= foldedTo && !known.has(key)) this.#differs(key, 'extra');
      }
    }
  }

  #differs(key: string, kind: DifferenceKind, fields: readonly string[] = []): void {
    this.#differenceCount += 1;
    if (this.#differences.length >= DIFFERENCES_KEPT_MAX) return;
    this.#differences.push({ projection: this.#projection.name, key, kind, fields });
  }

  async #get(
    store: ReadModelReader,
    collection: Compared,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, StoredDocument>> {
    const found = store.getMany
      ? await store.getMany(collection, keys)
      : await Promise.all(keys.map((key) => store.get(collection, key)));
    return new Map(found.flatMap((one) => (one ? [[one.key, one]] : [])));
  }

  async *#pages(store: ReadModelReader, collection: Compared): AsyncGenerator<StoredDocument[]> {
    for (let after: StoredDocument | undefined; ; ) {
      const options = { order: 'oldest_first', limit: PAGE_DOCUMENTS, ...(after ? { after } : {}) } as const;
      const page = await store.find(collection, options);
      yield page;
      after = page.at(-1);
      if (page.length < PAGE_DOCUMENTS) return;
    }
  }
}

/** As JSON has it: what is undefined is not there. */
function plain(document: Document | undefined): Document {
  return document === undefined ? {} : (JSON.parse(JSON.stringify(document)) as Document);
}

function differingFields(served: Document, folded: Document): string[] {
  const fields = new Set([...Object.keys(served), ...Object.keys(folded)]);
  return [...fields].filter((field) => !isDeepStrictEqual(served[field], folded[field]));
}
