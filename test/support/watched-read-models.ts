/** A read model store that notes its commits, and that a test can hold up or make fail. */
import type {
  Build,
  Checkpoint,
  Collection,
  DeadLetter,
  DeadLetterFilter,
  Document,
  Fence,
  FindOptions,
  LeaseRecord,
  RankOptions,
  ReadModelChanges,
  ReadModelStore,
  StoredDocument,
} from '../../src/event-sourcing/read-model-store.ts';

/** Stands in for a commit; `proceed` is the store's own. */
export type CommitFault = (
  proceed: (changes: ReadModelChanges) => Promise<void>,
  changes: ReadModelChanges,
) => Promise<void>;

export class WatchedReadModels implements ReadModelStore {
  readonly inner: ReadModelStore;
  /** What was asked for, whether it worked or not. */
  readonly commits: ReadModelChanges[] = [];
  readonly cleared: string[] = [];
  onCommit: CommitFault | undefined;
  /** Called before a document is read; may throw. */
  onGet: ((collection: Collection, key: string) => Promise<void>) | undefined;
  gets = 0;

  constructor(inner: ReadModelStore) {
    this.inner = inner;
  }

  prepare(collections: readonly Collection[], sourceStoreId: string): Promise<void> {
    return this.inner.prepare(collections, sourceStoreId);
  }

  commit(changes: ReadModelChanges): Promise<void> {
    this.commits.push(changes);
    const proceed = (what: ReadModelChanges) => this.inner.commit(what);
    return this.onCommit ? this.onCommit(proceed, changes) : proceed(changes);
  }

  async get<D extends Document>(collection: Collection, key: string): Promise<StoredDocument<D> | undefined> {
    this.gets += 1;
    await this.onGet?.(collection, key);
    return this.inner.get<D>(collection, key);
  }

  find<D extends Document>(collection: Collection, options: FindOptions): Promise<StoredDocument<D>[]> {
    return this.inner.find<D>(collection, options);
  }

  rank<D extends Document>(collection: Collection, options: RankOptions): Promise<StoredDocument<D>[]> {
    return this.inner.rank<D>(collection, options);
  }

  checkpoints(): Promise<Checkpoint[]> {
    return this.inner.checkpoints();
  }

  countDeadLetters(): Promise<number> {
    return this.inner.countDeadLetters();
  }

  listDeadLetters(options: DeadLetterFilter): Promise<DeadLetter[]> {
    return this.inner.listDeadLetters(options);
  }

  listLeases(): Promise<LeaseRecord[]> {
    return this.inner.listLeases();
  }

  swapLease(before: LeaseRecord | undefined, after: LeaseRecord | undefined): Promise<boolean> {
    return this.inner.swapLease(before, after);
  }

  async clear(collection: Collection): Promise<void> {
    this.cleared.push(collection.name);
    await this.inner.clear(collection);
  }

  builds(): Promise<Build[]> {
    return this.inner.builds();
  }

  promote(builds: readonly Collection[], fence?: Fence): Promise<void> {
    return this.inner.promote(builds, fence);
  }

  drop(builds: readonly Collection[]): Promise<void> {
    return this.inner.drop(builds);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
