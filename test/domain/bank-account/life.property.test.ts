/**
 * Arbitrary lives of an account with holds, freezes, limits and time that passes. What must be true of it is counted
 * from the events alone, with none of the domain's code.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  type BankAccountEvent,
  captureHold,
  changeLimits,
  changeOverdraftLimit,
  closeAccount,
  decideWithoutExpired,
  deposit,
  evolveBankAccount,
  FREEZE_SCOPES,
  freezeAccount,
  openAccount,
  placeHold,
  releaseHold,
  unfreezeAccount,
  withdraw,
} from '../../../src/domain/bank-account.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import { ACCOUNT, OWNER } from '../../support/account-history.ts';
import { deepFreeze } from '../../support/given-when-then.ts';
import { settings } from '../property-settings.ts';

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 0, 1, 22);

type Command =
  | { readonly does: 'deposit' | 'withdraw' | 'overdraft'; readonly cents: number }
  | { readonly does: 'place'; readonly cents: number; readonly minutes?: number | undefined }
  | { readonly does: 'capture' | 'release'; readonly which: number; readonly cents?: number | undefined }
  | { readonly does: 'limits'; readonly one?: number | undefined; readonly day?: number | undefined }
  | { readonly does: 'freeze'; readonly scope: (typeof FREEZE_SCOPES)[number] }
  | { readonly does: 'unfreeze' | 'close' };

const cents = fc.integer({ min: 1, max: 5000 });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('deposit' as const), cents }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('withdraw' as const), cents }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('overdraft' as const), cents }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('place' as const),
      cents,
      minutes: optional(fc.integer({ min: 1, max: 120 })),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constantFrom('capture' as const, 'release' as const),
      which: fc.nat(6),
      cents: optional(cents),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('limits' as const),
      one: optional(cents),
      day: optional(cents),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('freeze' as const), scope: fc.constantFrom(...FREEZE_SCOPES) }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('unfreeze' as const, 'close' as const) }) },
);
/** Each command comes some minutes after the one before. */
const lives = fc.array(fc.tuple(fc.nat(50), commands), { minLength: 1, maxLength: 40, size: 'max' });

const text = (amount: number) => (amount / 100).toFixed(2);
const minor = (decimal: string) => BigInt(decimal.replace('.', ''));

function decide(
  state: BankAccount,
  command: Command,
  step: number,
  now: string,
): Decision<BankAccountEvent[]> {
  const ids = { account_id: ACCOUNT, transaction_id: `t-${step}`, description: '' };
  switch (command.does) {
    case 'deposit':
      return deposit(state, { ...ids, amount: text(command.cents) });
    case 'withdraw':
      return withdraw(state, { ...ids, amount: text(command.cents) }, now);
    case 'overdraft':
      return changeOverdraftLimit(state, text(command.cents));
    case 'place': {
      const { minutes } = command;
      const expires_at =
        minutes === undefined ? undefined : new Date(Date.parse(now) + minutes * MINUTE_MS).toISOString();
      const hold = { hold_id: `h-${step}`, amount: text(command.cents), description: '', expires_at };
      return placeHold(state, hold, now);
    }
    case 'capture': {
      const amount = command.cents === undefined ? undefined : text(command.cents);
      return captureHold(state, { ...ids, hold_id: nth(state, command.which), amount });
    }
    case 'release':
      return releaseHold(state, nth(state, command.which));
    case 'limits': {
      const [transaction_limit, daily_limit] = [command.one, command.day].map((one) =>
        one === undefined ? undefined : text(one),
      );
      return changeLimits(state, { transaction_limit, daily_limit });
    }
    case 'freeze':
      return freezeAccount(state, command.scope, 'court order');
    case 'unfreeze':
      return unfreezeAccount(state, 'lifted');
    case 'close':
      return closeAccount(state, 'moving away');
  }
}

function nth(state: BankAccount, which: number): string {
  const open = Object.keys(state.holds);
  return open[which % Math.max(1, open.length)] ?? 'none';
}

/** What the events alone say. */
class Count {
  balance = 0n;
  limit = 0n;
  frozen = '';
  closed = false;
  readonly holds = new Map<string, { amount: bigint; expires?: string | undefined }>();

  get held(): bigint {
    return [...this.holds.values()].reduce((total, { amount }) => total + amount, 0n);
  }

  add({ type, data }: BankAccountEvent, at: string): void {
    expect(this.closed, `${type} after the end`).toBe(false);
    if (type === 'BankAccountCreatedDomainEventV2') this.limit = minor(data.overdraft_limit);
    if (type === 'BankAccountOverdraftLimitChangedDomainEventV1') this.limit = minor(data.new_limit);
    if (type === 'BankAccountFrozenDomainEventV1') this.frozen = data.scope;
    if (type === 'BankAccountUnfrozenDomainEventV1') this.frozen = '';
    if (type === 'BankAccountClosedDomainEventV1') this.closed = true;
    if (type === 'BankAccountTransactionRecordedDomainEventV1') {
      const stopped = data.direction === 'CREDIT' ? ['CREDITS', 'ALL'] : ['DEBITS', 'ALL'];
      expect(stopped).not.toContain(this.frozen);
      this.balance += data.direction === 'CREDIT' ? minor(data.amount) : -minor(data.amount);
      expect(minor(data.balance)).toBe(this.balance);
    }
    if (type === 'BankAccountHoldPlacedDomainEventV1') {
      this.holds.set(data.hold_id, { amount: minor(data.amount), expires: data.expires_at });
    }
    if (type === 'BankAccountHoldReleasedDomainEventV1') {
      const hold = this.#end(data.hold_id);
      expect(minor(data.amount)).toBe(hold.amount);
      expect(data.reason === 'EXPIRED').toBe(hold.expires !== undefined && hold.expires <= at);
    }
    if (type === 'BankAccountHoldCapturedDomainEventV1') {
      const { amount, expires = '9' } = this.#end(data.hold_id);
      expect(expires > at).toBe(true);
      expect(minor(data.captured_amount) + minor(data.released_amount)).toBe(amount);
    }
  }

  #end(id: string): { amount: bigint; expires?: string | undefined } {
    const hold = this.holds.get(id);
    if (!hold) throw new Error(`${id} was ended twice`);
    this.holds.delete(id);
    return hold;
  }
}

describe('any life of an account', () => {
  it('keeps every hold apart from what is available, ends it once, and lets no debit exceed what is left', () => {
    const seen = new Set<string>();
    const property = fc.property(lives, (life) => {
      let time = START;
      const opening = openAccount(undefined, {
        account_id: ACCOUNT,
        owner_id: OWNER,
        account_type: 'CHECKING',
        currency: 'USD',
        overdraft_limit: '20.00',
        initial_balance: '50.00',
        transaction_id: 'opening',
      });
      if (!opening.ok) throw new Error('it was not opened');
      const history = opening.value.map((event) => ({ event, at: new Date(time).toISOString() }));
      const count = new Count();
      for (const { event, at } of history) count.add(event, at);
      const fold = (entries: typeof history) =>
        entries.reduce<BankAccount | undefined>(
          (state, { event, at }) => deepFreeze(evolveBankAccount(state, event, at)),
          undefined,
        ) as BankAccount;
      for (const [step, [minutes, command]] of life.entries()) {
        time += minutes * MINUTE_MS;
        const at = new Date(time).toISOString();
        const decision = decideWithoutExpired(fold(history), at, (state) => decide(state, command, step, at));
        seen.add(`${command.does}: ${decision.ok ? 'ok' : decision.rejection.code}`);
        if (!decision.ok) continue;
        for (const event of decision.value) {
          count.add(event, at);
          history.push({ event, at });
        }
        expect(count.balance - count.held + count.limit).toBeGreaterThanOrEqual(0n);
        for (const { expires = '9' } of count.holds.values()) expect(expires > at).toBe(true);
        const state = fold(JSON.parse(JSON.stringify(history)));
        const { balance, held, overdraft_limit, status } = state;
        expect({ balance, held, overdraft_limit }).toEqual({
          balance: count.balance,
          held: count.held,
          overdraft_limit: count.limit,
        });
        expect(status).toBe(count.closed ? 'CLOSED' : count.frozen === '' ? 'ACTIVE' : 'SUSPENDED');
        expect(state.debited.amount).toBeGreaterThanOrEqual(0n);
      }
    });
    fc.assert(property, settings(100, 3000));
    for (const reached of [
      'capture: ok',
      'capture: hold_not_open',
      'capture: capture_exceeds_hold',
      'release: ok',
    ]) {
      expect(seen).toContain(reached);
    }
    for (const code of ['insufficient_funds', 'account_frozen', 'daily_limit_exceeded']) {
      expect(
        [...seen].some((one) => one.endsWith(code)),
        code,
      ).toBe(true);
    }
  });
});
