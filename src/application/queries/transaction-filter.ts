/** What transactions can be searched for, and whether one of them is meant. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TRANSACTION_TYPES } from '../../domain/bank-account.ts';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import { parseNonNegativeAmount, toMinor } from '../../domain/money.ts';
import type { TransactionDocument } from '../../projections/transactions.ts';
import { timeOf } from './account-history.ts';

const searchText = z.string().trim().min(1).max(200);

function optional<T extends z.ZodType>(field: T, description: string) {
  return field.optional().meta({ description });
}

// None has an example: documentation would fill it in, and so search for what nobody asked for.
export const transactionFilterFields = {
  from: optional(z.iso.datetime({ offset: true }), 'Recorded then or later: 2026-01-01T00:00:00Z.'),
  to: optional(z.iso.datetime({ offset: true }), 'Recorded before then: 2026-02-01T00:00:00Z.'),
  type: optional(z.enum(TRANSACTION_TYPES), 'Only transactions of this type.'),
  direction: optional(z.enum(['CREDIT', 'DEBIT']), '`CREDIT` is money that came in, `DEBIT` went out.'),
  min_amount: optional(z.string(), 'The smallest amount, a decimal.'),
  max_amount: optional(z.string(), 'The largest amount, a decimal.'),
  counterpart_account_id: optional(
    z.uuid().toLowerCase(),
    'The other account: where money came from, or where it went.',
  ),
  description: optional(searchText, 'Text that the description contains, in upper or lower case.'),
  external_reference: optional(searchText, 'The whole external reference of a posting, as it was given.'),
};

const filterSchema = z.object(transactionFilterFields);
export type TransactionFilter = z.output<typeof filterSchema>;

/** A filter ready to be asked: times in milliseconds since the epoch, amounts in minor units. */
export interface TransactionSearch {
  readonly from: number;
  readonly to: number;
  /** Names the filter, so that a cursor of another one is told apart. */
  readonly digest: string;
  matches(transaction: TransactionDocument): boolean;
}

export function isEmpty(filter: TransactionFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

/**
 * @param currency the account's, which says how many decimals an amount has
 * Rejects with `invalid_range` where nothing could match, and with what is wrong with an amount.
 */
export function transactionSearch(filter: TransactionFilter, currency: string): Decision<TransactionSearch> {
  const from = filter.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(filter.from);
  const to = filter.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(filter.to);
  if (from >= to) return reject('invalid_range', 'to must be later than from.', { field: 'to' });
  const least = minorOf(filter, 'min_amount', currency);
  if (!least.ok) return least;
  const most = minorOf(filter, 'max_amount', currency);
  if (!most.ok) return most;
  if (least.value !== undefined && most.value !== undefined && least.value > most.value) {
    return reject('invalid_range', 'max_amount must not be less than min_amount.', { field: 'max_amount' });
  }
  const tests = [
    ...timeTests(from, to),
    ...amountTests(least.value, most.value),
    ...textTests(filter),
    ...exactTests(filter),
  ];
  const matches = (transaction: TransactionDocument) => tests.every((test) => test(transaction));
  const searched = { from, to, least: String(least.value), most: String(most.value), ...exactOf(filter) };
  return accept({ from, to, digest: digestOf(searched), matches });
}
type Test = (transaction: TransactionDocument) => boolean;

function minorOf(
  filter: TransactionFilter,
  field: 'min_amount' | 'max_amount',
  currency: string,
): Decision<bigint | undefined> {
  const written = filter[field];
  return written === undefined ? accept(undefined) : parseNonNegativeAmount(written, currency, field);
}

function timeTests(from: number, to: number): Test[] {
  return [(transaction) => timeOf(transaction) >= from && timeOf(transaction) < to];
}

function amountTests(least: bigint | undefined, most: bigint | undefined): Test[] {
  const minor = ({ amount, currency }: TransactionDocument) => toMinor(amount, currency);
  return [
    ...(least === undefined ? [] : [(transaction: TransactionDocument) => minor(transaction) >= least]),
    ...(most === undefined ? [] : [(transaction: TransactionDocument) => minor(transaction) <= most]),
  ];
}

function textTests({ description }: TransactionFilter): Test[] {
  if (description === undefined) return [];
  const wanted = folded(description);
  return [(transaction) => folded(transaction.description).includes(wanted)];
}

function exactTests({
  type,
  direction,
  counterpart_account_id,
  external_reference,
}: TransactionFilter): Test[] {
  const equal = (
    wanted: string | undefined,
    value: (transaction: TransactionDocument) => string | undefined,
  ): Test[] => (wanted === undefined ? [] : [(transaction) => value(transaction) === wanted]);
  return [
    ...equal(type, (transaction) => transaction.type),
    ...equal(direction, (transaction) => transaction.direction),
    ...equal(counterpart_account_id, counterpartOf),
    ...equal(external_reference, (transaction) => transaction.external_reference),
  ];
}

/** The other account of a transfer; a deposit has none, because it names only the account that it went to. */
export function counterpartOf(transaction: TransactionDocument): string | undefined {
  const { account_id, direction, from_account_id, to_account_id } = transaction;
  const other = direction === 'CREDIT' ? from_account_id : to_account_id;
  return other === account_id ? undefined : other;
}

/** The same letters compare as equal whatever their case, and however their accents are written. */
function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

function exactOf({
  type,
  direction,
  counterpart_account_id,
  description,
  external_reference,
}: TransactionFilter) {
  return { type, direction, counterpart_account_id, description, external_reference };
}

/** Two ways to write one filter, such as an instant in two time zones, are the same filter. */
function digestOf(searched: object): string {
  // JSON has no infinity: an open end is null.
  return createHash('sha256').update(JSON.stringify(searched)).digest('base64url').slice(0, 22);
}
