/** A transfer in the model: what is refused at once, and then one leg after the other, each settled and then taken down. */
import {
  creditRefusal,
  creditTransfer,
  debitRefusal,
  debitTransfer,
  expireHolds,
  type Wanted,
} from './model-account.ts';
import {
  accountStreamOf,
  copyAccount,
  type Leg,
  type ModelAccount,
  type ModelBank,
  type ModelTransfer,
  newModelAccount,
  transferStreamOf,
} from './model-bank.ts';
import { endDaysUntil } from './model-interest.ts';
import { decimal, readAmount } from './model-money.ts';
import {
  expectAnswer,
  expectRefusal,
  Mismatch,
  type Running,
  type Step,
  show,
  type WantedOn,
} from './running.ts';

const MORE = (wanted: WantedOn[] = []): Step => ({ wanted, done: false });
const DONE = (wanted: WantedOn[] = []): Step => ({ wanted, done: true });

/** The leg that comes after each status that is not an end. */
const NEXT_LEG: Readonly<Record<string, Leg>> = {
  REQUESTED: 'DEBIT',
  DEBITED: 'CREDIT',
  CREDIT_REFUSED: 'REFUND',
  REFUND_REFUSED: 'SUSPENSE',
};

/** What the transfer's stream takes down of a leg that was posted, and of one that was refused. */
const TAKEN_DOWN: Readonly<Record<Leg, readonly [posted: readonly string[], refused: readonly string[]]>> = {
  DEBIT: [['Debited'], ['Rejected']],
  CREDIT: [['Credited', 'Completed'], ['CreditRefused']],
  REFUND: [['Refunded'], ['RefundRefused']],
  SUSPENSE: [['Suspended'], []],
};

const STATUS: Readonly<Record<string, string>> = {
  Debited: 'DEBITED',
  Rejected: 'REJECTED',
  Completed: 'COMPLETED',
  CreditRefused: 'CREDIT_REFUSED',
  Refunded: 'REFUNDED',
  RefundRefused: 'REFUND_REFUSED',
  Suspended: 'IN_SUSPENSE',
};

interface TransferInput {
  readonly from_account_id: string;
  readonly to_account_id: string;
  readonly amount: string;
  readonly description: string;
}

export function stepTransfer(bank: ModelBank, running: Running): Step {
  const { stage, asked, told } = running;
  if (asked.message === 'ResumeTransfer' && stage === 'asked') {
    running.transferId = String(asked.input.id);
    running.stage = 'driving';
  }
  if (running.stage === 'driving') return drive(bank, running, running.transferId as string);
  if (running.stage === 'dead') {
    expectAnswer(withoutReplay(running), { transfer: { status: 'REQUESTED' }, finished: false });
    return DONE();
  }
  const known = asked.key === undefined ? undefined : bank.created.get(`transfer ${asked.key}`);
  const transfer = known === undefined ? undefined : bank.transfers.get(known);
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

function contentOf({ asked }: Running): string {
  return JSON.stringify([asked.message, asked.input]);
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
  const data = { ...input, amount: decimal(minor, currency), currency };
  const transfer: ModelTransfer = {
    id,
    from: input.from_account_id,
    to: input.to_account_id,
    minor,
    currency,
    description: input.description,
    content: contentOf(running),
    status: 'REQUESTED',
    revision: 0,
    legs: new Map(),
  };
  bank.transfers.set(id, transfer);
  if (asked.key !== undefined) bank.created.set(`transfer ${asked.key}`, id);
  running.transferId = id;
  running.stage = asked.dieAt === 'requested' ? 'dead' : 'driving';
  return MORE([{ stream: transferStreamOf(id), type: 'TransferRequestedDomainEventV1', data }]);
}

/** Settles the next leg, or takes down what it came to; once all is done, looks at the answer. */
function drive(bank: ModelBank, running: Running, id: string): Step {
  const transfer = bank.transfers.get(id) as ModelTransfer;
  const leg = NEXT_LEG[transfer.status];
  if (leg === undefined) {
    const { status, revision } = transfer;
    const { from: from_account_id, to: to_account_id } = transfer;
    const shown = { id, status, revision, from_account_id, to_account_id };
    expectAnswer(withoutReplay(running), { transfer: shown, finished: true });
    return DONE();
  }
  const settled = transfer.legs.get(leg);
  const moment = `${leg.toLowerCase()}_${settled ? 'recorded' : 'settled'}`;
  if (running.asked.dieAt === moment) running.stage = 'dead';
  return MORE(settled ? takeDown(bank, transfer, leg, settled) : settle(bank, transfer, leg));
}

/** A transfer that was asked for before is told as far as it has come, and that it was. */
function withoutReplay({ told, replayed = false }: Running) {
  if (!told.ok) return told;
  const { replayed: saysSo = false, ...value } = told.value;
  if (saysSo !== replayed) throw new Mismatch(`replayed should be ${replayed}: ${show(told)}`);
  return { ok: true, value } as const;
}

function takeDown(
  bank: ModelBank,
  transfer: ModelTransfer,
  leg: Leg,
  { code }: { readonly code?: string },
): WantedOn[] {
  const events = TAKEN_DOWN[leg][code === undefined ? 0 : 1];
  const status = STATUS[events.at(-1) as string] as string;
  const revision = transfer.revision + events.length;
  bank.transfers.set(transfer.id, { ...transfer, status, revision });
  const data = code === undefined ? {} : { code };
  const stream = transferStreamOf(transfer.id);
  return events.map((event) => ({ stream, type: `Transfer${event}DomainEventV1`, data }));
}

function settle(bank: ModelBank, transfer: ModelTransfer, leg: Leg): WantedOn[] {
  const account = accountOf(bank, transfer, leg);
  const stream = accountStreamOf(account.id);
  const isNew = !bank.accounts.has(account.id);
  endDaysUntil(account, bank.now.slice(0, 10));
  const wanted: Wanted[] = leg === 'SUSPENSE' ? [] : expireHolds(account, bank.now);
  if (isNew) {
    const { currency } = account;
    wanted.push({ type: 'BankAccountCreatedDomainEventV2', data: { currency } });
  }
  const code = refusalOf(account, transfer, leg, bank.now);
  wanted.push(
    code === undefined ? postLeg(account, transfer, leg, bank.now) : refusedLeg(transfer, leg, code),
  );
  account.revision += isNew ? wanted.length - 1 : wanted.length;
  bank.accounts.set(account.id, account);
  const legs = new Map(transfer.legs).set(leg, code === undefined ? {} : { code });
  bank.transfers.set(transfer.id, { ...transfer, legs });
  return wanted.map((event) => ({ ...event, stream }));
}

/** Where the leg is settled; the bank's own account is opened when it is needed. */
function accountOf(bank: ModelBank, { from, to, currency }: ModelTransfer, leg: Leg): ModelAccount {
  if (leg !== 'SUSPENSE') return copyAccount(bank.accounts.get(leg === 'CREDIT' ? to : from) as ModelAccount);
  const id = bank.suspense[currency];
  const known = bank.accounts.get(id);
  if (known) return copyAccount(known);
  return newModelAccount({ id, owner: undefined, type: 'CHECKING', currency, overdraft: 0n });
}

function refusalOf(
  account: ModelAccount,
  transfer: ModelTransfer,
  leg: Leg,
  now: string,
): string | undefined {
  if (leg === 'DEBIT') return debitRefusal(account, transfer, now);
  if (leg === 'CREDIT') return creditRefusal(account, transfer);
  return leg === 'REFUND' && account.closed ? 'account_closed' : undefined;
}

function postLeg(account: ModelAccount, transfer: ModelTransfer, leg: Leg, now: string): Wanted {
  const { id: transfer_id, from, to, description } = transfer;
  const links = { transfer_id, from_account_id: from, to_account_id: to, description };
  if (leg === 'DEBIT') return debitTransfer(account, transfer, now, links);
  if (leg === 'CREDIT') return creditTransfer(account, transfer, links);
  if (leg === 'REFUND')
    return creditTransfer(account, transfer, { ...links, from_account_id: to, to_account_id: from });
  return creditTransfer(account, transfer, { ...links, to_account_id: account.id });
}

function refusedLeg({ id: transfer_id }: ModelTransfer, leg: Leg, code: string): Wanted {
  return { type: 'BankAccountTransferRefusedDomainEventV1', data: { transfer_id, leg, code } };
}

/** Ids of transfers that have not come to their end. */
export function unfinishedTransfers({ transfers }: ModelBank): string[] {
  return [...transfers.values()].filter(({ status }) => status in NEXT_LEG).map(({ id }) => id);
}
