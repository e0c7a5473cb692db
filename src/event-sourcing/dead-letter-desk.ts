/**
 * Does what operators ask about the dead letters of projections: folds them again in their order, or gives them up. It
 * works at the place of the request in the log, so that a rebuild, which meets the request again, decides the same.
 */
import type { DomainEvent, EventCodec } from './codec.ts';
import { reasonOf } from './dead-letter.ts';
import type { DocumentSession } from './document-session.ts';
import type { EventReader, Position } from './event-store.ts';
import { foldStream } from './fold-stream.ts';
import type { DeadLetterSelection, DeadLettersRequest } from './operator-requests.ts';
import type { AnyProjection } from './projection.ts';
import type { DeadLetter, DeadLetterId, Document, ReadModelReader } from './read-model-store.ts';
import { StoreError } from './store-error.ts';

export interface DeadLetterDeskOptions<E extends DomainEvent> {
  readonly reader: Pick<EventReader, 'readStream'>;
  readonly codec: EventCodec<E>;
  readonly session: DocumentSession;
  readonly letters: Pick<ReadModelReader, 'listDeadLetters'>;
}

/** What has to be committed beside the documents of the session. */
export interface DeskResult {
  readonly settled: DeadLetterId[];
  /** Tried again in vain: with what came of it. */
  readonly deadLetters: DeadLetter[];
}

/** Letters read at a time. */
const PAGE_LETTERS = 500;
const NO_LIMIT: Position = 1n << 100n;

export class DeadLetterDesk<E extends DomainEvent> {
  readonly #options: DeadLetterDeskOptions<E>;

  constructor(options: DeadLetterDeskOptions<E>) {
    this.#options = options;
  }

  /**
   * @param projection missing for letters that belong to none
   * @param at the request's position
   * @throws StoreError when a store could not be read: then the session has to be discarded
   */
  async obey(
    projection: AnyProjection<E> | undefined,
    { type, data }: DeadLettersRequest,
    at: Position,
  ): Promise<DeskResult> {
    const result: DeskResult = { settled: [], deadLetters: [] };
    const position = data.position === undefined ? undefined : BigInt(data.position);
    if (type === 'DeadLettersDiscardRequestedV1') await this.#settle(data, position, at, result);
    if (!projection) return result;
    const given = new Set(result.settled.map(({ documentKey, position }) => `${position} ${documentKey}`));
    const isGiven = (one: DeadLetter) => given.has(`${one.position} ${one.documentKey}`);
    // After one was given up, those that only waited for it have their turn.
    const through = type === 'DeadLettersRetryRequestedV1' ? (position ?? NO_LIMIT) : NO_LIMIT;
    for (const key of await this.#keysOf(data, at))
      await this.#retry(projection, key, { at, through, isGiven, result });
    return result;
  }

  async #settle(
    selection: DeadLetterSelection,
    position: Position | undefined,
    at: Position,
    { settled }: DeskResult,
  ): Promise<void> {
    for await (const letter of this.#lettersOf(selection.consumer, selection.document_key, at)) {
      if (position === undefined || letter.position === position) settled.push(letter);
    }
  }

  /** Letters of no document are not tried again: which documents they would touch is not known, and those went on. */
  async #keysOf({ consumer, document_key }: DeadLetterSelection, at: Position): Promise<ReadonlySet<string>> {
    if (document_key !== undefined) return new Set(document_key === '' ? [] : [document_key]);
    const keys = new Set<string>();
    for await (const letter of this.#lettersOf(consumer, undefined, at)) keys.add(letter.documentKey);
    keys.delete('');
    return keys;
  }

  /** Folds the letters of a document, up to the first that fails again. */
  async #retry(
    projection: AnyProjection<E>,
    key: string,
    options: {
      readonly at: Position;
      readonly through: Position;
      readonly isGiven: (letter: DeadLetter) => boolean;
      readonly result: DeskResult;
    },
  ): Promise<void> {
    const { session } = this.#options;
    const { at, through, isGiven, result } = options;
    await session.load(projection, key);
    const stored = session.stored(projection, key);
    if (!stored?.blocked) return;
    let { document } = stored;
    let blocked = false;
    for await (const letter of this.#lettersOf(projection.name, key, at)) {
      if (isGiven(letter)) continue;
      blocked = letter.position > through;
      if (blocked) break;
      try {
        document = await this.#foldAgain(projection, letter, document);
        result.settled.push(letter);
      } catch (error) {
        if (error instanceof StoreError && error.code !== 'corrupt') throw error;
        result.deadLetters.push({ ...letter, cause: reasonOf(error), attempts: letter.attempts + 1 });
        blocked = true;
        break;
      }
    }
    session.change(projection, { ...stored, position: at, blocked, ...(document ? { document } : {}) });
  }

  async #foldAgain(
    projection: AnyProjection<E>,
    letter: DeadLetter,
    document: Document | undefined,
  ): Promise<Document> {
    const { reader, codec, session } = this.#options;
    const { stream, revision, documentKey } = letter;
    const before =
      document ?? (await foldStream(reader, codec, projection, documentKey, session, revision - 1));
    for await (const recorded of reader.readStream(stream, { from: revision, limit: 1 })) {
      if (recorded.revision !== revision) break;
      const event = codec.decode(recorded);
      for (const { from, key } of projection.lookups?.(event) ?? []) await session.load(from, key);
      return projection.fold(before, event, session, documentKey);
    }
    throw new Error(`revision ${revision} is no longer in ${stream}`);
  }

  /** Those from before the request, oldest first. */
  async *#lettersOf(
    projection: string,
    documentKey: string | undefined,
    at: Position,
  ): AsyncGenerator<DeadLetter> {
    const filter = { projection, limit: PAGE_LETTERS, ...(documentKey === undefined ? {} : { documentKey }) };
    let page: DeadLetter[] = [];
    do {
      const after = page.at(-1);
      page = await this.#options.letters.listDeadLetters({ ...filter, ...(after ? { after } : {}) });
      for (const letter of page) {
        if (letter.position >= at) return;
        yield letter;
      }
    } while (page.length === PAGE_LETTERS);
  }
}
