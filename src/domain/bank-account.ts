/** The BankAccount aggregate: a balance that only its own events can change. Here is all that other rooms may use of it. */
export * from './bank-account/account.ts';
export * from './bank-account/close-books.ts';
export * from './bank-account/events.ts';
export * from './bank-account/freezing.ts';
export * from './bank-account/holds.ts';
export { halfToEven, rateText, UNITS_PER_MINOR } from './bank-account/interest.ts';
export * from './bank-account/limits.ts';
export * from './bank-account/movements.ts';
export type { Posting } from './bank-account/posting.ts';
export * from './bank-account/reversals.ts';
export * from './bank-account/state.ts';
export * from './bank-account/terms.ts';
export * from './bank-account/transfer-outcomes.ts';
export * from './bank-account/transfer-reversals.ts';
export * from './bank-account/transfers.ts';
