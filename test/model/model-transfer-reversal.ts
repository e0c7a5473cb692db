/** Taking a transfer back, in the model: looked at first, and then a transfer the other way round. */
import {
  copyAccount,
  type ModelAccount,
  type ModelBank,
  type ModelPosting,
  type ModelReversed,
  type ModelTransfer,
  transferStreamOf,
} from './model-bank.ts';
import { expireHolds } from './model-holds.ts';
import { decimal } from './model-money.ts';
import { givesBack, takesBack } from './model-reversals.ts';
import { begin, begunBefore, contentOf, drive, withoutReplay } from './model-transfer-drive.ts';
import { expectAnswer, expectRefusal, Mismatch, type Running, type Step } from './running.ts';

const MORE: Step = { wanted: [], done: false };
const DONE: Step = { wanted: [], done: true };

/** What the client asks for; without an amount, for all that is left. */
interface ReversalInput {
  readonly amount?: string;
  readonly reason: string;
}

/**
 * @param posting that the client has named: a side of the transfer
 * @param next the stream of the next event that the command has left in the log, if any
 * @throws Mismatch when the bank cannot have done that, or told something else
 */
export function stepTransferReversal(
  bank: ModelBank,
  running: Running,
  posting: ModelPosting,
  next: string | undefined,
): Step {
  const { told, stage } = running;
  if (stage === 'driving')
    return drive(bank, running, next, (reversal) => answered(running, reversal, posting));
  if (stage === 'dead') {
    expectAnswer(withoutReplay(running), { transfer: { status: 'REQUESTED' } });
    return DONE;
  }
  const begun = begunBefore(bank, running);
  if (begun) {
    if (begun.content !== contentOf(running)) return refused(running, 'idempotency_conflict');
    Object.assign(running, { transferId: begun.id, replayed: true, stage: 'driving' });
    return MORE;
  }
  const original = bank.transfers.get(posting.transferId as string) as ModelTransfer;
  if (original.status !== 'COMPLETED' || original.reverses) return refused(running, 'not_reversible');
  const reverses = reversedBy(bank, original);
  if (stage === 'asked') return checkDebit(bank, running, original, reverses);
  if (stage === 'debit_passed') return checkCredit(bank, running, original, reverses);
  const id = idOf(next);
  if (id === undefined) throw new Mismatch(`the reversal is due to be requested, it told ${told.ok}`);
  const { from, to, currency } = original;
  const { reason } = running.asked.input as unknown as ReversalInput;
  const minor = running.minor as bigint;
  return begin(bank, running, { id, from: to, to: from, minor, currency, description: reason, reverses });
}

function refused({ told }: Running, code: string): Step {
  expectRefusal(told, code);
  return DONE;
}

function reversedBy({ postings }: ModelBank, { id, minor, completedAt = '' }: ModelTransfer): ModelReversed {
  const legs = [...postings.values()].filter(({ transferId }) => transferId === id);
  const side = (direction: string) => legs.find((leg) => leg.direction === direction)?.id ?? 'unknown';
  return { id, minor, completedAt, debitId: side('DEBIT'), creditId: side('CREDIT') };
}

/** Asks the account that was credited; how much is taken back is decided here. */
function checkDebit(bank: ModelBank, running: Running, { to }: ModelTransfer, reverses: ModelReversed): Step {
  const account = copyAccount(bank.accounts.get(to) as ModelAccount);
  expireHolds(account, bank.now);
  const { amount } = running.asked.input as unknown as ReversalInput;
  const verdict = givesBack(account, reverses, amount, bank.now);
  if (typeof verdict === 'string') return refused(running, verdict);
  running.minor = verdict;
  running.stage = 'debit_passed';
  return MORE;
}

function checkCredit(
  bank: ModelBank,
  running: Running,
  { from, currency }: ModelTransfer,
  reverses: ModelReversed,
): Step {
  const account = bank.accounts.get(from) as ModelAccount;
  const verdict = takesBack(account, reverses, decimal(running.minor as bigint, currency), bank.now);
  if (typeof verdict === 'string') return refused(running, verdict);
  running.stage = 'both_passed';
  return MORE;
}

/** A stream of transfers is named by the id without its dashes. */
function idOf(stream: string | undefined): string | undefined {
  const hex = /^transfer-([0-9a-f]{32})$/.exec(stream ?? '')?.[1];
  return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The posting that undoes the named one; the reversal as a transfer, when the bank keeps the money. */
function answered(running: Running, reversal: ModelTransfer, named: ModelPosting): Step {
  const { id, status, revision, legs, currency, description, minor } = reversal;
  const stream = transferStreamOf(id);
  if (status === 'REJECTED') return refused(running, legs.get('DEBIT')?.code as string);
  if (status === 'REFUNDED') return refused(running, legs.get('CREDIT')?.code as string);
  if (status === 'COMPLETED') {
    const posting = {
      account_id: named.accountId,
      type: 'REVERSAL',
      direction: named.direction === 'CREDIT' ? 'DEBIT' : 'CREDIT',
      amount: decimal(minor, currency),
      transfer_id: id,
      reverses_transaction_id: named.id,
      description,
    };
    expectAnswer(withoutReplay(running), { posting, stream });
  } else {
    expectAnswer(withoutReplay(running), { transfer: { id, status, revision }, revision, stream });
  }
  return DONE;
}
