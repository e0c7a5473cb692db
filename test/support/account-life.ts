/** A life of an account in which everything happens that can happen to one: its events and their business times. */
import type { BankAccountEvent } from '../../src/domain/bank-account.ts';
import { booksClosed, captured, closed, held, opened, posted, released } from './account-history.ts';

const usd = { currency: 'USD', balance: '0.00' } as const;
const second = '01890a5d-ac96-774b-bcce-b302099a8064';

/** All event types, and every field of the state, at least once each. */
export const ACCOUNT_LIFE: readonly (readonly [at: string, event: BankAccountEvent])[] = [
  ['2026-01-15T09:30:00.000Z', opened('500.00')],
  [
    '2026-01-15T09:31:00.000Z',
    posted({ type: 'DEPOSIT', direction: 'CREDIT', amount: '90071992547409.93', ...usd }),
  ],
  [
    '2026-01-16T10:00:00.000Z',
    {
      type: 'BankAccountTermsChangedDomainEventV1',
      data: { credit_rate: '2.5000', overdraft_rate: '9.9000', monthly_fee: '1.00', currency: 'USD' },
    } as BankAccountEvent,
  ],
  [
    '2026-01-17T10:00:00.000Z',
    {
      type: 'BankAccountLimitsChangedDomainEventV1',
      data: { transaction_limit: '1000.00', daily_limit: null, currency: 'USD' },
    } as BankAccountEvent,
  ],
  [
    '2026-01-17T11:00:00.000Z',
    {
      type: 'BankAccountOverdraftLimitChangedDomainEventV1',
      data: { old_limit: '500.00', new_limit: '750.00' },
    },
  ],
  ['2026-01-18T10:00:00.000Z', posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount: '25.01', ...usd })],
  ['2026-01-18T11:00:00.000Z', held('40.00', { expires_at: '2026-03-01T00:00:00.000Z' })],
  ['2026-01-18T12:00:00.000Z', held('15.00', { hold_id: second })],
  ['2026-01-18T13:00:00.000Z', captured('30.00', '10.00')],
  ['2026-01-18T13:00:00.000Z', posted({ type: 'WITHDRAWAL', direction: 'DEBIT', amount: '30.00', ...usd })],
  ['2026-01-19T10:00:00.000Z', held('7.00', { hold_id: '01890a5d-ac96-774b-bcce-b302099a8065' })],
  [
    '2026-01-20T10:00:00.000Z',
    posted({
      type: 'REVERSAL',
      direction: 'CREDIT',
      amount: '5.00',
      ...usd,
      reverses_transaction_id: '01890a5d-ac96-774b-bcce-b302099a8060',
    }),
  ],
  [
    '2026-01-21T10:00:00.000Z',
    posted({
      type: 'TRANSFER',
      direction: 'DEBIT',
      amount: '2.00',
      ...usd,
      restores_transaction_id: '01890a5d-ac96-774b-bcce-b302099a8060',
    }),
  ],
  [
    '2026-02-01T10:00:00.000Z',
    posted({ type: 'FEE', direction: 'DEBIT', amount: '1.00', ...usd, period: '2026-01' }),
  ],
  ['2026-02-02T10:00:00.000Z', posted({ type: 'TRANSFER', direction: 'DEBIT', amount: '8.00', ...usd })],
  [
    '2026-02-03T10:00:00.000Z',
    {
      type: 'BankAccountTransferRefusedDomainEventV1',
      data: { transfer_id: second, leg: 'CREDIT', code: 'account_frozen', detail: 'The account is frozen.' },
    } as unknown as BankAccountEvent,
  ],
  [
    '2026-02-04T10:00:00.000Z',
    {
      type: 'BankAccountFrozenDomainEventV1',
      data: { scope: 'DEBITS', reason: 'court order' },
    } as BankAccountEvent,
  ],
  [
    '2026-02-05T10:00:00.000Z',
    posted({ type: 'INTEREST', direction: 'CREDIT', amount: '3.00', ...usd, period: '2026-01' }),
  ],
  [
    '2026-02-06T10:00:00.000Z',
    { type: 'BankAccountUnfrozenDomainEventV1', data: { reason: 'lifted' } } as BankAccountEvent,
  ],
  ['2026-02-07T10:00:00.000Z', released('15.00', { hold_id: second })],
  ['2026-02-08T09:00:00.000Z', booksClosed],
  ['2026-02-08T10:00:00.000Z', closed],
];
