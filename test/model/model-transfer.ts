/** A transfer as a customer asks for it, in the model: what is refused at once, and what it is answered in the end. */
import { copyAccount, type ModelAccount, type ModelBank, type ModelTransfer } from './model-bank.ts';
import { expireHolds } from './model-holds.ts';
import { readAmount } from './model-money.ts';
import { begin, begunBefore, contentOf, drive, withoutReplay } from './model-transfer-drive.ts';
import { creditRefusal, debitRefusal } from './model-transfer-legs.ts';
import {
  expectAnswer,
  expectRefusal,
  Mismatch,
  type Running,
  type Step,
  show,
  type WantedOn,
} from './running.ts';

const MORE = (): Step => ({ wanted: [], done: false });
const DONE = (wanted: WantedOn[] = []): Step => ({ wanted, done: true });

interface TransferInput {
  readonly from_account_id: string;
  readonly to_account_id: string;
  readonly amount: string;
  readonly description: string;
}

/** @param next the stream of the next event that the command has left in the log, if any */
export function stepTransfer(bank: ModelBank, running: Running, next: string | undefined): Step {
  const { stage, asked, told } = running;
  if (asked.message === 'ResumeTransfer' && stage === 'asked') {
    running.transferId = String(asked.input.id);
    running.stage = 'driving';
  }
  if (running.stage === 'driving')
    return drive(bank, running, next, (transfer) => answered(running, transfer));
  if (running.stage === 'dead') {
    expectAnswer(withoutReplay(running), { transfer: { status: 'REQUESTED' }, finished: false });
    return DONE();
  }
  const transfer = begunBefore(bank, running);
  // Asked for before, or just now by somebody else: it is not held against how things stand.
  if (transfer) {
    if (transfer.content !== contentOf(running)) return DONE(expectRefusal(told, 'idempotency_conflict'));
    running.transferId = transfer.id;
    running.replayed = true;
    running.stage = 'driving';
    return MORE();
  }
  if (stage === 'asked') return checkDebit(bank, running);
  if (stage === 'debit_passed') return checkCredit(bank, running);
  return request(bank, running);
}

/** Another node's memory may be behind, and let pass what an account refuses later. */
function mayPass(bank: ModelBank, { told }: Running, field: 'from_account_id' | 'to_account_id'): boolean {
  if (!bank.severalNodes) return false;
  return told.ok || (field === 'from_account_id' && told.rejection.field === 'to_account_id');
}

function checkDebit(bank: ModelBank, running: Running): Step {
  const { from_account_id, to_account_id, amount } = running.asked.input as unknown as TransferInput;
  const { told } = running;
  if (from_account_id === to_account_id) return DONE(expectRefusal(told, 'same_account'));
  const from = bank.accounts.get(from_account_id);
  if (!from) return DONE(expectRefusal(told, 'account_not_found'));
  if (from.owner === undefined) return DONE(expectRefusal(told, 'account_of_bank'));
  running.stage = 'debit_passed';
  if (mayPass(bank, running, 'from_account_id')) return MORE();
  const account = copyAccount(from);
  expireHolds(account, bank.now);
  const { currency } = account;
  const minor = readAmount(amount, currency);
  // Whether money may move at all comes before how much.
  const refused = debitRefusal(
    account,
    { minor: typeof minor === 'bigint' ? minor : 0n, currency },
    bank.now,
  );
  const code = refused === undefined || refused.startsWith('account_') ? refused : undefined;
  if (typeof minor === 'string') return DONE(expectRefusal(told, code ?? minor));
  return refused ? DONE(expectRefusal(told, refused)) : MORE();
}

function checkCredit(bank: ModelBank, running: Running): Step {
  const { from_account_id, to_account_id } = running.asked.input as unknown as TransferInput;
  const { currency } = bank.accounts.get(from_account_id) as ModelAccount;
  const to = bank.accounts.get(to_account_id);
  if (!to) return DONE(expectRefusal(running.told, 'account_not_found'));
  if (to.owner === undefined) return DONE(expectRefusal(running.told, 'account_of_bank'));
  const refused = mayPass(bank, running, 'to_account_id')
    ? undefined
    : creditRefusal(to, { minor: 0n, currency });
  if (refused) return DONE(expectRefusal(running.told, refused));
  running.stage = 'both_passed';
  return MORE();
}

function request(bank: ModelBank, running: Running): Step {
  const { told, asked } = running;
  if (!told.ok) throw new Mismatch(`the transfer is due to be requested, it told ${show(told)}`);
  const { id } = told.value.transfer as { id: string };
  const input = asked.input as unknown as TransferInput;
  const { currency } = bank.accounts.get(input.from_account_id) as ModelAccount;
  const minor = readAmount(input.amount, currency);
  if (typeof minor === 'string') throw new Mismatch(`${minor} is due`);
  const { from_account_id: from, to_account_id: to, description } = input;
  return begin(bank, running, { id, from, to, minor, currency, description });
}

/** Whoever asks for it again is told what it came to, whatever was taken back since. */
function answered(running: Running, transfer: ModelTransfer): Step {
  const { id, status, reversals } = transfer;
  const notes = running.asked.message === 'RequestTransfer' ? reversals.size : 0;
  const revision = transfer.revision - notes;
  const { from: from_account_id, to: to_account_id } = transfer;
  const shown = { id, status, revision, from_account_id, to_account_id };
  expectAnswer(withoutReplay(running), { transfer: shown, finished: true });
  return DONE();
}
