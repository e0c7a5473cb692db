/** Does what operators ask about parked events: delivers them again in their order, or gives them up. */
import { WAITS_FOR_EARLIER } from './dead-letter.ts';
import type { EventReader, Position, RecordedEvent } from './event-store.ts';
import type { DeadLetterSelection, DeadLettersRequest } from './operator-requests.ts';
import type { ReactorDelivery, Verdict } from './reactor-delivery.ts';
import { isHeld, type ReactorJournal, type StoredStream } from './reactor-journal.ts';
import type { DeadLetter } from './read-model-store.ts';

/** Letters of one stream between two commits, and streams that are gone through side by side. */
const PAGE_LETTERS = 100;
const PAGE_STREAMS = 100;

const NO_LIMIT: Position = 1n << 100n;

export interface RequestDeskOptions {
  readonly reader: EventReader;
  readonly journal: ReactorJournal;
  readonly delivery: ReactorDelivery;
  readonly commit: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** While it works nothing else is under way, so that what arrives meanwhile stays behind what is replayed. */
export class ReactorRequestDesk {
  readonly #options: RequestDeskOptions;

  constructor(options: RequestDeskOptions) {
    this.#options = options;
  }

  /** @param at the request's position */
  async obey({ type, data }: DeadLettersRequest, at: Position): Promise<void> {
    if (type === 'DeadLettersRetryRequestedV1') {
      const through = data.position === undefined ? NO_LIMIT : BigInt(data.position);
      await this.#forEachStream(data, (stream) => this.#replay(stream, through, at));
    } else if (data.position !== undefined) {
      await this.#discardOne(data.document_key ?? '', BigInt(data.position), at);
    } else {
      await this.#forEachStream(data, (stream) => this.#discardAll(stream, at));
    }
    await this.#options.commit();
  }

  async #forEachStream(
    { document_key }: DeadLetterSelection,
    work: (stream: string) => Promise<void>,
  ): Promise<void> {
    if (document_key !== undefined) return work(document_key);
    let page: StoredStream[] = [];
    do {
      page = await this.#options.journal.heldStreams(page.at(-1), PAGE_STREAMS);
      await Promise.all(page.map(({ key }) => work(key)));
    } while (page.length === PAGE_STREAMS && !this.#options.signal.aborted);
  }

  /** Delivers the letters of a stream in order, up to a position; the first that is refused again holds the stream. */
  async #replay(stream: string, through: Position, at: Position): Promise<void> {
    const { journal, commit, signal } = this.#options;
    const before = await journal.stream(stream);
    if (!isHeld(before)) return;
    for (;;) {
      const letters = await journal.letters(stream, PAGE_LETTERS);
      if (letters.length === 0) return journal.release(stream, before, at);
      for (const letter of letters) {
        if (letter.position > through) return this.#holdBy(letter, before, at);
        const verdict = await this.#deliverAgain(letter);
        if (verdict.kind === 'stopped') return;
        if (verdict.kind === 'parked') {
          journal.hold(stream, before, at, { by: letter.position, ...verdict });
          return;
        }
        journal.settle(stream, letter.position);
      }
      await commit();
      if (signal.aborted) return;
    }
  }

  #holdBy(letter: DeadLetter, before: StoredStream, at: Position): void {
    if (before.document?.held_by === String(letter.position)) return;
    const why = { by: letter.position, cause: WAITS_FOR_EARLIER, attempts: 0 };
    this.#options.journal.hold(letter.documentKey, before, at, why);
  }

  async #deliverAgain(letter: DeadLetter): Promise<Verdict> {
    const { delivery } = this.#options;
    const event = await this.#read(letter);
    if (event) return delivery.decide(event, { parkedBefore: true });
    const cause = `Revision ${letter.revision} is no longer in ${letter.stream}.`;
    return { kind: 'parked', cause, attempts: letter.attempts };
  }

  async #read({ stream, revision, eventId }: DeadLetter): Promise<RecordedEvent | undefined> {
    for await (const event of this.#options.reader.readStream(stream, { from: revision, limit: 1 })) {
      if (event.revision === revision && event.id === eventId) return event;
    }
    return undefined;
  }

  /** What only waited for the event that is given up goes out in the same step. */
  async #discardOne(stream: string, position: Position, at: Position): Promise<void> {
    const { journal, commit } = this.#options;
    const before = await journal.stream(stream);
    if (!isHeld(before)) return;
    journal.settle(stream, position);
    await commit();
    if (before.document.held_by === String(position)) await this.#replay(stream, NO_LIMIT, at);
  }

  async #discardAll(stream: string, at: Position): Promise<void> {
    const { journal, commit, signal } = this.#options;
    const before = await journal.stream(stream);
    if (!isHeld(before)) return;
    for (;;) {
      const letters = await journal.letters(stream, PAGE_LETTERS);
      if (letters.length === 0) return journal.release(stream, before, at);
      for (const { position } of letters) journal.settle(stream, position);
      await commit();
      if (signal.aborted) return;
    }
  }
}
