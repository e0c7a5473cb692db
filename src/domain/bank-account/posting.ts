/** One movement of money on one account, as it is asked for and as an event records it. */
import { toDecimal } from '../money.ts';
import type { Direction, TransactionRecorded, TransactionType } from './events.ts';
import type { BankAccount } from './state.ts';

/** `amount` is the client's decimal text. */
export interface Posting {
  readonly account_id: string;
  readonly transaction_id: string;
  readonly amount: string;
  readonly description: string;
  readonly external_reference?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

type Links = Pick<
  TransactionRecorded['data'],
  | 'from_account_id'
  | 'to_account_id'
  | 'transfer_id'
  | 'hold_id'
  | 'reverses_transaction_id'
  | 'restores_transaction_id'
  | 'period'
>;

/** What a decision has made of it; `minor` is the amount in minor units. */
interface Movement extends Partial<Links> {
  readonly type: TransactionType;
  readonly direction: Direction;
  readonly minor: bigint;
}

/** The event of a posting that was accepted. */
export function transaction(
  state: Pick<BankAccount, 'balance' | 'currency'>,
  posting: Omit<Posting, 'amount'>,
  { type, direction, minor, ...links }: Movement,
): TransactionRecorded {
  const { currency } = state;
  const { external_reference, metadata } = posting;
  const balance = direction === 'CREDIT' ? state.balance + minor : state.balance - minor;
  return {
    type: 'BankAccountTransactionRecordedDomainEventV1',
    data: {
      transaction_id: posting.transaction_id,
      type,
      amount: toDecimal(minor, currency),
      currency,
      direction,
      ...(direction === 'CREDIT'
        ? { to_account_id: posting.account_id }
        : { from_account_id: posting.account_id }),
      ...links,
      description: posting.description,
      ...(external_reference === undefined ? {} : { external_reference }),
      ...(metadata === undefined ? {} : { metadata }),
      balance: toDecimal(balance, currency),
    },
  };
}
