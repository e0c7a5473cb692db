/** Makes commands of what was drawn: about the accounts, holds and postings that the bank has by then. */
import type { Amount, Draw, PartyAct, Which } from './draws.ts';
import {
  type Asked,
  availableOn,
  type ModelAccount,
  type ModelBank,
  type ModelPosting,
  type ModelTransfer,
} from './model-bank.ts';
import { type Currency, DECIMALS, decimal } from './model-money.ts';

/** What the resolver knows: the model, and the commands that carried a key. */
export interface Known {
  readonly bank: ModelBank;
  readonly keyed: readonly Asked[];
}

/** The commands of a draw; none when there is nothing yet that it could be about. */
export function resolve(draw: Draw, known: Known): Asked[] {
  const asked = withoutOptions(draw, known);
  if (!asked || draw.what === 'again' || draw.what === 'batch') return asked ? [asked] : [];
  const account = known.bank.accounts.get(String(asked.input.account_id));
  return [
    {
      ...asked,
      ...(draw.key === undefined || draw.what === 'resume' ? {} : { key: `key-${draw.key}` }),
      ...(draw.ifMatch === undefined || !account
        ? {}
        : { ifMatch: draw.ifMatch === 'right' ? account.revision : account.revision + 1 }),
    },
  ];
}

function withoutOptions(draw: Draw, { bank, keyed }: Known): Asked | undefined {
  // The bank's own accounts come as the oldest: hardly anything is allowed on them.
  const accounts = [...bank.accounts.values()].sort((one, other) => ownedBy(one) - ownedBy(other));
  switch (draw.what) {
    case 'person':
      return { message: 'RegisterPerson', input: person(draw.name, draw.born) };
    case 'open':
      return open(draw, bank);
    case 'resume':
      return on(at([...bank.transfers.keys()], draw.transfer), (id) => ask('ResumeTransfer', { id }));
    case 'batch':
      return batch(draw, { bank, keyed });
    case 'party':
      return on(at([...bank.transfers.values()], draw.transfer), (transfer) => toParty(draw, transfer));
    case 'transfer':
      return transfer(draw, accounts, bank.now);
    case 'capture':
    case 'release':
      return toHold(draw, accounts, bank.now);
    case 'reverse':
      return on(at([...bank.postings.values()], draw.posting), (posting) => reversal(draw, posting, bank));
    case 'take_back':
      return on(at(sidesOfTransfers(bank), draw.posting), (posting) => reversal(draw, posting, bank));
    case 'interest_run':
      return ask('PostInterestForPeriod', { period: monthBefore(bank.now, draw.back), limit: 200 });
    case 'expire_holds':
      return ask('ExpireHolds', { limit: 200 });
    case 'again':
      return on(at(keyed, draw.command), ({ dieAt: _lives, ...asked }) => again(asked, draw.changed));
    default:
      return on(at(accounts, draw.account), (account) => toAccount(draw, account, bank.now));
  }
}

const ITEM_TYPES: Readonly<Record<string, string>> = {
  CreateDeposit: 'DEPOSIT',
  CreateWithdrawal: 'WITHDRAWAL',
  RequestTransfer: 'TRANSFER',
};

/** An item is what its own command would be, with its key beside it. */
function batch({ name, items }: Extract<Draw, { what: 'batch' }>, known: Known): Asked | undefined {
  const asked = items.flatMap((item) => resolve({ ...item, ifMatch: undefined }, known));
  if (asked.length === 0) return undefined;
  return ask('PostBatch', {
    items: asked.map(({ message, input, key }) => ({
      type: ITEM_TYPES[message],
      ...(key === undefined ? {} : { idempotency_key: key }),
      ...input,
    })),
    ...(name === undefined ? {} : { key: `batch-${name}` }),
  });
}

function ownedBy({ owner }: ModelAccount): number {
  return owner === undefined ? 0 : 1;
}

const PARTY_ACTS: Readonly<Record<PartyAct, Asked>> = {
  freeze_credits: ask('FreezeAccount', { scope: 'CREDITS', reason: 'Court order' }),
  freeze_debits: ask('FreezeAccount', { scope: 'DEBITS', reason: 'Court order' }),
  freeze_all: ask('FreezeAccount', { scope: 'ALL', reason: 'Court order' }),
  unfreeze: ask('UnfreezeAccount', { reason: 'It was lifted' }),
  close: ask('CloseBankAccount', { reason: 'Moved' }),
};

function toParty({ act, side }: Extract<Draw, { what: 'party' }>, transfer: ModelTransfer): Asked {
  const { message, input } = PARTY_ACTS[act];
  return ask(message, { account_id: transfer[side], ...input });
}

function ask(message: string, input: Readonly<Record<string, unknown>>): Asked {
  return { message, input };
}

/** The one at that place, counted from the newest, which is mostly the most interesting; and round again. */
function at<T>(all: readonly T[], place: Which): T | undefined {
  return all[all.length - 1 - (place % all.length)];
}

function on<T>(found: T | undefined, then: (found: T) => Asked | undefined): Asked | undefined {
  return found === undefined ? undefined : then(found);
}

export function person(first_name: string, date_of_birth: string): Asked['input'] {
  return { first_name, last_name: 'Smith', date_of_birth, nationality: 'US', gender: 'OTHER' };
}

const NOBODY = '00000000-0000-4000-8000-000000000000';

function open(draw: Extract<Draw, { what: 'open' }>, { persons }: ModelBank): Asked | undefined {
  const owner = at([...persons.keys()], draw.owner);
  if (owner === undefined) return undefined;
  const { currency } = draw;
  return ask('CreateBankAccount', {
    owner_id: draw.nobody && draw.owner === 0 ? NOBODY : owner,
    account_type: draw.type,
    currency,
    overdraft_limit: decimal(BigInt(draw.overdraft), currency),
    initial_balance: draw.initial.more ? '0' : written(draw.initial, currency, {}),
  });
}

/** The figures that an amount may be measured by; one that is missing is nothing special. */
type Figures = Partial<Record<Amount['of'], bigint | null>>;

function written({ of, minor, more }: Amount, currency: Currency, figures: Figures): string {
  if (of === 'too_precise')
    return `${decimal(BigInt(minor), currency)}${DECIMALS[currency] === 0 ? '.' : ''}1`;
  const border = figures[of];
  if (typeof border !== 'bigint') return decimal(BigInt(minor), currency);
  const exact = border + (more ? 1n : 0n);
  return decimal(exact > 0n ? exact : 1n, currency);
}

function figuresOf(account: ModelAccount, now: string): Figures {
  const { once, daily, debited } = account;
  const available = availableOn(account);
  const today = debited.day === now.slice(0, 10) ? debited.minor : 0n;
  const borders = [available, once ?? available, daily === null ? available : daily - today];
  const most = borders.reduce((least, border) => (border < least ? border : least));
  return { available, most };
}

function transfer(
  draw: Extract<Draw, { what: 'transfer' }>,
  accounts: readonly ModelAccount[],
  now: string,
): Asked | undefined {
  const from = at(accounts, draw.from);
  if (!from) return undefined;
  // Mostly to an account in the same currency; now and then to any.
  const others = accounts.filter(({ currency, id }) => currency === from.currency && id !== from.id);
  const to = draw.to > 27 || others.length === 0 ? at(accounts, draw.to) : at(others, draw.to);
  const amount = written(draw.amount, from.currency, figuresOf(from, now));
  const input = { from_account_id: from.id, to_account_id: to?.id, amount, description: 'Rent' };
  return { message: 'RequestTransfer', input, ...(draw.dieAt === undefined ? {} : { dieAt: draw.dieAt }) };
}

function toHold(
  draw: Extract<Draw, { what: 'capture' | 'release' }>,
  accounts: readonly ModelAccount[],
  now: string,
): Asked | undefined {
  const open = accounts.flatMap((account) => [...account.holds.keys()].map((id) => ({ account, id })));
  const ended = accounts.flatMap((account) => [...account.endedHolds].map((id) => ({ account, id })));
  const hold = at([...ended.slice(-2), ...open], draw.hold);
  if (!hold) return undefined;
  const ids = { account_id: hold.account.id, hold_id: hold.id };
  if (draw.what === 'release') return ask('ReleaseHold', ids);
  if (draw.amount === undefined) return ask('CaptureHold', ids);
  const target = hold.account.holds.get(hold.id)?.minor ?? null;
  const figures = { ...figuresOf(hold.account, now), target };
  return ask('CaptureHold', { ...ids, amount: written(draw.amount, hold.account.currency, figures) });
}

/** Both postings of every transfer, and those by which money went back. */
function sidesOfTransfers({ postings }: ModelBank): ModelPosting[] {
  return [...postings.values()].filter(({ type }) => type === 'TRANSFER');
}

function reversal(
  draw: Extract<Draw, { what: 'reverse' | 'take_back' }>,
  { id, accountId, minor }: ModelPosting,
  bank: ModelBank,
): Asked | undefined {
  const account = bank.accounts.get(accountId);
  if (!account) return undefined;
  const { amount } = draw;
  const left = minor - (account.reversed.get(id) ?? 0n);
  const figures = { ...figuresOf(account, bank.now), target: left };
  const part = amount === undefined ? {} : { amount: written(amount, account.currency, figures) };
  const asked = ask('ReverseTransaction', { id, reason: 'Goods returned', ...part });
  return draw.what === 'reverse' || draw.dieAt === undefined ? asked : { ...asked, dieAt: draw.dieAt };
}

function toAccount(draw: Draw, account: ModelAccount, now: string): Asked | undefined {
  const { id: account_id, currency } = account;
  const figures = figuresOf(account, now);
  const text = (minor: number) => decimal(BigInt(minor), currency);
  switch (draw.what) {
    case 'deposit':
    case 'withdraw':
    case 'interest': {
      const message = { deposit: 'CreateDeposit', withdraw: 'CreateWithdrawal', interest: 'PostInterest' }[
        draw.what
      ];
      const amount = written(draw.amount, currency, draw.what === 'withdraw' ? figures : {});
      const external = draw.reference === undefined ? {} : { external_reference: `ref-${draw.reference}` };
      return ask(message, { account_id, amount, description: 'Salary', ...external });
    }
    case 'hold': {
      const amount = written(draw.amount, currency, figures);
      const expiry = draw.hours === undefined ? {} : { expires_at: later(now, draw.hours * 3_600_000) };
      return ask('PlaceHold', { account_id, amount, description: 'Hotel', ...expiry });
    }
    case 'freeze':
      return ask('FreezeAccount', { account_id, scope: draw.scope, reason: 'Court order' });
    case 'unfreeze':
      return ask('UnfreezeAccount', { account_id, reason: 'It was lifted' });
    case 'limits': {
      const once = draw.once === undefined ? {} : { transaction_limit: text(draw.once) };
      const day = draw.day === undefined ? {} : { daily_limit: text(draw.day) };
      return ask('ChangeLimits', { account_id, ...once, ...day });
    }
    case 'overdraft': {
      const used = account.overdraft - availableOn(account);
      const overdraft_limit = written(draw.limit, currency, { available: used < 0n ? null : used });
      return ask('ChangeOverdraftLimit', { account_id, overdraft_limit });
    }
    case 'terms':
      return ask('ChangeTerms', {
        account_id,
        credit_rate: draw.credit,
        overdraft_rate: draw.overdraft,
        monthly_fee: text(draw.fee),
      });
    case 'empty': {
      if (account.balance === 0n) return ask('CloseBankAccount', { account_id, reason: 'Moved' });
      const message = account.balance > 0n ? 'CreateWithdrawal' : 'CreateDeposit';
      const size = account.balance > 0n ? account.balance : -account.balance;
      return ask(message, { account_id, amount: decimal(size, currency), description: 'All of it' });
    }
    case 'close':
      return ask('CloseBankAccount', { account_id, reason: 'Moved' });
    default:
      throw new Error(`${draw.what} is not about an account`);
  }
}

/** What carried a key, once more: as it was, under its key with something else in it, or without the key. */
function again({ key, ...asked }: Asked, changed: Extract<Draw, { what: 'again' }>['changed']): Asked {
  if (changed === 'key' || key === undefined) return asked;
  return changed === 'content' ? { ...withOtherContent(asked), key } : { ...asked, key };
}

/** The same key, and something else: it must be refused. */
function withOtherContent(asked: Asked): Asked {
  const { input } = asked;
  const change =
    'description' in input
      ? { description: `${input.description}!` }
      : 'reason' in input
        ? { reason: `${input.reason}!` }
        : 'last_name' in input
          ? { last_name: `${input.last_name}!` }
          : 'owner_id' in input
            ? { account_type: input.account_type === 'SAVINGS' ? 'CHECKING' : 'SAVINGS' }
            : {};
  return { ...asked, input: { ...input, ...change } };
}

function monthBefore(now: string, months: number): string {
  const [year = 0, month = 1] = now.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1 - months, 1)).toISOString().slice(0, 7);
}

function later(now: string, ms: number): string {
  return new Date(Date.parse(now) + ms).toISOString();
}
