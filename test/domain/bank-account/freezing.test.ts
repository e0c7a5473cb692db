/** Freezing: which scope stops what, and what the bank itself may still post. */
import { describe, expect, it } from 'vitest';
import {
  type BankAccount,
  type BankAccountEvent,
  captureHold,
  changeOverdraftLimit,
  closeAccount,
  creditForTransfer,
  debitForTransfer,
  deposit,
  FREEZE_SCOPES,
  type FreezeScope,
  freezeAccount,
  placeHold,
  postInterest,
  refundTransfer,
  releaseHold,
  unfreezeAccount,
  withdraw,
} from '../../../src/domain/bank-account.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import {
  ACCOUNT,
  closed,
  given,
  HOLD,
  held,
  leg,
  NOW,
  opened,
  paidIn,
  posting,
  TRANSACTION,
} from '../../support/account-history.ts';

const frozen = (scope: FreezeScope, reason = 'court order'): BankAccountEvent => ({
  type: 'BankAccountFrozenDomainEventV1',
  data: { scope, reason },
});
const unfrozen: BankAccountEvent = { type: 'BankAccountUnfrozenDomainEventV1', data: { reason: 'lifted' } };
const freezing = (scope: FreezeScope) => (account: BankAccount) =>
  freezeAccount(account, scope, 'court order');
const unfreezing = (account: BankAccount) => unfreezeAccount(account, 'lifted');

type Decide = (account: BankAccount) => Decision<BankAccountEvent[]>;
const OUT: readonly (readonly [string, Decide])[] = [
  ['a withdrawal', (account) => withdraw(account, posting('1.00'), NOW)],
  ['the debit of a transfer', (account) => debitForTransfer(account, leg('1.00'), NOW)],
  ['a hold', (account) => placeHold(account, { hold_id: 'new', amount: '1.00', description: '' }, NOW)],
  [
    'a capture',
    (account) => captureHold(account, { account_id: ACCOUNT, transaction_id: TRANSACTION, hold_id: HOLD }),
  ],
];
const IN: readonly (readonly [string, Decide])[] = [
  ['a deposit', (account) => deposit(account, posting('1.00'))],
  ['the credit of a transfer', (account) => creditForTransfer(account, leg('1.00'))],
];
const ALWAYS: readonly (readonly [string, Decide])[] = [
  ['interest', (account) => postInterest(account, posting('1.00'))],
  ['the refund of a transfer', (account) => refundTransfer(account, leg('1.00'))],
  ['the release of a hold', (account) => releaseHold(account, HOLD)],
  ['another overdraft limit', (account) => changeOverdraftLimit(account, '7.00')],
];
const passes = (history: readonly BankAccountEvent[], decide: Decide) => {
  let ok = false;
  given(history as [BankAccountEvent, ...BankAccountEvent[]]).when((account) => {
    const decision = decide(account);
    ok = decision.ok;
    return decision;
  });
  return ok;
};

describe('freezing', () => {
  it.each(FREEZE_SCOPES)('for %s suspends an account, and the same again changes nothing', (scope) => {
    given([opened()])
      .when(freezing(scope))
      .thenEvents([frozen(scope)]);
    given([opened(), frozen(scope, 'another reason')])
      .when(freezing(scope))
      .thenEvents([]);
  });

  it('again, for something else, replaces what it was for', () => {
    given([opened(), frozen('ALL')])
      .when(freezing('CREDITS'))
      .thenEvents([frozen('CREDITS')]);
  });

  it('ends once', () => {
    given([opened(), frozen('ALL')])
      .when(unfreezing)
      .thenEvents([unfrozen]);
    given([opened(), frozen('ALL'), unfrozen])
      .when(unfreezing)
      .thenEvents([]);
    given([opened()]).when(unfreezing).thenEvents([]);
  });

  it('is nothing for a closed account', () => {
    given([opened(), closed]).when(freezing('ALL')).thenRejected('account_closed');
    given([opened(), closed]).when(unfreezing).thenRejected('account_closed');
  });

  it('keeps an account from being closed', () => {
    given([opened(), frozen('CREDITS')])
      .when((account) => closeAccount(account, 'moving away'))
      .thenRejected('account_frozen', { facts: { frozen: 'CREDITS' } });
  });
});

describe.each([
  { scope: 'DEBITS', stops: OUT, lets: [...IN, ...ALWAYS] },
  { scope: 'CREDITS', stops: IN, lets: [...OUT, ...ALWAYS] },
  { scope: 'ALL', stops: [...OUT, ...IN], lets: ALWAYS },
] as const)('an account frozen for $scope', ({ scope, stops, lets }) => {
  const history = [opened('10.00'), paidIn('100.00'), held('5.00')] as const;

  it.each(stops)('refuses %s, until it is unfrozen', (_what, decide) => {
    given([...history, frozen(scope)])
      .when(decide)
      .thenRejected('account_frozen', { facts: { frozen: scope } });
    expect(passes([...history, frozen(scope), unfrozen], decide)).toBe(true);
  });

  it.each(lets)('takes %s', (_what, decide) => {
    expect(passes([...history, frozen(scope)], decide)).toBe(true);
  });
});
