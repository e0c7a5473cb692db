/** What a decision needs to know of an account, folded from its events. */
import { toMinor } from '../money.ts';
import type {
  AccountStatus,
  AccountType,
  BankAccountCreated,
  BankAccountEvent,
  FreezeScope,
  HoldPlaced,
  TransactionRecorded,
} from './events.ts';

/** Amounts are minor units of `currency`. */
export interface BankAccount {
  readonly owner_id: string;
  readonly account_type: AccountType;
  readonly currency: string;
  readonly status: AccountStatus;
  /** Null unless SUSPENDED. */
  readonly frozen: FreezeScope | null;
  readonly balance: bigint;
  readonly overdraft_limit: bigint;
  /** The sum of the open holds. */
  readonly held: bigint;
  /** By hold id; one that was captured or released is gone. */
  readonly holds: Readonly<Record<string, OpenHold>>;
}

export interface OpenHold {
  readonly amount: bigint;
  readonly description: string;
  readonly expires_at?: string;
}

/**
 * Folds one event into the state; `undefined` is an account that does not exist yet.
 * @throws Error when a stream does not start with its one creation or mixes currencies, which means corrupt data.
 */
export function evolveBankAccount(state: BankAccount | undefined, event: BankAccountEvent): BankAccount {
  if (event.type === 'BankAccountCreatedDomainEventV2') {
    if (state) throw new Error('the account was created twice');
    return created(event.data);
  }
  if (!state) throw new Error(`${event.type} came before the account was created`);
  if ('currency' in event.data && event.data.currency !== state.currency)
    throw new Error(`${event.data.currency} in a ${state.currency} account`);
  switch (event.type) {
    case 'BankAccountTransactionRecordedDomainEventV1':
      return { ...state, balance: state.balance + signedAmount(event.data) };
    case 'BankAccountOverdraftLimitChangedDomainEventV1':
      return { ...state, overdraft_limit: toMinor(event.data.new_limit, state.currency) };
    case 'BankAccountHoldPlacedDomainEventV1':
      return withHold(state, event.data);
    case 'BankAccountHoldCapturedDomainEventV1':
    case 'BankAccountHoldReleasedDomainEventV1':
      return withoutHold(state, event.data.hold_id);
    case 'BankAccountFrozenDomainEventV1':
      return { ...state, status: 'SUSPENDED', frozen: event.data.scope };
    case 'BankAccountUnfrozenDomainEventV1':
      return { ...state, status: 'ACTIVE', frozen: null };
    case 'BankAccountClosedDomainEventV1':
      return { ...state, status: 'CLOSED' };
  }
}

function created(data: BankAccountCreated['data']): BankAccount {
  return {
    owner_id: data.owner_id,
    account_type: data.account_type,
    currency: data.currency,
    status: 'ACTIVE',
    frozen: null,
    balance: 0n,
    overdraft_limit: toMinor(data.overdraft_limit, data.currency),
    held: 0n,
    holds: {},
  };
}

function withHold(state: BankAccount, data: HoldPlaced['data']): BankAccount {
  const { hold_id, description, expires_at } = data;
  const amount = toMinor(data.amount, data.currency);
  const hold = { amount, description, ...(expires_at === undefined ? {} : { expires_at }) };
  return { ...state, held: state.held + amount, holds: { ...state.holds, [hold_id]: hold } };
}

function withoutHold(state: BankAccount, holdId: string): BankAccount {
  const { [holdId]: ended, ...holds } = state.holds;
  if (!ended) throw new Error(`hold ${holdId} was ended, but is not open`);
  return { ...state, held: state.held - ended.amount, holds };
}

/** What a posting adds to the balance, in minor units: negative for a debit. */
export function signedAmount(data: TransactionRecorded['data']): bigint {
  const amount = toMinor(data.amount, data.currency);
  return data.direction === 'CREDIT' ? amount : -amount;
}

/** What may still be taken out, in minor units: balance and overdraft together, less what is held. */
export function availableBalance(state: Pick<BankAccount, 'balance' | 'held' | 'overdraft_limit'>): bigint {
  return state.balance - state.held + state.overdraft_limit;
}
