/**
 * Keeps the snapshots of one kind of aggregate in two streams each: the newest ones, which push older ones out, and one
 * in so many revisions for good.
 */
import { LRUCache } from 'lru-cache';
import type { EventStore, ReadDirection, RecordedEvent } from '../event-store.ts';
import { StoreError } from '../store-error.ts';
import {
  type ReadSnapshot,
  readSnapshot,
  type Snapshot,
  type SnapshotKind,
  toSnapshotEvent,
} from './snapshot.ts';
import type { SnapshotHistory } from './snapshot-history.ts';
import { milestoneStream, snapshotStream } from './snapshot-streams.ts';

export interface Retention {
  /** How many of the newest snapshots are kept; at least 1. */
  readonly newest: number;
  /** One in so many revisions is kept for good; missing when none is. */
  readonly milestoneEvery?: number;
}

export interface SnapshotStoreOptions {
  readonly store: EventStore;
  /** The kind of aggregate, and the stream of each. */
  readonly aggregate: SnapshotKind & { stream(id: string): string };
  readonly retention: Retention;
  readonly newId: () => string;
  readonly now: () => Date;
}

/** A snapshot, or what stands in the place of one. */
export interface KeptSnapshot<S> {
  /** Whether it is among those that are kept for good. */
  readonly milestone: boolean;
  /** In its own stream; missing for an event that the store cannot read. */
  readonly place?: number;
  readonly read: ReadSnapshot<S>;
}

/** Beyond these bytes of JSON a snapshot is not written: servers take no events of a megabyte. */
export const SNAPSHOT_BYTES_MAX = 512 * 1024;
/** Milestones that one look at all of them takes, the newest. */
const MILESTONES_READ_MAX = 10_000;
/** Streams whose settings and newest milestone are remembered. */
const REMEMBERED_STREAMS_MAX = 10_000;

const UNREADABLE = { usable: false, reason: 'unreadable' } as const;

export class SnapshotStore<S> implements SnapshotHistory<S> {
  readonly #options: SnapshotStoreOptions;
  /** The streams that this process has made to keep so many. */
  readonly #bounded = new LRUCache<string, true>({ max: REMEMBERED_STREAMS_MAX });
  readonly #milestones = new LRUCache<string, number>({ max: REMEMBERED_STREAMS_MAX });

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
  }

  /**
   * The newest snapshots, the newest first, each read when it is asked for; mostly the first one is all that is needed.
   * @throws StoreError when the store fails
   */
  async *newestFirst(id: string): AsyncGenerator<KeptSnapshot<S>> {
    const stream = snapshotStream(this.#streamOf(id));
    yield* this.#backwards(id, stream, undefined, this.#options.retention.newest);
  }

  atOrBefore(id: string, revision: number): Promise<Snapshot<S> | undefined> {
    return this.#newestThat(id, (snapshot) => snapshot.revision <= revision);
  }

  asOf(id: string, at: string): Promise<Snapshot<S> | undefined> {
    return this.#newestThat(id, (snapshot) => snapshot.latest <= at);
  }

  /** Every snapshot that is kept, milestones first, each group the oldest first. */
  async all(id: string): Promise<KeptSnapshot<S>[]> {
    const stream = this.#streamOf(id);
    const kept: KeptSnapshot<S>[] = [];
    for (const [name, most] of [
      [milestoneStream(stream), MILESTONES_READ_MAX],
      [snapshotStream(stream), this.#options.retention.newest],
    ] as const) {
      const newestFirst: KeptSnapshot<S>[] = [];
      for await (const one of this.#backwards(id, name, undefined, most)) newestFirst.push(one);
      kept.push(...newestFirst.reverse());
    }
    return kept;
  }

  /**
   * Writes a snapshot, also among the milestones when it is the first one behind a border between them.
   * @throws StoreError when the store fails, or `invalid_request` for one that is too large
   * @throws TypeError for a state that has no exact JSON
   */
  async write(id: string, snapshot: Snapshot<S>): Promise<void> {
    const stream = this.#streamOf(id);
    const { newest, milestoneEvery } = this.#options.retention;
    const place = await this.#append(id, snapshotStream(stream), snapshot);
    // A stream that has fewer needs no bound yet, and most never will.
    if (place >= newest) await this.#keepNewest(snapshotStream(stream));
    if (milestoneEvery === undefined) return;
    const border = (revision: number) => Math.floor((revision + 1) / milestoneEvery);
    if (border(snapshot.revision) <= border(await this.#newestMilestone(id))) return;
    await this.#append(id, milestoneStream(stream), forHistory(snapshot));
    this.#milestones.set(id, snapshot.revision);
  }

  /** Puts snapshots in the place of all that there are. Readers find old ones or new ones, never none that were good. */
  async replaceAll(
    id: string,
    { newest, milestones }: { newest: readonly Snapshot<S>[]; milestones: readonly Snapshot<S>[] },
  ): Promise<void> {
    const stream = this.#streamOf(id);
    this.#milestones.delete(id);
    await this.#replace(id, milestoneStream(stream), milestones.map(forHistory), {});
    const maxCount = this.#options.retention.newest;
    await this.#replace(id, snapshotStream(stream), newest.slice(-maxCount), { maxCount });
  }

  async #replace(
    id: string,
    stream: string,
    snapshots: readonly Snapshot<S>[],
    settings: { maxCount?: number },
  ): Promise<void> {
    let first: number | undefined;
    for (const snapshot of snapshots) {
      const revision = await this.#append(id, stream, snapshot);
      first ??= revision;
    }
    const { store } = this.#options;
    if (first !== undefined) await store.setStreamMetadata(stream, { ...settings, truncateBefore: first });
    else await store.deleteStream(stream);
    this.#bounded.delete(stream);
  }

  /** @param isEarly true for all snapshots up to one, false for all behind it */
  async #newestThat(
    id: string,
    isEarly: (snapshot: Snapshot<S>) => boolean,
  ): Promise<Snapshot<S> | undefined> {
    for await (const { read } of this.newestFirst(id)) {
      if (read.usable && isEarly(read.snapshot)) return forHistory(read.snapshot);
    }
    return this.#newestMilestoneThat(id, isEarly);
  }

  #streamOf(id: string): string {
    return this.#options.aggregate.stream(id);
  }

  async #append(id: string, stream: string, snapshot: Snapshot<S>): Promise<number> {
    const { store, aggregate, newId, now } = this.#options;
    const event = toSnapshotEvent(aggregate, id, snapshot, { id: newId(), takenAt: now().toISOString() });
    const bytes = Buffer.byteLength(JSON.stringify(event.data));
    if (bytes > SNAPSHOT_BYTES_MAX) {
      throw new StoreError('invalid_request', `A snapshot of ${bytes} bytes is too large for ${stream}.`);
    }
    const result = await store.append(stream, [event], 'any');
    // Nothing was expected, so nothing can have conflicted.
    if (!result.ok) throw new StoreError('busy', `${stream} could not be written.`);
    return result.revision;
  }

  async #keepNewest(stream: string): Promise<void> {
    if (this.#bounded.has(stream)) return;
    const { store, retention } = this.#options;
    const settings = await store.getStreamMetadata(stream);
    if (settings.maxCount !== retention.newest) {
      await store.setStreamMetadata(stream, { ...settings, maxCount: retention.newest });
    }
    this.#bounded.set(stream, true);
  }

  async #newestMilestone(id: string): Promise<number> {
    const known = this.#milestones.get(id);
    if (known !== undefined) return known;
    for await (const { read } of this.#backwards(id, milestoneStream(this.#streamOf(id)), undefined, 1)) {
      if (read.usable) return read.snapshot.revision;
    }
    return -1;
  }

  /** They stand in the order of their revisions, so half of them is left after each look. */
  async #newestMilestoneThat(
    id: string,
    isEarly: (snapshot: Snapshot<S>) => boolean,
  ): Promise<Snapshot<S> | undefined> {
    const stream = milestoneStream(this.#streamOf(id));
    let low = await this.#edge(stream, 'forwards');
    let high = await this.#edge(stream, 'backwards');
    if (low === undefined || high === undefined) return undefined;
    let found: Snapshot<S> | undefined;
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const usable = await this.#usableDownTo(id, stream, middle, low);
      if (usable && isEarly(usable.snapshot)) {
        found = usable.snapshot;
        low = middle + 1;
      } else if (usable) high = usable.place - 1;
      else low = middle + 1;
    }
    return found;
  }

  /** The oldest or newest place of a stream; nothing when the event there cannot be read. */
  async #edge(stream: string, direction: ReadDirection): Promise<number | undefined> {
    try {
      for await (const { revision } of this.#options.store.readStream(stream, { direction, limit: 1 }))
        return revision;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'corrupt') throw error;
    }
    return undefined;
  }

  /** The newest usable one between two places. */
  async #usableDownTo(id: string, stream: string, from: number, to: number) {
    for await (const { place, read } of this.#backwards(id, stream, from, from - to + 1)) {
      if (place !== undefined && place < to) return undefined;
      if (read.usable && place !== undefined) return { place, snapshot: read.snapshot };
    }
    return undefined;
  }

  /** One event a read: each may be large, and mostly one is enough. */
  async *#backwards(
    id: string,
    stream: string,
    start: number | undefined,
    most: number,
  ): AsyncGenerator<KeptSnapshot<S>> {
    const { store, aggregate } = this.#options;
    const milestone = stream === milestoneStream(this.#streamOf(id));
    let from = start;
    for (let count = 0; count < most && (from === undefined || from >= 0); count += 1) {
      let event: RecordedEvent | undefined;
      try {
        const at = from === undefined ? {} : { from };
        for await (const one of store.readStream(stream, { direction: 'backwards', limit: 1, ...at }))
          event = one;
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'corrupt') throw error;
        yield { milestone, read: UNREADABLE };
        if (from === undefined) return;
        from -= 1;
        continue;
      }
      if (!event) return;
      yield { milestone, place: event.revision, read: readSnapshot(aggregate, id, event) };
      from = event.revision - 1;
    }
  }
}

/** A look into the past asks for no operations, and they are most of a snapshot. */
function forHistory<S>({ operations: _operations, ...snapshot }: Snapshot<S>): Snapshot<S> {
  return snapshot;
}
