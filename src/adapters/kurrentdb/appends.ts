/** Appends as the port promises them: idempotent, tried again while the outcome is unknown, conflicts as values. */
import type {
  AppendResult,
  ExpectedRevision,
  NewEvent,
  Position,
  RecordedEvent,
} from '../../event-sourcing/event-store.ts';
import { Signal } from '../../event-sourcing/signal.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { type AppendCalls, type AppendOutcome, sizeOf } from './append-calls.ts';
import { type ProposedMessage, toProposedMessage } from './event-mapping.ts';
import { isVisible } from './read-request.ts';
import { pause } from './retry.ts';
import type { StreamReader } from './stream-reader.ts';

const EVENTS_PER_APPEND_MAX = 10_000;
/** The server takes less by default (1 MiB) and says so; beyond this it would break the call that others share. */
const BYTES_PER_APPEND_MAX = 15 * 1024 * 1024;
/** Appends and bytes that may be under way at once; one more is refused as `busy`, so memory stays bounded. */
const IN_FLIGHT_MAX = 20_000;
const BYTES_IN_FLIGHT_MAX = 128 * 1024 * 1024;
/** With the backoff between them, some ten seconds: long enough for a new leader to be elected. */
const TRIES_MAX = 9;

/** As `AppendResult`, with the position only when the server told it. */
type Attempted =
  | Extract<AppendResult, { ok: false }>
  | { readonly ok: true; readonly revision: number; readonly position: Position | undefined };

export class Appends {
  readonly #store: string;
  readonly #calls: AppendCalls;
  readonly #reader: StreamReader;
  readonly #closing: AbortSignal;
  readonly #settled = new Signal();
  #inFlight = 0;
  #bytesInFlight = 0;

  constructor(store: string, calls: AppendCalls, reader: StreamReader, closing: AbortSignal) {
    this.#store = store;
    this.#calls = calls;
    this.#reader = reader;
    this.#closing = closing;
  }

  /** @throws StoreError `invalid_request`, `busy`, `unavailable`, `access_denied` or `closed` */
  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    refuseUnusableName(stream);
    if (events.length === 0 || events.length > EVENTS_PER_APPEND_MAX) {
      throw new StoreError('invalid_request', `An append takes 1 to ${EVENTS_PER_APPEND_MAX} events.`);
    }
    const messages = events.map(toProposedMessage);
    return this.#counted(messages, () => this.#appendKnown(stream, messages, expected));
  }

  /** Appends what this adapter itself writes, to any stream, whatever its revision. */
  async appendSystemEvent(
    stream: string,
    message: ProposedMessage,
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    return this.#counted([message], () => this.#located(stream, [message], expected));
  }

  /**
   * Appends to a stream that keeps only its newest event, as streams of metadata do: where the event was written is
   * not asked for, since another may have taken its place already.
   * @returns whether the stream was still at the revision that was expected
   */
  async replaceNewest(
    stream: string,
    message: ProposedMessage,
    expected: number | 'no_stream',
  ): Promise<boolean> {
    return (await this.#counted([message], () => this.#attempt(stream, [message], expected))).ok;
  }

  /** Waits until nothing is under way, but not longer than `milliseconds`. */
  async settled(milliseconds: number): Promise<void> {
    const deadline = Date.now() + milliseconds;
    for (let left = milliseconds; this.#inFlight > 0 && left > 0; left = deadline - Date.now()) {
      await this.#settled.wait(left);
    }
  }

  async #counted<T>(messages: readonly ProposedMessage[], work: () => Promise<T>): Promise<T> {
    const bytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
    if (bytes > BYTES_PER_APPEND_MAX) {
      throw new StoreError('invalid_request', `An append takes at most ${BYTES_PER_APPEND_MAX} bytes.`);
    }
    if (this.#inFlight >= IN_FLIGHT_MAX || this.#bytesInFlight + bytes > BYTES_IN_FLIGHT_MAX) {
      throw new StoreError('busy', `${this.#store} has ${this.#inFlight} appends under way.`);
    }
    this.#inFlight += 1;
    this.#bytesInFlight += bytes;
    try {
      return await work();
    } finally {
      this.#inFlight -= 1;
      this.#bytesInFlight -= bytes;
      this.#settled.notify();
    }
  }

  /** The server takes a stream that has only metadata for one that exists; the port does not. */
  async #appendKnown(
    stream: string,
    messages: readonly ProposedMessage[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    if (expected === 'stream_exists' && !(await this.#reader.exists(stream))) return conflict('no_stream');
    return this.#located(stream, messages, expected);
  }

  async #located(
    stream: string,
    messages: readonly ProposedMessage[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    const attempted = await this.#attempt(stream, messages, expected);
    if (!attempted.ok) return attempted;
    const { ok, revision, position = await this.#positionOf(stream, revision) } = attempted;
    return { ok, revision, position };
  }

  async #attempt(
    stream: string,
    events: readonly ProposedMessage[],
    expected: ExpectedRevision,
  ): Promise<Attempted> {
    for (let tries = 1; ; tries += 1) {
      this.#refuseWhenClosed();
      const outcome = await this.#calls.send({ stream, events, expected });
      switch (outcome.kind) {
        case 'written':
          return { ok: true, revision: outcome.revision, position: outcome.position };
        case 'conflict':
          return this.#conflict(stream, events, expected, outcome.actual);
        case 'stream_deleted':
          if (expected === 'stream_exists') return conflict('no_stream');
          throw new StoreError('invalid_request', `The stream ${stream} was deleted for ever (tombstoned).`);
        default:
          await this.#failed(outcome, expected, tries);
      }
    }
  }

  /** Waits before the next try, or throws when there must be none. */
  async #failed(
    outcome: Extract<AppendOutcome, { error: StoreError }>,
    expected: ExpectedRevision,
    tries: number,
  ): Promise<void> {
    this.#refuseWhenClosed();
    // Only at a known place the server recognises the ids of an append that it has already done.
    const isSafe = outcome.kind === 'not_done' || expected === 'no_stream' || typeof expected === 'number';
    if (outcome.kind === 'refused' || !isSafe || tries >= TRIES_MAX) throw outcome.error;
    await pause(tries, this.#closing);
  }

  /**
   * A refused append may still be a retry: a stream that was deleted and created again does not begin at revision 0,
   * where the server looks for its ids. And the server counts on after a deletion, where the port says `no_stream`.
   */
  async #conflict(
    stream: string,
    events: readonly ProposedMessage[],
    expected: ExpectedRevision,
    actual: number | 'no_stream',
  ): Promise<AppendResult> {
    if (actual === 'no_stream') return conflict('no_stream');
    if (expected === 'no_stream') return (await this.#answerAgain(stream, events)) ?? conflict(actual);
    return conflict((await this.#reader.exists(stream)) ? actual : 'no_stream');
  }

  async #answerAgain(stream: string, events: readonly ProposedMessage[]): Promise<AppendResult | undefined> {
    let index = 0;
    let last: Pick<RecordedEvent, 'revision' | 'position'> | undefined;
    for await (const place of this.#reader.ids(stream, events.length)) {
      if (place.id !== events[index]?.getId()?.getString().toLowerCase()) return undefined;
      index += 1;
      last = place;
    }
    return last && index === events.length
      ? { ok: true, revision: last.revision, position: last.position }
      : undefined;
  }

  async #positionOf(stream: string, revision: number): Promise<Position> {
    const position = await this.#reader.positionOf(stream, revision);
    if (position !== undefined) return position;
    throw new StoreError(
      'unavailable',
      `${stream} was written at revision ${revision}, but it is gone already.`,
    );
  }

  #refuseWhenClosed(): void {
    if (this.#closing.aborted) throw new StoreError('closed', `${this.#store} is closed.`);
  }
}

/** @throws StoreError `invalid_request` for a name that no stream of ours may have */
export function refuseUnusableName(stream: string): void {
  // Ill-formed names would all become the same name on the wire.
  if (stream === '' || !stream.isWellFormed()) {
    throw new StoreError('invalid_request', 'A stream name is not empty and is well-formed Unicode.');
  }
  if (isVisible(stream)) return;
  throw new StoreError('invalid_request', `The stream name ${JSON.stringify(stream)} is reserved.`);
}

function conflict(actual: number | 'no_stream'): Extract<AppendResult, { ok: false }> {
  return { ok: false, conflict: { actual } };
}
