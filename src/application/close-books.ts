/** Closes the books of one account: sums up all that its stream tells in one event, from which it can be folded on. */
import { isDeepStrictEqual } from 'node:util';
import {
  accruedUntil,
  type BankAccount,
  type BankAccountEvent,
  type BooksFrame,
  type BooksOperation,
  type BooksTotals,
  bankAccountStream,
  closeBooks,
  decideWithoutExpired,
  evolveBankAccount,
  stateOfBooks,
} from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { accept, type Decision } from '../domain/decision.ts';
import { toDecimal, toMinor } from '../domain/money.ts';
import type { DomainEvent, EventCodec, Recorded } from '../event-sourcing/codec.ts';
import type { EventReader, RecordedEvent } from '../event-sourcing/event-store.ts';
import { OperationLog, operationOf, type RememberedOperation } from '../event-sourcing/operation-log.ts';
import { replay, stateAfter } from '../event-sourcing/replay.ts';
import type { CommandContext } from '../event-sourcing/repository.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { accountNotFound, asDecision, type Bank, bankAccountType } from './bank.ts';

/** What it takes to close books. */
export interface BooksSources extends Pick<Bank, 'accounts'> {
  /** Streams as far as the store itself has them. */
  readonly reader: Pick<EventReader, 'readStream'>;
  readonly codec: EventCodec<BankEvent>;
}

/** How often it is tried again after somebody else has changed the account; each try reads only what is new. */
const TRIES_MAX = 20;

const BOOKS_CLOSED = 'BankAccountBooksClosedDomainEventV1';

/**
 * Closes the books of an account, whatever its status.
 * @param periodEnd RFC 3339 UTC
 * @returns the revision of the event that sums up all before it
 * Rejects with `account_not_found` or `time_in_future`.
 * @throws StoreError `busy` when the account never stands still, or when the store fails
 */
export async function closeBooksOf(
  sources: BooksSources,
  accountId: string,
  periodEnd: string,
  context: CommandContext,
): Promise<Decision<{ readonly revision: number }>> {
  const books = new BooksReader(sources, bankAccountStream(accountId));
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    await books.readOn();
    const outcome = await sources.accounts.execute(
      accountId,
      (account, now) =>
        account
          ? decideWithoutExpired(account, now, (current) =>
              checkedBooks(current, books.frame(periodEnd), now),
            )
          : accountNotFound(accountId),
      context,
      books.revision,
    );
    const decision = asDecision(outcome);
    if (decision.ok) return accept({ revision: decision.value.revision });
    if (decision.rejection.code !== 'revision_mismatch') return decision;
  }
  throw new StoreError('busy', `${bankAccountStream(accountId)} kept changing while its books were closed.`);
}

/** @throws Error when the books would not lead to the state that they sum up: then nothing may be built on them */
function checkedBooks(state: BankAccount, frame: BooksFrame, now: string): Decision<BankAccountEvent[]> {
  const decision = closeBooks(state, frame, now);
  const [books] = decision.ok ? decision.value : [];
  if (books && !isDeepStrictEqual(evolveBankAccount(undefined, books, now), accruedUntil(state, now))) {
    throw new Error('The books do not tell all of the account.');
  }
  return decision;
}

/**
 * Whether the newest event of an account, its closed books, still tells what all events before it make: in a log that was
 * rewritten, they may be others than those that it summed up.
 * @throws StoreError when the store fails, or `corrupt` when an event cannot be applied
 */
export async function areBooksTrue(
  { reader, codec }: Pick<BooksSources, 'reader' | 'codec'>,
  accountId: string,
): Promise<boolean> {
  const accountCodec = codec as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;
  const sources = { reader, codec: accountCodec, aggregate: bankAccountType };
  let isTrue = false;
  for await (const step of replay(sources, bankAccountStream(accountId))) {
    const state = stateAfter(step);
    isTrue = step.event?.type === BOOKS_CLOSED && isDeepStrictEqual(stateOfBooks(step.event.data), state);
  }
  return isTrue;
}

/** What the books tell that the state does not: totals, operations, the latest time. */
class BooksReader {
  readonly #sources: BooksSources;
  readonly #stream: string;
  #operations = new OperationLog();
  #transactions = 0;
  #credits = 0n;
  #debits = 0n;
  #currency: string | undefined;
  #latest = '';
  #revision = -1;

  constructor(sources: BooksSources, stream: string) {
    this.#sources = sources;
    this.#stream = stream;
  }

  /** Of the last event that was read; −1 before there is any. */
  get revision(): number {
    return this.#revision;
  }

  async readOn(): Promise<void> {
    const { reader, codec } = this.#sources;
    for await (const recorded of reader.readStream(this.#stream, { from: this.#revision + 1 })) {
      this.#add(recorded, codec.decode(recorded));
    }
  }

  frame(period_end: string): BooksFrame {
    const remembered = this.#operations.remembered(this.#revision);
    const text = (minor: bigint) => (this.#currency === undefined ? '0' : toDecimal(minor, this.#currency));
    const totals: BooksTotals = {
      transactions: this.#transactions,
      credits: text(this.#credits),
      debits: text(this.#debits),
    };
    return {
      period_end,
      latest_event_at: this.#latest,
      totals,
      operations: {
        creation: remembered?.creation ? toBooks(remembered.creation) : null,
        recent: (remembered?.recent ?? []).map(toBooks),
        has_forgotten: remembered?.hasForgotten ?? false,
      },
    };
  }

  #add({ revision, metadata }: RecordedEvent, event: Recorded<BankEvent>): void {
    const isFirst = this.#revision < 0;
    this.#revision = revision;
    if (metadata.timestamp > this.#latest) this.#latest = metadata.timestamp;
    const operation = operationOf(metadata);
    if (operation) this.#operations.note(operation, revision, revision);
    if ('currency' in event.data) this.#currency = event.data.currency;
    if (event.type === 'BankAccountTransactionRecordedDomainEventV1') {
      const minor = toMinor(event.data.amount, event.data.currency);
      this.#transactions += 1;
      if (event.data.direction === 'CREDIT') this.#credits += minor;
      else this.#debits += minor;
    }
    if (isFirst && event.type === BOOKS_CLOSED) this.#goOnFrom(event);
  }

  /** Earlier books say what came before them. */
  #goOnFrom(event: Extract<BankEvent, { type: 'BankAccountBooksClosedDomainEventV1' }>): void {
    const { totals, currency, latest_event_at } = event.data;
    this.#transactions = totals.transactions;
    this.#credits = toMinor(totals.credits, currency);
    this.#debits = toMinor(totals.debits, currency);
    if (latest_event_at > this.#latest) this.#latest = latest_event_at;
    const summed = bankAccountType.summaryIn?.(event);
    if (summed) this.#operations = OperationLog.of(summed.operations);
  }
}

function toBooks({ id, contentHash, firstRevision, lastRevision }: RememberedOperation): BooksOperation {
  return { id, content_hash: contentHash, first_revision: firstRevision, last_revision: lastRevision };
}
