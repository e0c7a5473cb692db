/**
 * Arbitrary command sequences on one account, against a model of the rules and a fold of the events that are
 * both written here once more. They share no code with the domain: a mistake must be made twice to go unseen.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  type BankAccountEvent,
  changeOverdraftLimit,
  closeAccount,
  deposit,
  evolveBankAccount,
  openAccount,
  postInterest,
  withdraw,
} from '../../src/domain/bank-account.ts';
import type { Decision } from '../../src/domain/decision.ts';
import { deepFreeze } from '../support/given-when-then.ts';
import { settings } from './property-settings.ts';

const NOW = '2026-01-15T09:30:00.000Z';
const ACCOUNT = '01890a5d-ac96-774b-bcce-b302099a8057';
const DECIMALS = { USD: 2, EUR: 2, JPY: 0, BHD: 3, CLF: 4 } as const;
type Currency = keyof typeof DECIMALS;
const LARGEST_AMOUNT = 10n ** 15n - 1n;
const LARGEST_BALANCE = 10n ** 17n - 1n;

// --- Commands ----------------------------------------------------------------------------------------------

/** The figures of an account around which a rule changes its answer. */
type Figure = 'balance' | 'overdrawn' | 'available' | 'limit' | 'room';

/** An amount as a client may send it: any decimal, no decimal, or one next to a figure of the account. */
type Amount =
  | { readonly is: 'decimal'; readonly digits: bigint; readonly scale: number }
  | { readonly is: 'malformed'; readonly text: string }
  | { readonly is: 'near'; readonly figure: Figure; readonly off: bigint };

type Posts = 'deposit' | 'interest' | 'withdraw';
type Command =
  | { readonly does: Posts | 'limit'; readonly amount: Amount }
  | { readonly does: 'close'; readonly amount?: undefined };

interface Run {
  readonly currency: Currency;
  readonly limit: bigint;
  readonly opening: bigint;
  /** When given, the account starts that many minor units below the largest balance. */
  readonly room: bigint | undefined;
  readonly commands: readonly Command[];
}

const small = fc.bigInt({ min: 0n, max: 3000n });
const decimals: fc.Arbitrary<Amount> = fc.record({
  is: fc.constant('decimal'),
  digits: fc.oneof(
    { weight: 4, arbitrary: small },
    { weight: 1, arbitrary: fc.bigInt({ min: -3000n, max: 0n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 20n }) },
    { weight: 1, arbitrary: fc.constantFrom(LARGEST_AMOUNT, LARGEST_AMOUNT + 1n) },
  ),
  scale: fc.nat(5),
});
const malformed: fc.Arbitrary<Amount> = fc.record({
  is: fc.constant('malformed'),
  text: fc.constantFrom('', '.5', '5.', '1e3', '+1', ' 1', '1,0', 'NaN', '--1', '0x1', '9'.repeat(31)),
});
/** Each command aims at the figures that bound it; exactly on the boundary is worth the most tries. */
const near = (...figures: Figure[]): fc.Arbitrary<Amount> =>
  fc.record({
    is: fc.constant('near'),
    figure: fc.constantFrom(...figures),
    off: fc.constantFrom(-1n, 0n, 0n, 1n),
  });
const command = (does: Posts | 'limit', ...figures: Figure[]): fc.Arbitrary<Command> =>
  fc.record({
    does: fc.constant(does),
    amount: fc.oneof(
      { weight: 4, arbitrary: decimals },
      { weight: 4, arbitrary: near(...figures) },
      { weight: 1, arbitrary: malformed },
    ),
  });
const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: command('deposit', 'overdrawn', 'room') },
  { weight: 3, arbitrary: command('interest', 'overdrawn', 'room') },
  { weight: 8, arbitrary: command('withdraw', 'available', 'balance') },
  { weight: 6, arbitrary: command('limit', 'overdrawn', 'limit') },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('close') }) },
);
const runs: fc.Arbitrary<Run> = fc.record({
  currency: fc.constantFrom('USD', 'EUR', 'JPY', 'BHD', 'CLF'),
  limit: fc.oneof(
    { weight: 6, arbitrary: small },
    { weight: 1, arbitrary: fc.constantFrom(0n, LARGEST_AMOUNT) },
  ),
  opening: fc.oneof(small, fc.constant(0n)),
  room: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 5n }) },
  ),
  commands: fc.array(commands, { minLength: 1, maxLength: 25, size: 'max' }),
});

// --- The model ---------------------------------------------------------------------------------------------

interface Model {
  balance: bigint;
  limit: bigint;
  closed: boolean;
}

function figureOf(model: Model, figure: Figure): bigint {
  switch (figure) {
    case 'balance':
      return model.balance;
    case 'overdrawn':
      return -model.balance;
    case 'available':
      return model.balance + model.limit;
    case 'limit':
      return model.limit;
    case 'room':
      return LARGEST_BALANCE - model.balance;
  }
}

/** The text that is sent, and what it means: minor units, or the code with which any reader refuses it. */
interface Reading {
  readonly text: string;
  readonly minor?: bigint;
  readonly flaw?: string;
}

function read(amount: Amount | undefined, model: Model, places: number): Reading {
  if (!amount) return { text: '' };
  if (amount.is === 'malformed') return { text: amount.text, flaw: 'invalid_amount' };
  if (amount.is === 'near') {
    const minor = figureOf(model, amount.figure) + amount.off;
    return { text: spell(minor, places), minor };
  }
  const text = spell(amount.digits, amount.scale);
  const finer = amount.digits * 10n ** BigInt(places);
  const unit = 10n ** BigInt(amount.scale);
  return finer % unit === 0n ? { text, minor: finer / unit } : { text, flaw: 'amount_too_precise' };
}

/** What the rules say to a command: the code of its refusal, or `ok`, and then the model has moved on. */
function judge(model: Model, command: Command, places: number): { text: string; verdict: string } {
  const { text, minor = 0n, flaw } = read(command.amount, model, places);
  if (model.closed) return { text, verdict: 'account_closed' };
  if (flaw) return { text, verdict: flaw };
  switch (command.does) {
    case 'close':
      return { text, verdict: settle(model, model.balance !== 0n && 'balance_not_zero', { closed: true }) };
    case 'limit': {
      const refused = outOfRange(minor, 0n) || (model.balance + minor < 0n && 'overdraft_in_use');
      return { text, verdict: settle(model, refused, { limit: minor }) };
    }
    case 'withdraw': {
      const balance = model.balance - minor;
      const refused = outOfRange(minor, 1n) || (balance + model.limit < 0n && 'insufficient_funds');
      return { text, verdict: settle(model, refused, { balance }) };
    }
    default: {
      const balance = model.balance + minor;
      const refused = outOfRange(minor, 1n) || (balance > LARGEST_BALANCE && 'balance_limit_exceeded');
      return { text, verdict: settle(model, refused, { balance }) };
    }
  }
}

function outOfRange(minor: bigint, least: 0n | 1n): string | false {
  if (minor < least) return least === 0n ? 'amount_negative' : 'amount_not_positive';
  return minor > LARGEST_AMOUNT && 'amount_too_large';
}

function settle(model: Model, refused: string | false, change: Partial<Model>): string {
  if (refused) return refused;
  Object.assign(model, change);
  return 'ok';
}

// --- Own arithmetic on text --------------------------------------------------------------------------------

/** Writes digits × 10^-scale. */
function spell(digits: bigint, scale: number): string {
  const unit = 10n ** BigInt(scale);
  const size = digits < 0n ? -digits : digits;
  const fraction = scale === 0 ? '' : `.${(size % unit).toString().padStart(scale, '0')}`;
  return `${digits < 0n ? '-' : ''}${size / unit}${fraction}`;
}

/** Reads the decimal of an event, which must have all decimals of its currency. */
function unspell(text: string, places: number): bigint {
  const form = places === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${places}}$`);
  expect(text).toMatch(form);
  return BigInt(text.replace('.', ''));
}

/** What the events say, read from their data alone; `recorded` is the balance that the last one carries. */
function add(events: readonly BankAccountEvent[], places: number) {
  const total = { balance: 0n, limit: 0n, closed: false, recorded: undefined as bigint | undefined };
  for (const event of events) {
    total.recorded = undefined;
    if ('overdraft_limit' in event.data) total.limit = unspell(event.data.overdraft_limit, places);
    if ('new_limit' in event.data) total.limit = unspell(event.data.new_limit, places);
    if ('final_balance' in event.data) total.closed = true;
    if ('transaction_id' in event.data && 'balance' in event.data) {
      const amount = unspell(event.data.amount, places);
      const isIn = event.data.type === 'DEPOSIT' || event.data.type === 'INTEREST';
      total.balance += isIn ? amount : -amount;
      total.recorded = unspell(event.data.balance, places);
    }
  }
  return total;
}

// --- Playing a run -----------------------------------------------------------------------------------------

interface Step {
  readonly command: Command;
  readonly text: string;
  readonly before: BankAccount;
  readonly decision: Decision<BankAccountEvent[]>;
  readonly verdict: string;
  readonly model: Readonly<Model>;
  /** The whole history and the state after this step. */
  readonly events: readonly BankAccountEvent[];
  readonly after: BankAccount;
}

function decide(state: BankAccount, command: Command, text: string): Decision<BankAccountEvent[]> {
  const posting = { account_id: ACCOUNT, transaction_id: 'some transaction', amount: text, description: '' };
  switch (command.does) {
    case 'deposit':
      return deposit(state, posting);
    case 'interest':
      return postInterest(state, posting);
    case 'withdraw':
      return withdraw(state, posting, NOW);
    case 'limit':
      return changeOverdraftLimit(state, text);
    case 'close':
      return closeAccount(state, 'no more need');
  }
}

function start(run: Run): BankAccountEvent[] {
  const places = DECIMALS[run.currency];
  const decision = openAccount(undefined, {
    account_id: ACCOUNT,
    owner_id: 'some owner',
    account_type: 'CHECKING',
    currency: run.currency,
    overdraft_limit: spell(run.limit, places),
    initial_balance: spell(run.opening, places),
    transaction_id: 'opening',
  });
  if (!decision.ok) throw new Error(`opening was refused: ${decision.rejection.code}`);
  return run.room === undefined ? decision.value : [...decision.value, windfall(run, run.room)];
}

/** More than one command may bring in, so that the largest balance is near. */
function windfall({ currency, opening }: Run, room: bigint): BankAccountEvent {
  const places = DECIMALS[currency];
  return {
    type: 'BankAccountTransactionRecordedDomainEventV1',
    data: {
      transaction_id: 'windfall',
      type: 'DEPOSIT',
      amount: spell(LARGEST_BALANCE - room - opening, places),
      currency,
      direction: 'CREDIT',
      to_account_id: ACCOUNT,
      description: '',
      balance: spell(LARGEST_BALANCE - room, places),
    },
  };
}

function fold(events: readonly BankAccountEvent[], from?: BankAccount): BankAccount {
  const state = events.reduce<BankAccount | undefined>((folded, event) => {
    return deepFreeze(evolveBankAccount(folded, deepFreeze(event), NOW));
  }, from);
  if (!state) throw new Error('an account has at least its creation');
  return state;
}

/** Plays the commands in order, and keeps what the model expects beside what the domain does. */
function play(run: Run): Step[] {
  const places = DECIMALS[run.currency];
  const model: Model = { balance: startBalance(run), limit: run.limit, closed: false };
  let events: readonly BankAccountEvent[] = start(run);
  let state = fold(events);
  return run.commands.map((command) => {
    const before = state;
    const { text, verdict } = judge(model, command, places);
    const decision = decide(before, command, text);
    if (decision.ok && decision.value.length > 0) {
      events = [...events, ...decision.value];
      state = fold(decision.value, before);
    }
    return { command, text, before, decision, verdict, model: { ...model }, events, after: state };
  });
}

const startBalance = (run: Run) => (run.room === undefined ? run.opening : LARGEST_BALANCE - run.room);
const outcome = (decision: Decision<unknown>) => (decision.ok ? 'ok' : decision.rejection.code);

/** The commands that bring any account to zero and then close it. */
function endOf(balance: bigint, places: number): Command[] {
  const size = balance < 0n ? -balance : balance;
  // A balance out of bounds is a failure to report, not a reason to send a million commands.
  expect(size).toBeLessThanOrEqual(LARGEST_BALANCE);
  const end: Command[] = [];
  for (let left = size; left > 0n; left -= LARGEST_AMOUNT) {
    const digits = left < LARGEST_AMOUNT ? left : LARGEST_AMOUNT;
    end.push({
      does: balance < 0n ? 'deposit' : 'withdraw',
      amount: { is: 'decimal', digits, scale: places },
    });
  }
  return [...end, { does: 'close' }];
}

// --- Properties --------------------------------------------------------------------------------------------

/** Checks every step of arbitrary runs. */
function everyStep(name: string, check: (step: Step, places: number) => void): void {
  it(name, () => {
    const property = fc.property(runs, (run) => {
      for (const step of play(run)) check(step, DECIMALS[run.currency]);
    });
    fc.assert(property, settings(80, 2000));
  });
}

describe('any sequence of commands on an account', () => {
  everyStep('is accepted and refused as the model of the rules says', (step) => {
    const { balance, overdraft_limit: limit, status } = step.after;
    const told = `${step.command.does} ${JSON.stringify(step.text)}`;
    expect(outcome(step.decision), told).toBe(step.verdict);
    expect({ balance, limit, closed: status === 'CLOSED' }, told).toStrictEqual(step.model);
  });

  everyStep('leaves a balance, a limit and a status that the events alone add up to', (step, places) => {
    const { balance, limit, closed } = add(step.events, places);
    expect(step.after.balance).toBe(balance);
    expect(step.after.overdraft_limit).toBe(limit);
    expect(step.after.status).toBe(closed ? 'CLOSED' : 'ACTIVE');
  });

  everyStep('records in each posting the balance that the events up to it add up to', (step, places) => {
    const { balance, recorded } = add(step.events, places);
    if (recorded !== undefined) expect(recorded).toBe(balance);
  });

  everyStep(
    'never takes the balance below the overdraft limit or above the largest balance',
    (step, places) => {
      const { balance, limit } = add(step.events, places);
      expect(balance + limit).toBeGreaterThanOrEqual(0n);
      expect(balance).toBeLessThanOrEqual(LARGEST_BALANCE);
    },
  );

  everyStep('emits one event when accepted, none for the limit in force, and none when refused', (step) => {
    if (!step.decision.ok) {
      expect(Object.keys(step.decision)).toStrictEqual(['ok', 'rejection']);
      expect(step.after).toBe(step.before);
      return;
    }
    const same = step.command.does === 'limit' && step.before.overdraft_limit === step.model.limit;
    expect(step.decision.value).toHaveLength(same ? 0 : 1);
  });

  everyStep('leaves the same state in memory as its events do when read back from JSON', (step) => {
    const stored: BankAccountEvent[] = JSON.parse(JSON.stringify(step.events));
    expect(stored).toStrictEqual(step.events);
    expect(fold(stored)).toStrictEqual(step.after);
  });

  it('accepts nothing more once the account is emptied and closed', () => {
    const more = fc.array(commands, { minLength: 1, maxLength: 8 });
    const property = fc.property(runs, more, (run, late) => {
      const open = { ...run, commands: run.commands.filter(({ does }) => does !== 'close') };
      const left = play(open).at(-1)?.after.balance ?? startBalance(open);
      const end = endOf(left, DECIMALS[run.currency]);
      const steps = play({ ...open, commands: [...open.commands, ...end, ...late] });
      const [closing, ...after] = steps.slice(-late.length - 1);
      expect(closing?.after.status).toBe('CLOSED');
      for (const step of after) {
        expect(outcome(step.decision)).toBe('account_closed');
        expect(step.events).toStrictEqual(closing?.events);
      }
    });
    fc.assert(property, settings(40, 1000));
  });

  it('reaches every answer that the rules have, so that none of the above is empty talk', () => {
    const seen = new Set<string>();
    for (const run of fc.sample(runs, { numRuns: 300, seed: 7 })) {
      for (const { command, verdict } of play(run)) seen.add(`${command.does}: ${verdict}`);
    }
    const amount = ['invalid_amount', 'amount_too_precise', 'amount_too_large', 'account_closed', 'ok'];
    const expected = {
      deposit: [...amount, 'amount_not_positive', 'balance_limit_exceeded'],
      interest: [...amount, 'amount_not_positive', 'balance_limit_exceeded'],
      withdraw: [...amount, 'amount_not_positive', 'insufficient_funds'],
      limit: [...amount, 'amount_negative', 'overdraft_in_use'],
      close: ['ok', 'balance_not_zero', 'account_closed'],
    };
    const all = Object.entries(expected).flatMap(([does, codes]) => codes.map((code) => `${does}: ${code}`));
    expect([...seen].sort()).toStrictEqual(all.sort());
  });
});
