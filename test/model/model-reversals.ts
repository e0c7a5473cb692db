/** Rules of undoing a posting: of one by itself, and of one that is a side of a transfer. */
import { type Movement, post, posted, type Rule, stopped, type Wanted } from './model-account.ts';
import { availableOn, type ModelAccount, type ModelPosting, type ModelReversed } from './model-bank.ts';
import { readAmount } from './model-money.ts';

const REVERSAL_DAYS_MAX = 400;

/** What is undone. */
type Original = Pick<ModelPosting, 'id' | 'type' | 'direction' | 'minor' | 'at'>;

export interface ReversalInput {
  readonly amount?: string;
  readonly reason: string;
  readonly original: ModelPosting;
}

/** Minor units that may be undone, or the code of the refusal. @param text all that is left, when missing */
function reversible(
  account: ModelAccount,
  original: Original,
  text: string | undefined,
  now: string,
): bigint | string {
  if (account.closed) return 'account_closed';
  if (original.type === 'REVERSAL') return 'not_reversible';
  if (Date.parse(original.at) < Date.parse(now) - REVERSAL_DAYS_MAX * 86_400_000) return 'reversal_too_late';
  const left = original.minor - (account.reversed.get(original.id) ?? 0n);
  if (left <= 0n) return 'already_reversed';
  const minor = text === undefined ? left : readAmount(text, account.currency);
  if (typeof minor === 'string') return minor;
  if (minor > left) return 'reversal_exceeds_original';
  const takesOut = original.direction === 'CREDIT' && original.type !== 'INTEREST';
  return takesOut && minor > availableOn(account) ? 'insufficient_funds' : minor;
}

/** Counts it as undone. */
function undone(
  account: ModelAccount,
  { id, direction }: Original,
  minor: bigint,
  links: Movement['more'],
): Movement {
  account.reversed.set(id, (account.reversed.get(id) ?? 0n) + minor);
  return {
    type: 'REVERSAL',
    direction: direction === 'CREDIT' ? 'DEBIT' : 'CREDIT',
    minor,
    more: { ...links, reverses_transaction_id: id },
  };
}

export const reverse: Rule<ReversalInput> = (account, { amount, reason, original }, now) => {
  const minor = reversible(account, original, amount, now);
  if (typeof minor === 'string') return minor;
  return posted(account, undone(account, original, minor, { description: reason }));
};

/** The two postings of a completed transfer. */
interface Sides {
  readonly debit: Original;
  readonly credit: Original;
}

/** The time for taking it back runs from when it was completed. */
function sidesOf({ debitId, creditId, minor, completedAt }: ModelReversed): Sides {
  const side = { type: 'TRANSFER', minor, at: completedAt };
  return {
    debit: { ...side, id: debitId, direction: 'DEBIT' },
    credit: { ...side, id: creditId, direction: 'CREDIT' },
  };
}

/**
 * What the account that was credited would give back; it is a debit, so a freeze stops it.
 * @param text all that is left of the transfer, when missing
 * @returns minor units, or the code of the refusal
 */
export function givesBack(
  account: ModelAccount,
  reverses: ModelReversed,
  text: string | undefined,
  now: string,
): bigint | string {
  return stopped(account, 'DEBIT') ?? reversible(account, sidesOf(reverses).credit, text, now);
}

/** What the account that was debited would take, whatever is frozen; minor units, or the code of the refusal. */
export function takesBack(
  account: ModelAccount,
  reverses: ModelReversed,
  text: string,
  now: string,
): bigint | string {
  return reversible(account, sidesOf(reverses).debit, text, now);
}

/** The posting of a leg that one of these two has let pass. */
export function postReversalLeg(
  account: ModelAccount,
  reverses: ModelReversed,
  leg: 'DEBIT' | 'CREDIT',
  minor: bigint,
  links: Movement['more'],
): Wanted {
  const { debit, credit } = sidesOf(reverses);
  return post(account, undone(account, leg === 'DEBIT' ? credit : debit, minor, links));
}

/** The money came back to whom it had been taken from: so much can be taken back again. */
export function restore(account: ModelAccount, { creditId }: ModelReversed, minor: bigint): void {
  account.reversed.set(creditId, (account.reversed.get(creditId) ?? 0n) - minor);
}
