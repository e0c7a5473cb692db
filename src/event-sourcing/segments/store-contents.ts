/** What a store holds, stream by stream, so that it can be compared with an export without keeping any event. */

import type { EventReader } from '../event-store.ts';
import { isFiller } from '../filler-event.ts';
import { isSnapshotStream } from '../snapshots/snapshot-streams.ts';
import { StoreError } from '../store-error.ts';
import { addDigests, digestOf, EMPTY_DIGEST, type EventDigest } from './event-digest.ts';
import type { SegmentRecord } from './segment.ts';

interface Counted {
  events: number;
  digest: EventDigest;
}

/** Fillers count for `last` only. */
interface HeldStream extends Counted {
  /** The newest revision. */
  last: number;
}

const REPORT_EVERY_EVENTS = 1_000;

export class StoreContents {
  readonly #streams = new Map<string, HeldStream>();
  #events = 0;
  #digest = EMPTY_DIGEST;

  /** Reads the whole log; `onProgress` hears now and then how many events have been read. */
  static async of(store: EventReader, onProgress?: (events: number) => void): Promise<StoreContents> {
    const contents = new StoreContents();
    for await (const event of store.readAll()) {
      // A server's own streams, and what no export has.
      if (event.stream.startsWith('$') || isSnapshotStream(event.stream)) continue;
      const held = contents.#streams.get(event.stream) ?? { events: 0, digest: EMPTY_DIGEST, last: 0 };
      contents.#streams.set(event.stream, held);
      held.last = event.revision;
      if (isFiller(event)) continue;
      const digest = digestOf(event);
      add(held, digest);
      contents.#digest = addDigests(contents.#digest, digest);
      contents.#events += 1;
      if (contents.#events % REPORT_EVERY_EVENTS === 0) onProgress?.(contents.#events);
    }
    return contents;
  }

  get events(): number {
    return this.#events;
  }

  get digest(): EventDigest {
    return this.#digest;
  }

  /** Of the stream's newest event; `undefined` when the stream is not there. */
  lastRevision(stream: string): number | undefined {
    return this.#streams.get(stream)?.last;
  }

  /** Whether the store holds what has such a place in an export: then it need not be appended. */
  has(stream: string, revision: number): boolean {
    return revision <= (this.lastRevision(stream) ?? -1);
  }

  /** Compares with an export whose records are shown to it one by one. */
  comparison(): ContentsComparison {
    return new ContentsComparison(this.#streams, this);
  }
}

/** Finds out whether all that a store holds is of one export: the beginning of each of its streams, and nothing else. */
class ContentsComparison {
  readonly #held: ReadonlyMap<string, HeldStream>;
  readonly #contents: StoreContents;
  readonly #met = new Map<string, Counted>();

  constructor(held: ReadonlyMap<string, HeldStream>, contents: StoreContents) {
    this.#held = held;
    this.#contents = contents;
  }

  show(record: SegmentRecord): void {
    // What only fillers stand for so far is known by its beginning.
    if (record.kind === 'stream') this.#meet(record.stream);
    if (record.kind !== 'event') return;
    const { stream, revision } = record.event;
    if (this.#contents.has(stream, revision)) add(this.#meet(stream), digestOf(record.event));
  }

  #meet(stream: string): Counted {
    const met = this.#met.get(stream) ?? { events: 0, digest: EMPTY_DIGEST };
    this.#met.set(stream, met);
    return met;
  }

  /** @throws StoreError `invalid_request`, naming a stream, when the store holds anything else */
  refuseOthers(): void {
    for (const [stream, { events, digest }] of this.#held) {
      const met = this.#met.get(stream);
      if (met?.events === events && met.digest === digest) continue;
      const detail = `${stream} is there with events that are not of this export`;
      throw new StoreError('invalid_request', `An import needs a store without events: ${detail}.`);
    }
  }
}

function add(counted: Counted, digest: EventDigest): void {
  counted.events += 1;
  counted.digest = addDigests(counted.digest, digest);
}
