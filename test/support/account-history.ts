/** What happened to an account, as its events: for given/when/then tests of its decisions. */
import {
  type BankAccount,
  type BankAccountCreated,
  type BankAccountEvent,
  evolveBankAccount,
  type HoldPlaced,
  type HoldReleased,
  type TransactionRecorded,
  type TransferLeg,
} from '../../src/domain/bank-account.ts';
import { givenFor } from './given-when-then.ts';

export const ACCOUNT = '01890a5d-ac96-774b-bcce-b302099a8057';
export const OTHER_ACCOUNT = '01890a5d-ac96-774b-bcce-b302099a8058';
export const OWNER = '01890a5d-ac96-774b-bcce-b302099a8059';
export const TRANSACTION = '01890a5d-ac96-774b-bcce-b302099a8060';
export const HOLD = '01890a5d-ac96-774b-bcce-b302099a8061';
export const NOW = '2026-01-15T09:30:00.000Z';

/** An account with that history; all of it happened at `at`. */
export const givenAt = (at: string) =>
  givenFor<BankAccount, BankAccountEvent>((state, event) => evolveBankAccount(state, event, at));
export const given = givenAt(NOW);

export function opened(overdraft_limit = '0.00', currency = 'USD'): BankAccountCreated {
  const data = { owner_id: OWNER, overdraft_limit, account_type: 'CHECKING', currency } as const;
  return { type: 'BankAccountCreatedDomainEventV2', data };
}

export type PostedFields = Pick<TransactionRecorded['data'], 'type' | 'direction' | 'amount' | 'balance'> &
  Partial<TransactionRecorded['data']>;

/** The event of a posting; what a test does not care about is filled in. */
export function posted(fields: PostedFields): TransactionRecorded {
  const side = fields.direction === 'CREDIT' ? { to_account_id: ACCOUNT } : { from_account_id: ACCOUNT };
  const data = { transaction_id: TRANSACTION, currency: 'USD', description: 'rent', ...side, ...fields };
  return { type: 'BankAccountTransactionRecordedDomainEventV1', data };
}

/** The recorded balance is wrong on purpose: no decision may read it. */
export const paidIn = (amount: string, currency = 'USD') =>
  posted({ type: 'DEPOSIT', direction: 'CREDIT', amount, currency, balance: '123456' });
export const takenOut = (amount: string, currency = 'USD') =>
  posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount, currency, balance: '123456' });

export const closed: BankAccountEvent = {
  type: 'BankAccountClosedDomainEventV1',
  data: { reason: 'moving away', final_balance: '0.00' },
};

export function held(amount: string, more: Partial<HoldPlaced['data']> = {}): HoldPlaced {
  const data = { hold_id: HOLD, amount, currency: 'USD', description: 'hotel', ...more };
  return { type: 'BankAccountHoldPlacedDomainEventV1', data };
}

export function released(amount: string, more: Partial<HoldReleased['data']> = {}): HoldReleased {
  const data = { hold_id: HOLD, amount, currency: 'USD', reason: 'RELEASED', ...more } as const;
  return { type: 'BankAccountHoldReleasedDomainEventV1', data };
}

export function captured(captured_amount: string, released_amount: string): BankAccountEvent {
  const data = {
    hold_id: HOLD,
    transaction_id: TRANSACTION,
    captured_amount,
    released_amount,
    currency: 'USD',
  };
  return { type: 'BankAccountHoldCapturedDomainEventV1', data };
}

/** Books of another account: whoever knows what came before has no use for them. */
export const booksClosed: BankAccountEvent = {
  type: 'BankAccountBooksClosedDomainEventV1',
  data: {
    period_end: '2026-01-31T23:59:59.999Z',
    latest_event_at: NOW,
    totals: { transactions: 2, credits: '10.00', debits: '3.00' },
    ...opened().data,
    status: 'SUSPENDED',
    frozen: 'CREDITS',
    balance: '7.00',
    held: '1.00',
    holds: [{ hold_id: HOLD, amount: '1.00', description: 'hotel', placed_on: '2026-01-15' }],
    transaction_limit: '20.00',
    daily_limit: null,
    debited: { day: '2026-01-15', amount: '4.00' },
    reversed: [{ transaction_id: TRANSACTION, amount: '0.50', at: NOW }],
    terms: { credit_rate: '2.5000', overdraft_rate: '9.9000', monthly_fee: '1.00' },
    accrual: {
      from: '2026-01-16',
      periods: [{ period: '2026-01', credit: '365000000', overdraft: '0', fee: '1.00' }],
      carry: { credit: '-12', overdraft: '7' },
    },
    operations: {
      creation: null,
      recent: [{ id: 'key-1', content_hash: 'hash', first_revision: 1, last_revision: 2 }],
      has_forgotten: true,
    },
  },
};

/** A posting as a client asks for it. */
export const posting = (amount: string) => {
  return { account_id: ACCOUNT, transaction_id: TRANSACTION, amount, description: 'rent' };
};

export const TRANSFER = '01890a5d-ac96-774b-bcce-b302099a8062';

/** A transfer from the account to the other one. */
export function leg(amount: string, currency = 'USD'): TransferLeg {
  const accounts = { from_account_id: ACCOUNT, to_account_id: OTHER_ACCOUNT };
  return {
    transfer_id: TRANSFER,
    transaction_id: TRANSACTION,
    ...accounts,
    amount,
    currency,
    description: 'rent',
  };
}
