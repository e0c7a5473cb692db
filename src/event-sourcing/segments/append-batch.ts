/** Appends that are under way together while a log is written anew: all are acknowledged before the next batch begins. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppendResult, EventStore, ExpectedRevision, NewEvent, RecordedEvent } from '../event-store.ts';
import { StoreError } from '../store-error.ts';

/** What the embedded store takes into one commit: there a batch is written whole or not at all. */
const BATCH_APPENDS_MAX = 2_000;
const BATCH_EVENTS_MAX = 8_000;
const BATCH_LENGTH_MAX = 16 * 1024 * 1024;
/** Events and characters of JSON that share an append, below what servers take as one. */
const APPEND_EVENTS_MAX = 500;
const APPEND_LENGTH_MAX = 256 * 1024;
const TRIES_MAX = 6;
const FIRST_DELAY_MS = 100;

/** An event and the place that it must get. */
type PlacedEvent = NewEvent & Pick<RecordedEvent, 'stream' | 'revision'>;

/** Events that follow one another in a stream. */
interface Append {
  readonly stream: string;
  readonly events: NewEvent[];
  /** Revision of the first of them. */
  readonly first: number;
  length: number;
}

export class AppendBatch {
  readonly #target: EventStore;
  readonly #keepsOrder: boolean;
  #appends: Append[] = [];
  readonly #byStream = new Map<string, Append>();
  #events = 0;
  #length = 0;

  /**
   * @param keepsOrder whether the store writes appends in the order in which they are issued. Then the order of the
   *   whole log is kept. Otherwise the order of each stream is, and a stream begins only after all that came before it
   *   in the log is acknowledged: whoever follows the log never meets an account before its owner.
   */
  constructor(target: EventStore, keepsOrder: boolean) {
    this.#target = target;
    this.#keepsOrder = keepsOrder;
  }

  /**
   * Adds the next event of the log, and first writes what waits when it is enough.
   * @throws StoreError as `flush` does
   */
  async add(event: PlacedEvent): Promise<void> {
    const { id, type, data, metadata } = event;
    const length = JSON.stringify(data).length + JSON.stringify(metadata).length;
    if (this.#isFull(length) || this.#mustWait(event, length)) await this.flush();
    const append = this.#appendFor(event, length);
    append.events.push({ id, type, data, metadata });
    append.length += length;
    this.#events += 1;
    this.#length += length;
  }

  /**
   * Writes what waits; all of it is durable afterwards.
   * @throws StoreError `invalid_request` when somebody else writes to the store, or what the store threw last
   */
  async flush(): Promise<void> {
    const appends = this.#appends;
    this.#appends = [];
    this.#byStream.clear();
    this.#events = 0;
    this.#length = 0;
    if (appends.length > 0) await withRetries(() => this.#write(appends));
  }

  #isFull(length: number): boolean {
    if (this.#appends.length >= BATCH_APPENDS_MAX || this.#events >= BATCH_EVENTS_MAX) return true;
    return this.#events > 0 && this.#length + length > BATCH_LENGTH_MAX;
  }

  /** Without an order of its own, a store gets at most one append a stream at once. */
  #mustWait(event: PlacedEvent, length: number): boolean {
    if (this.#keepsOrder) return false;
    const open = this.#byStream.get(event.stream);
    return event.revision === 0 || (open !== undefined && !hasRoom(open, length));
  }

  #appendFor({ stream, revision }: PlacedEvent, length: number): Append {
    const open = this.#keepsOrder ? this.#appends.at(-1) : this.#byStream.get(stream);
    if (open?.stream === stream && hasRoom(open, length)) return open;
    const append = { stream, events: [], first: revision, length: 0 };
    this.#appends.push(append);
    this.#byStream.set(stream, append);
    return append;
  }

  async #write(appends: readonly Append[]): Promise<void> {
    const answers = await Promise.allSettled(
      appends.map(({ stream, events, first }) => this.#target.append(stream, events, before(first))),
    );
    // Only now, when none is under way any more, may a failure lead to a second try.
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
    answers.forEach((answer, index) => {
      if (answer.status === 'fulfilled') refuseUnlessInPlace(appends[index] as Append, answer.value);
    });
  }
}

/** What a stream must be at before its event of this revision is appended. */
function before(revision: number): ExpectedRevision {
  return revision === 0 ? 'no_stream' : revision - 1;
}

function hasRoom(append: Append, length: number): boolean {
  return append.events.length < APPEND_EVENTS_MAX && append.length + length <= APPEND_LENGTH_MAX;
}

function refuseUnlessInPlace({ stream, events, first }: Append, result: AppendResult): void {
  if (result.ok && result.revision === first + events.length - 1) return;
  const found = result.ok ? `wrote revision ${result.revision}` : `is at ${result.conflict.actual}`;
  const detail = `${stream} ${found} where revision ${first} of the export belongs`;
  throw new StoreError('invalid_request', `Somebody else writes to the store: ${detail}.`);
}

/** The same ids at the same revisions: what was written already is not written twice. */
async function withRetries(write: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      const mayPass = error instanceof StoreError && (error.code === 'unavailable' || error.code === 'busy');
      if (!mayPass || tries >= TRIES_MAX) throw error;
      await sleep(FIRST_DELAY_MS * 2 ** (tries - 1));
    }
  }
}
