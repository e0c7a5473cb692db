/** Events as earlier versions of the program wrote them: they have none of the later fields, and stay readable. */
import { expect, it } from 'vitest';
import { createBankCodec } from '../../../src/application/bank-codec.ts';
import {
  availableBalance,
  type BankAccount,
  evolveBankAccount,
  type TransactionRecorded,
  withdraw,
} from '../../../src/domain/bank-account.ts';
import type { RecordedEvent } from '../../../src/event-sourcing/event-store.ts';
import { accounts } from '../../../src/projections/accounts.ts';
import { transactions } from '../../../src/projections/transactions.ts';

const POSTING = {
  transaction_id: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a03',
  type: 'DEPOSIT',
  amount: '25.00',
  currency: 'USD',
  direction: 'CREDIT',
  to_account_id: '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02',
  description: 'Initial deposit',
  balance: '25.00',
};
const STORED = [
  ['BankAccountCreatedDomainEventV1', { owner_id: 'p-1', overdraft_limit: '10' }],
  ['BankAccountTransactionRecordedDomainEventV1', POSTING],
  ['BankAccountOverdraftLimitChangedDomainEventV1', { old_limit: '10.00', new_limit: '5.00' }],
].map(
  ([type, data], revision) =>
    ({
      id: `e-${revision}`,
      type,
      data,
      stream: 'bank-account-1',
      revision,
      position: BigInt(revision + 1),
      recordedAt: '2025-03-04T05:06:07.000Z',
      metadata: { aggregate_id: 'a-1', timestamp: '2025-03-04T05:06:07.000Z' },
    }) as unknown as RecordedEvent,
);
const codec = createBankCodec('USD');
const events = STORED.map((event) => codec.decode(event)) as never as Parameters<typeof accounts.fold>[1][];

it('an account goes on from them', () => {
  const state = events.reduce<BankAccount | undefined>(
    (folded, event) => evolveBankAccount(folded, event, event.metadata.timestamp),
    undefined,
  ) as BankAccount;
  expect([state.status, state.held, availableBalance(state)]).toEqual(['ACTIVE', 0n, 3000n]);
  const posting = { account_id: 'a-1', transaction_id: 't-2', amount: '30.00', description: 'Rent' };
  expect(withdraw(state, posting, '2026-01-01T00:00:00.000Z').ok).toBe(true);
});

it('read models show them without the later fields', () => {
  const lookup = { get: () => undefined };
  const document = events.reduce<Parameters<typeof accounts.fold>[0]>(
    (folded, event) => accounts.fold(folded, event, lookup, 'a-1'),
    undefined,
  );
  expect(document).toMatchObject({
    balance: '25.00',
    held: '0.00',
    available_balance: '30.00',
    frozen: null,
    daily_limit: null,
    credit_rate: null,
  });
  const posting = transactions.fold(undefined, events[1] as never, lookup, POSTING.transaction_id);
  expect(posting).toEqual({
    account_id: 'a-1',
    ...(POSTING as TransactionRecorded['data']),
    recorded_at: '2025-03-04T05:06:07.000Z',
    revision: 1,
  });
});
