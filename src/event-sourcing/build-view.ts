/**
 * A read model store as a projector of one build sees it: what is folded goes into that build and nowhere else, and
 * lookups read from it, so that projectors, projections and their folds know nothing of builds.
 */
import type {
  Checkpoint,
  Collection,
  DeadLetter,
  DeadLetterFilter,
  Document,
  ReadModelChanges,
  ReadModelStore,
  StoredDocument,
} from './read-model-store.ts';

/** What a projector does with a store. */
export type ProjectorStore = Pick<
  ReadModelStore,
  'get' | 'getMany' | 'checkpoints' | 'listDeadLetters' | 'commit' | 'clear'
>;

export class BuildView implements ProjectorStore {
  readonly getMany?: (collection: Collection, keys: readonly string[]) => Promise<StoredDocument[]>;
  readonly #inner: ReadModelStore;
  readonly #builds: ReadonlyMap<string, number>;
  /** By the object that names a collection, so that the same place is always the same object. */
  readonly #places = new Map<Collection, Collection>();

  /** @param builds the number of the build by the name of its projection; others are seen as they are */
  constructor(inner: ReadModelStore, builds: ReadonlyMap<string, number>) {
    this.#inner = inner;
    this.#builds = builds;
    if (inner.getMany) this.getMany = (collection, keys) => this.#readMany(collection, keys);
  }

  get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined> {
    return this.#inner.get<D>(this.#placeOf(collection), key);
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const builds = await this.#inner.builds();
    return builds
      .filter(({ projection, build }) => this.#builds.get(projection) === build)
      .map(({ projection, version, position }) => ({ projection, version, position }));
  }

  listDeadLetters(options: DeadLetterFilter): Promise<DeadLetter[]> {
    const build = options.projection === undefined ? undefined : this.#builds.get(options.projection);
    return this.#inner.listDeadLetters(build === undefined ? options : { ...options, build });
  }

  commit(changes: ReadModelChanges): Promise<void> {
    const { writes, deadLetters, checkpoints, settled } = changes;
    return this.#inner.commit({
      ...changes,
      writes: writes.map((one) => ({ ...one, collection: this.#placeOf(one.collection) })),
      deadLetters: deadLetters.map((letter) => this.#withBuild(letter)),
      checkpoints: checkpoints.map((checkpoint) => this.#withBuild(checkpoint)),
      ...(settled ? { settled: settled.map((id) => this.#withBuild(id)) } : {}),
    });
  }

  clear(collection: Collection): Promise<void> {
    return this.#inner.clear(this.#placeOf(collection));
  }

  async #readMany(collection: Collection, keys: readonly string[]): Promise<StoredDocument[]> {
    return (await this.#inner.getMany?.(this.#placeOf(collection), keys)) ?? [];
  }

  readonly #placeOf = (collection: Collection): Collection => {
    const known = this.#places.get(collection);
    if (known) return known;
    const build = this.#builds.get(collection.name);
    const place = build === undefined ? collection : { ...collection, build };
    this.#places.set(collection, place);
    return place;
  };

  #withBuild<T extends { readonly projection: string }>(of: T): T {
    const build = this.#builds.get(of.projection);
    return build === undefined ? of : { ...of, build };
  }
}
