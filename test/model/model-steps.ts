/**
 * Takes one command through the model, a step at a time: a step is what the bank does at one instant.
 *
 * Most commands are one step. What runs over several streams has more, between which other commands may come.
 */
import { type Ids, post, type Rule, type Verdict } from './model-account.ts';
import * as arrangements from './model-arrangements.ts';
import {
  type Asked,
  accountStreamOf,
  availableOn,
  copyAccount,
  heldOn,
  type ModelAccount,
  type ModelBank,
  newModelAccount,
  personStreamOf,
  type Told,
} from './model-bank.ts';
import * as holds from './model-holds.ts';
import { endDaysUntil, takeCharges } from './model-interest.ts';
import { type Currency, decimal, readAmount } from './model-money.ts';
import * as postings from './model-postings.ts';
import { reverse } from './model-reversals.ts';
import { stepTransfer } from './model-transfer.ts';
import { stepTransferReversal } from './model-transfer-reversal.ts';
import {
  expectAnswer,
  expectRefusal,
  expectReplay,
  type Running,
  type Step,
  type WantedOn,
} from './running.ts';

const DONE = (wanted: WantedOn[] = []): Step => ({ wanted, done: true });

/**
 * Does the next step of a command in the model.
 * @param next the stream of the next event that the command has left in the log, if any
 * @throws Mismatch when the bank cannot have done that, or told something else
 */
export function step(bank: ModelBank, running: Running, next: string | undefined): Step {
  const { message, input } = running.asked;
  if (message === 'RegisterPerson') return DONE(registerPerson(bank, running));
  if (message === 'CreateBankAccount') return DONE(openAccount(bank, running));
  if (message === 'ReverseTransaction') return stepReversal(bank, running, next);
  if (message === 'RequestTransfer' || message === 'ResumeTransfer') return stepTransfer(bank, running, next);
  if (message === 'PostInterestForPeriod') return stepInterestRun(bank, running, next);
  if (message === 'ExpireHolds') return stepExpirySweep(bank, running, next);
  const rule = RULES[message];
  if (!rule) throw new Error(`the model has no rule for ${message}`);
  const ids = idsIn(running.told);
  const decide = (account: ModelAccount) => rule(account, input as never, bank.now, ids);
  return DONE(onAccount(bank, running, String(input.account_id), decide));
}

const RULES: Readonly<Record<string, Rule<never>>> = {
  CreateDeposit: postings.deposit,
  CreateWithdrawal: postings.withdraw,
  PostInterest: postings.payInterest,
  PlaceHold: holds.placeHold,
  CaptureHold: holds.captureHold,
  ReleaseHold: holds.releaseHold,
  FreezeAccount: arrangements.freeze,
  UnfreezeAccount: arrangements.unfreeze,
  ChangeLimits: arrangements.changeLimits,
  ChangeOverdraftLimit: arrangements.changeOverdraft,
  ChangeTerms: arrangements.changeTerms,
  CloseBankAccount: arrangements.close,
};

/** The names of what the bank has made up, as its answer tells them. */
function idsIn(told: Told): Ids {
  if (!told.ok) return {};
  const { posting, hold } = told.value as { posting?: { transaction_id: string }; hold?: { id: string } };
  return {
    ...(posting ? { transactionId: posting.transaction_id } : {}),
    ...(hold ? { holdId: hold.id } : {}),
  };
}

/** The names under which a command is done once, and what each stands for: a key, and the client's own reference. */
function namesOf({ message, input, key }: Asked) {
  const reference = input.external_reference;
  const byKey = {
    name: `key ${key}`,
    content: JSON.stringify([message, input]),
    conflict: 'idempotency_conflict',
  };
  const byReference = {
    name: `reference ${reference}`,
    content: JSON.stringify([message, input, key]),
    conflict: 'external_reference_conflict',
  };
  return [...(key === undefined ? [] : [byKey]), ...(reference === undefined ? [] : [byReference])];
}

/** Decides on one account, once. */
function onAccount(
  bank: ModelBank,
  { asked, told }: Running,
  id: string,
  decide: (account: ModelAccount) => Verdict,
): WantedOn[] {
  const account = bank.accounts.get(id);
  if (!account) return expectRefusal(told, 'account_not_found');
  const names = namesOf(asked);
  for (const { name, content, conflict } of names) {
    const before = account.done.get(name);
    if (!before) continue;
    return before.content === content ? expectReplay(told, before.told) : expectRefusal(told, conflict);
  }
  if (asked.ifMatch !== undefined && asked.ifMatch !== account.revision) {
    return expectRefusal(told, 'revision_mismatch');
  }
  if (account.owner === undefined) return expectRefusal(told, 'account_of_bank');
  const changed = copyAccount(account);
  endDaysUntil(changed, bank.now.slice(0, 10));
  const expired = holds.expireHolds(changed, bank.now);
  const verdict = decide(changed);
  if (typeof verdict === 'string') return expectRefusal(told, verdict);
  const wanted = [...expired, ...verdict.wanted];
  changed.revision += wanted.length;
  const { revision } = changed;
  const answer = verdict.answer ?? { account: viewOf(changed) };
  const value = expectAnswer(told, { ...answer, revision, stream: accountStreamOf(id) });
  if (wanted.length > 0) {
    for (const { name, content } of names) changed.done.set(name, { content, told: value });
  }
  bank.accounts.set(id, changed);
  return wanted.map((event) => ({ ...event, stream: accountStreamOf(id) }));
}

/** An account as the bank shows it. */
function viewOf(account: ModelAccount) {
  const { id, owner, type, currency, frozen, closed, once, daily, revision } = account;
  const text = (minor: bigint) => decimal(minor, currency);
  const limit = (minor: bigint | null) => (minor === null ? null : text(minor));
  return {
    id,
    owner_id: owner,
    account_type: type,
    status: closed ? 'CLOSED' : frozen === null ? 'ACTIVE' : 'SUSPENDED',
    frozen,
    currency,
    balance: text(account.balance),
    available_balance: text(availableOn(account)),
    held: text(heldOn(account)),
    overdraft_limit: text(account.overdraft),
    transaction_limit: limit(once),
    daily_limit: limit(daily),
    revision,
  };
}

function registerPerson(bank: ModelBank, { asked, told }: Running): WantedOn[] {
  const { key, input } = asked;
  const content = JSON.stringify([asked.message, input]);
  const known = key === undefined ? undefined : bank.created.get(`person ${key}`);
  const before = known === undefined ? undefined : bank.persons.get(known);
  if (before) {
    return before.content === content
      ? expectReplay(told, before.told)
      : expectRefusal(told, 'idempotency_conflict');
  }
  if (String(input.date_of_birth) > bank.now.slice(0, 10)) return expectRefusal(told, 'birth_date_in_future');
  const value = expectAnswer(told, { person: { ...input, created_at: bank.now, revision: 0 }, revision: 0 });
  const { id } = value.person as { id: string };
  bank.persons.set(id, { content, told: value });
  if (key !== undefined) bank.created.set(`person ${key}`, id);
  return [{ stream: personStreamOf(id), type: 'PersonRegisteredDomainEventV1', data: input }];
}

interface Opening {
  readonly owner_id: string;
  readonly account_type: string;
  readonly currency: Currency;
  readonly overdraft_limit: string;
  readonly initial_balance: string;
}

function openAccount(bank: ModelBank, { asked, told }: Running): WantedOn[] {
  const { key } = asked;
  const input = asked.input as unknown as Opening;
  if (!bank.persons.has(input.owner_id)) return expectRefusal(told, 'person_not_found');
  const content = JSON.stringify([asked.message, input]);
  const known = key === undefined ? undefined : bank.created.get(`account ${key}`);
  const before = known === undefined ? undefined : bank.accounts.get(known)?.done.get(`key ${key}`);
  if (before) {
    return before.content === content
      ? expectReplay(told, before.told)
      : expectRefusal(told, 'idempotency_conflict');
  }
  const overdraft = readAmount(input.overdraft_limit, input.currency);
  if (typeof overdraft === 'string') return expectRefusal(told, overdraft);
  const initial = readAmount(input.initial_balance, input.currency);
  if (typeof initial === 'string') return expectRefusal(told, initial);
  const id = told.ok ? (told.value.account as { id: string }).id : 'unknown';
  const { owner_id: owner, account_type: type, currency } = input;
  const account = newModelAccount({ id, owner, type, currency, overdraft });
  const stream = accountStreamOf(id);
  const data = {
    owner_id: owner,
    account_type: type,
    currency,
    overdraft_limit: decimal(overdraft, currency),
  };
  const wanted: WantedOn[] = [{ stream, type: 'BankAccountCreatedDomainEventV2', data }];
  if (initial > 0n) {
    wanted.push({ ...post(account, { type: 'DEPOSIT', direction: 'CREDIT', minor: initial }), stream });
    account.revision = 1;
  }
  const value = expectAnswer(told, { account: viewOf(account), revision: account.revision, stream });
  bank.accounts.set(id, account);
  if (key !== undefined) {
    bank.created.set(`account ${key}`, id);
    account.done.set(`key ${key}`, { content, told: value });
  }
  return wanted;
}

/** A posting is undone by itself, or with the transfer that it is a side of. */
function stepReversal(bank: ModelBank, running: Running, next: string | undefined): Step {
  const { id, amount, reason } = running.asked.input as { id: string; amount?: string; reason: string };
  const original = bank.postings.get(id);
  if (!original) return DONE(expectRefusal(running.told, 'transaction_not_found'));
  if (original.type === 'TRANSFER') return stepTransferReversal(bank, running, original, next);
  const input = { ...(amount === undefined ? {} : { amount }), reason, original };
  return DONE(
    onAccount(bank, running, original.accountId, (account) => reverse(account, input, bank.now, {})),
  );
}

/** One account after the other; they come in any order. */
function takeNext(running: Running, next: string | undefined): string | undefined {
  const remaining = running.remaining ?? [];
  const id = remaining.find((one) => accountStreamOf(one) === next) ?? remaining[0];
  running.remaining = remaining.filter((one) => one !== id);
  return id;
}

function stepInterestRun(bank: ModelBank, running: Running, next: string | undefined): Step {
  const { told, asked } = running;
  const period = String(asked.input.period);
  if (period >= bank.now.slice(0, 7)) return DONE(expectRefusal(told, 'period_not_over'));
  if (!running.remaining) {
    running.remaining = [...bank.accounts.values()]
      .filter((one) => one.terms && !one.closed)
      .map(({ id }) => id);
    running.examined = bank.accounts.size;
  }
  const id = takeNext(running, next);
  if (id === undefined) {
    const alone = running.raced ? {} : { failures: [], examined: running.examined };
    expectAnswer(told, { period, postings: running.effects, ...alone });
    return DONE();
  }
  const account = copyAccount(bank.accounts.get(id) as ModelAccount);
  if (account.closed) return { wanted: [], done: false };
  endDaysUntil(account, bank.now.slice(0, 10));
  const wanted = holds.expireHolds(account, bank.now);
  const charges = account.accrual ? takeCharges(account.accrual, period) : [];
  for (const charge of charges) wanted.push(post(account, { ...charge, more: { period: charge.period } }));
  running.effects += charges.length;
  account.revision += wanted.length;
  bank.accounts.set(id, account);
  return { wanted: wanted.map((event) => ({ ...event, stream: accountStreamOf(id) })), done: false };
}

function stepExpirySweep(bank: ModelBank, running: Running, next: string | undefined): Step {
  if (!running.remaining) {
    const isDue = ({ holds }: ModelAccount) =>
      [...holds.values()].some(({ expiresAt }) => expiresAt !== null && expiresAt <= bank.now);
    const accounts = [...bank.accounts.values()];
    running.remaining = accounts.filter(isDue).map(({ id }) => id);
    running.examined = accounts.reduce((total, { holds }) => total + holds.size, 0);
  }
  const id = takeNext(running, next);
  if (id === undefined) {
    const alone = running.raced ? {} : { examined: running.examined };
    expectAnswer(running.told, { expired: running.effects, ...alone });
    return DONE();
  }
  const account = copyAccount(bank.accounts.get(id) as ModelAccount);
  endDaysUntil(account, bank.now.slice(0, 10));
  const wanted = holds.expireHolds(account, bank.now);
  running.effects += wanted.length;
  account.revision += wanted.length;
  bank.accounts.set(id, account);
  return { wanted: wanted.map((event) => ({ ...event, stream: accountStreamOf(id) })), done: false };
}
