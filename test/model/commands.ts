/** Random commands: what fast-check draws, and how it becomes a command about what the bank has in it by then. */
import fc from 'fast-check';
import {
  type Asked,
  availableOn,
  type ModelAccount,
  type ModelBank,
  type ModelPosting,
} from './model-bank.ts';
import { CURRENCIES, type Currency, DECIMALS, decimal } from './model-money.ts';

/** Numbers name things by their place among those that there are, so that a shorter sequence still makes sense. */
type Which = number;

/** Amounts at the borders of what is allowed find more than random ones: `more` goes one minor unit beyond. */
interface Amount {
  readonly of: 'some' | 'available' | 'once' | 'day' | 'target' | 'too_precise';
  readonly minor: number;
  readonly more: boolean;
}

interface Options {
  /** One of few keys, so that they meet. */
  readonly key?: number | undefined;
  readonly ifMatch?: 'right' | 'wrong' | undefined;
}

/** What was drawn; it is one small object for each kind of command. */
export type Draw = Options &
  (
    | { what: 'person'; born: string; name: string }
    | {
        what: 'open';
        owner: Which;
        type: string;
        currency: Currency;
        overdraft: number;
        initial: Amount;
        nobody: boolean;
      }
    | { what: 'deposit'; account: Which; amount: Amount; reference: number | undefined }
    | { what: 'interest'; account: Which; amount: Amount; reference: number | undefined }
    | { what: 'withdraw'; account: Which; amount: Amount; reference: number | undefined }
    | { what: 'transfer'; from: Which; to: Which; amount: Amount; dieAt: string | undefined }
    | { what: 'resume'; transfer: Which }
    | { what: 'hold'; account: Which; amount: Amount; hours: number | undefined }
    | { what: 'capture'; hold: Which; amount: Amount | undefined }
    | { what: 'release'; hold: Which }
    | { what: 'reverse'; posting: Which; amount: Amount | undefined }
    | { what: 'freeze'; account: Which; scope: string }
    | { what: 'unfreeze'; account: Which }
    | { what: 'limits'; account: Which; once: number | undefined; day: number | undefined }
    | { what: 'overdraft'; account: Which; limit: Amount }
    | { what: 'terms'; account: Which; credit: string; overdraft: string; fee: number }
    | { what: 'empty'; account: Which }
    | { what: 'close'; account: Which }
    | { what: 'interest_run'; back: number }
    | { what: 'expire_holds' }
    | { what: 'again'; command: Which; changed: boolean }
  );

const which = fc.nat({ max: 30 });
const amount: fc.Arbitrary<Amount> = fc.record({
  of: fc.oneof(
    { weight: 5, arbitrary: fc.constant('some' as const) },
    { weight: 4, arbitrary: fc.constantFrom('available', 'target', 'day', 'once') },
    { weight: 1, arbitrary: fc.constant('too_precise' as const) },
  ),
  minor: fc.integer({ min: 1, max: 5_000 }),
  more: fc.boolean(),
});
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, freq = 3) => fc.option(arbitrary, { nil: undefined, freq });
const reference = fc.option(fc.nat({ max: 3 }), { nil: undefined, freq: 1 });

const DEATHS = ['requested', 'debit_settled', 'debit_recorded', 'credit_settled', 'credit_recorded'].concat([
  'refund_settled',
  'refund_recorded',
  'suspense_settled',
]);

/** One kind of command, and how often it is drawn. */
function kind<K extends Draw['what']>(
  weight: number,
  what: K,
  fields: {
    [F in Exclude<keyof Extract<Draw, { what: K }>, 'what' | keyof Options>]: fc.Arbitrary<
      Extract<Draw, { what: K }>[F]
    >;
  },
) {
  const arbitrary = fc.record({
    what: fc.constant(what),
    key: fc.option(fc.nat({ max: 7 }), { nil: undefined, freq: 1 }),
    ifMatch: fc.oneof(
      { weight: 12, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom('right', 'wrong') },
    ),
    ...fields,
  }) as unknown as fc.Arbitrary<Draw>;
  return { weight, arbitrary };
}

const rate = fc.constantFrom('0', '0.0001', '2.5', '12.25', '99.9999');
const small = fc.constantFrom(0, 1, 500, 2_000);

const ACCOUNT_KINDS = [
  kind(8, 'deposit', { account: which, amount, reference }),
  kind(8, 'withdraw', { account: which, amount, reference }),
  kind(6, 'hold', { account: which, amount, hours: sometimes(fc.constantFrom(-1, 1, 2, 24, 9_000)) }),
  kind(5, 'capture', { hold: which, amount: sometimes(amount, 1) }),
  kind(3, 'release', { hold: which }),
  kind(5, 'reverse', { posting: which, amount: sometimes(amount, 1) }),
  kind(3, 'freeze', { account: which, scope: fc.constantFrom('DEBITS', 'CREDITS', 'ALL') }),
  kind(3, 'unfreeze', { account: which }),
  kind(3, 'limits', { account: which, once: sometimes(small), day: sometimes(small) }),
  kind(3, 'overdraft', { account: which, limit: amount }),
  kind(2, 'empty', { account: which }),
  kind(2, 'close', { account: which }),
  kind(1, 'interest', { account: which, amount, reference }),
  kind(2, 'terms', { account: which, credit: rate, overdraft: rate, fee: small }),
];

const BANK_KINDS = [
  kind(1, 'person', {
    born: fc.constantFrom('1990-05-15', '2999-01-01'),
    name: fc.constantFrom('Ann', 'Bo'),
  }),
  kind(2, 'open', {
    owner: which,
    type: fc.constantFrom('CHECKING', 'SAVINGS'),
    currency: fc.constantFrom(...CURRENCIES),
    overdraft: small,
    initial: amount,
    nobody: fc.boolean(),
  }),
  kind(2, 'interest_run', { back: fc.constantFrom(0, 1, 1, 1, 2) }),
  kind(1, 'expire_holds', {}),
  kind(4, 'again', { command: which, changed: fc.boolean() }),
  kind(2, 'resume', { transfer: which }),
];

const alone = kind(9, 'transfer', {
  from: which,
  to: which,
  amount,
  dieAt: fc.option(fc.constantFrom(...DEATHS), { nil: undefined, freq: 2 }),
});
/** The driver of a transfer that is raced lives: of two, it would not be known which one died. */
const raced = kind(9, 'transfer', { from: which, to: which, amount, dieAt: fc.constant(undefined) });

/** A step of a sequence: one command, several at the same time, or time that passes. */
export type Turn =
  | { readonly kind: 'commands'; readonly draws: readonly Draw[] }
  /** An impatient client: the first command is sent twice, under a key of its own. */
  | { readonly kind: 'twice'; readonly draws: readonly Draw[] }
  | {
      readonly kind: 'time';
      readonly passes: 'hour' | 'to_midnight' | 'to_expiry' | 'day' | 'month' | 'year';
    };

export const aloneDraw: fc.Arbitrary<Draw> = fc.oneof(...ACCOUNT_KINDS, ...BANK_KINDS, alone);
export const racedDraw: fc.Arbitrary<Draw> = fc.oneof(...ACCOUNT_KINDS, ...BANK_KINDS, raced);

export const timeTurn: fc.Arbitrary<Turn> = fc.record({
  kind: fc.constant('time' as const),
  passes: fc.constantFrom('hour', 'hour', 'to_midnight', 'to_expiry', 'to_expiry', 'day', 'month', 'year'),
});

/** What the resolver knows: the model, and the commands that carried a key. */
export interface Known {
  readonly bank: ModelBank;
  readonly keyed: readonly Asked[];
}

/** The commands of a draw; none when there is nothing yet that it could be about. */
export function resolve(draw: Draw, known: Known): Asked[] {
  const asked = withoutOptions(draw, known);
  if (!asked || draw.what === 'again') return asked ? [asked] : [];
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
  const accounts = [...bank.accounts.values()];
  switch (draw.what) {
    case 'person':
      return { message: 'RegisterPerson', input: person(draw.name, draw.born) };
    case 'open':
      return open(draw, bank);
    case 'resume':
      return on(at([...bank.transfers.keys()], draw.transfer), (id) => ask('ResumeTransfer', { id }));
    case 'transfer':
      return transfer(draw, accounts, bank.now);
    case 'capture':
    case 'release':
      return toHold(draw, accounts, bank.now);
    case 'reverse':
      return on(at([...bank.postings.values()], draw.posting), (posting) => reversal(draw, posting, bank));
    case 'interest_run':
      return ask('PostInterestForPeriod', { period: monthBefore(bank.now, draw.back), limit: 200 });
    case 'expire_holds':
      return ask('ExpireHolds', { limit: 200 });
    case 'again':
      return on(at(keyed, draw.command), ({ dieAt: _lives, ...asked }) =>
        draw.changed ? withOtherContent(asked) : asked,
      );
    default:
      return on(at(accounts, draw.account), (account) => toAccount(draw, account, bank.now));
  }
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
  const today = debited.day === now.slice(0, 10) ? debited.minor : 0n;
  return { available: availableOn(account), once, day: daily === null ? null : daily - today };
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

function reversal(
  { amount }: Extract<Draw, { what: 'reverse' }>,
  { id, accountId, minor }: ModelPosting,
  bank: ModelBank,
): Asked | undefined {
  const account = bank.accounts.get(accountId);
  if (!account) return undefined;
  const left = minor - (account.reversed.get(id) ?? 0n);
  const figures = { ...figuresOf(account, bank.now), target: left };
  const part = amount === undefined ? {} : { amount: written(amount, account.currency, figures) };
  return ask('ReverseTransaction', { id, reason: 'Goods returned', ...part });
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
