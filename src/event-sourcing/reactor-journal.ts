/**
 * What a reactor remembers: how far it is, which streams are held back and by which event, and the dead letters of each.
 * Changes gather in memory and are committed together with the checkpoint.
 */
import type { Position } from './event-store.ts';
import type {
  Collection,
  DeadLetter,
  DeadLetterId,
  Document,
  Fence,
  ReadModelStore,
  StoredDocument,
} from './read-model-store.ts';

/** Why a stream is held back. Once it goes on again, `state` says so; a store forgets no document. */
export interface HeldStream extends Document {
  readonly state: 'held' | 'released';
  /** Position of the oldest event that was not delivered; everything before it in its stream was dealt with. */
  readonly held_by: string;
  readonly cause: string;
  /** Tries that counted against the event. */
  readonly attempts: number;
  /** RFC 3339 UTC. */
  readonly since: string;
}

export type StoredStream = StoredDocument<HeldStream>;

/** The collection in which a reactor keeps its streams; its dead letters and its checkpoint go by the same name. */
export function reactorCollection(name: string): Collection {
  return { name, version: 1, indexes: ['state'], listed: false };
}

export function isHeld(stored: StoredStream | undefined): stored is StoredStream & { document: HeldStream } {
  return stored?.document?.state === 'held';
}

interface Changes {
  readonly streams: Map<string, StoredStream>;
  readonly deadLetters: DeadLetter[];
  readonly settled: DeadLetterId[];
}

const noChanges = (): Changes => ({ streams: new Map(), deadLetters: [], settled: [] });

export class ReactorJournal {
  readonly #collection: Collection;
  readonly #store: ReadModelStore;
  readonly #fence: Fence | undefined;
  #changes = noChanges();
  #inCommit = noChanges();
  #committing: Promise<void> = Promise.resolve();
  #committed: Position = 0n;

  constructor(name: string, store: ReadModelStore, fence: Fence | undefined) {
    this.#collection = reactorCollection(name);
    this.#store = store;
    this.#fence = fence;
  }

  /**
   * The position up to which everything was delivered or parked; 0 before the first commit. Where there is a fence it is
   * raised first, so that a leader from before can move nothing any more.
   */
  async checkpoint(): Promise<Position> {
    const { name, version } = this.#collection;
    if (this.#fence) await this.#write(noChanges(), 0n);
    const stored = (await this.#store.checkpoints()).find(
      (one) => one.projection === name && one.version === version,
    );
    this.#committed = stored?.position ?? 0n;
    return this.#committed;
  }

  /** Forgets everything, so that the log is gone through from its first event. */
  async startOver(): Promise<void> {
    await this.#store.clear(this.#collection);
    this.#committed = 0n;
  }

  /** What is known of a stream; nothing for one that was never held back. */
  async stream(stream: string): Promise<StoredStream | undefined> {
    const changed = this.#changes.streams.get(stream) ?? this.#inCommit.streams.get(stream);
    return changed ?? (await this.#store.get<HeldStream>(this.#collection, stream));
  }

  /** Streams that are held back, by the event that held each back first. */
  heldStreams(after: StoredStream | undefined, limit: number): Promise<StoredStream[]> {
    return this.#store.find<HeldStream>(this.#collection, {
      where: { state: 'held' },
      order: 'oldest_first',
      ...(after ? { after } : {}),
      limit,
    });
  }

  /** The oldest dead letters of a stream; those of changes that are not committed yet do not count. */
  letters(stream: string, limit: number): Promise<DeadLetter[]> {
    return this.#store.listDeadLetters({ projection: this.#collection.name, documentKey: stream, limit });
  }

  /**
   * Holds a stream back.
   * @param before what was known of it
   * @param at position of the event or request that led to this
   */
  hold(
    stream: string,
    before: StoredStream | undefined,
    at: Position,
    why: Pick<HeldStream, 'cause' | 'attempts'> & { by: Position },
  ): StoredStream {
    const { by, cause, attempts } = why;
    const since = isHeld(before) ? before.document.since : new Date().toISOString();
    return this.#change(stream, before, at, { state: 'held', held_by: String(by), cause, attempts, since });
  }

  /** Lets a stream go on. */
  release(stream: string, before: StoredStream & { document: HeldStream }, at: Position): void {
    this.#change(stream, before, at, { ...before.document, state: 'released' });
  }

  park(letter: DeadLetter): void {
    this.#changes.deadLetters.push(letter);
  }

  settle(documentKey: string, position: Position): void {
    this.#changes.settled.push({ projection: this.#collection.name, documentKey, position });
  }

  /** Writes what has changed; one commit after the other. @param through everything up to here is finished */
  commit(through: Position): Promise<void> {
    this.#committing = this.#committing.then(() => this.#commitNow(through));
    return this.#committing;
  }

  async #commitNow(through: Position): Promise<void> {
    const { streams, deadLetters, settled } = this.#changes;
    const changed = streams.size + deadLetters.length + settled.length > 0;
    if (!changed && through <= this.#committed) return;
    this.#inCommit = this.#changes;
    this.#changes = noChanges();
    await this.#write(this.#inCommit, through);
    this.#inCommit = noChanges();
    if (through > this.#committed) this.#committed = through;
  }

  #write({ streams, deadLetters, settled }: Changes, through: Position): Promise<void> {
    const { name, version } = this.#collection;
    return this.#store.commit({
      writes: [...streams.values()].map((document) => ({ collection: this.#collection, document })),
      deadLetters,
      settled,
      // Also where it stands still: it proves the leadership.
      checkpoints: [{ projection: name, version, position: through }],
      ...(this.#fence ? { fence: this.#fence } : {}),
    });
  }

  /** A store replaces a document only by one with a higher position, also when a request is done a second time. */
  #change(
    stream: string,
    before: StoredStream | undefined,
    at: Position,
    document: HeldStream,
  ): StoredStream {
    const least = before === undefined ? 0n : before.position + 1n;
    const position = at > least ? at : least;
    const after = {
      key: stream,
      sequence: before?.sequence ?? at,
      position,
      document,
      blocked: document.state === 'held',
    };
    this.#changes.streams.set(stream, after);
    return after;
  }
}
