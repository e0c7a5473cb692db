/** Decision about closing the books of an account at the end of a period. */
import { accept, type Decision, reject } from '../decision.ts';
import { type BooksFrame, booksOf } from './books.ts';
import type { BankAccountEvent } from './events.ts';
import { accruedUntil } from './state.ts';
import type { BankAccount } from './state-shape.ts';

export { type BooksFrame, stateOfBooks } from './books.ts';

/**
 * Sums up all that the account is, whatever its status: nothing of it changes.
 * @param now RFC 3339 UTC
 * Rejects with `time_in_future`.
 */
export function closeBooks(state: BankAccount, frame: BooksFrame, now: string): Decision<BankAccountEvent[]> {
  if (frame.period_end > now) {
    return reject('time_in_future', `The period ends at ${frame.period_end}, later than now, ${now}.`, {
      field: 'up_to',
    });
  }
  const data = booksOf(accruedUntil(state, now), frame);
  return accept([{ type: 'BankAccountBooksClosedDomainEventV1', data }]);
}
