/** Decisions about the account itself: opening it, its overdraft limit, closing it. */
import { accept, type Decision, reject } from '../decision.ts';
import { parseNonNegativeAmount, toDecimal } from '../money.ts';
import type { AccountType, BankAccountCreated, BankAccountEvent } from './events.ts';
import { type Posting, transaction } from './posting.ts';
import { closedAlready, frozenFor } from './rules.ts';
import type { BankAccount } from './state.ts';

/** Owns the bank's own accounts; no person has this id. It stands in events, so it never changes. */
export const BANK_OWNER_ID = '9fb153fa-902f-85c0-ab97-69ef9a5e3ce8';

/** Whose money is on an account. */
export type AccountHolder = 'CUSTOMER' | 'BANK';

export function holderOf({ owner_id }: Pick<BankAccount, 'owner_id'>): AccountHolder {
  return owner_id === BANK_OWNER_ID ? 'BANK' : 'CUSTOMER';
}

export interface OpenAccount {
  readonly account_id: string;
  readonly owner_id: string;
  readonly account_type: AccountType;
  readonly currency: string;
  readonly overdraft_limit: string;
  readonly initial_balance: string;
  /** The id of the opening deposit; used only when `initial_balance` is above zero. */
  readonly transaction_id: string;
}

/**
 * Opens an account; an initial balance above zero becomes a deposit in the same append.
 * Rejects with `account_already_exists` or an amount's code (`amount_too_precise`, …).
 */
export function openAccount(
  state: BankAccount | undefined,
  command: OpenAccount,
): Decision<BankAccountEvent[]> {
  if (state) return reject('account_already_exists', 'This account exists already.');
  const { currency } = command;
  const limit = parseNonNegativeAmount(command.overdraft_limit, currency, 'overdraft_limit');
  if (!limit.ok) return limit;
  const opening = parseNonNegativeAmount(command.initial_balance, currency, 'initial_balance');
  if (!opening.ok) return opening;
  const creation: BankAccountCreated = {
    type: 'BankAccountCreatedDomainEventV2',
    data: {
      owner_id: command.owner_id,
      overdraft_limit: toDecimal(limit.value, currency),
      account_type: command.account_type,
      currency,
    },
  };
  if (opening.value === 0n) return accept([creation]);
  const posting: Posting = {
    account_id: command.account_id,
    transaction_id: command.transaction_id,
    amount: command.initial_balance,
    description: 'Initial balance',
  };
  return accept([
    creation,
    transaction({ balance: 0n, currency }, posting, {
      type: 'DEPOSIT',
      direction: 'CREDIT',
      minor: opening.value,
    }),
  ]);
}

/**
 * Sets how far the balance may go below zero. The limit that is in force already changes nothing.
 * Rejects with `account_closed`, `overdraft_in_use` or an amount's code.
 */
export function changeOverdraftLimit(state: BankAccount, limit: string): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  const parsed = parseNonNegativeAmount(limit, state.currency, 'overdraft_limit');
  if (!parsed.ok) return parsed;
  if (parsed.value === state.overdraft_limit) return accept([]);
  const used = state.held - state.balance;
  if (used > parsed.value) return overdraftInUse(state, used);
  const data = {
    old_limit: toDecimal(state.overdraft_limit, state.currency),
    new_limit: toDecimal(parsed.value, state.currency),
  };
  return accept([{ type: 'BankAccountOverdraftLimitChangedDomainEventV1', data }]);
}

function overdraftInUse({ currency, held }: BankAccount, minor: bigint) {
  const used = toDecimal(minor, currency);
  return reject('overdraft_in_use', `${used} ${currency} of the overdraft is used or held.`, {
    field: 'overdraft_limit',
    facts: { overdrawn: used, held: toDecimal(held, currency), currency },
  });
}

/**
 * Closes an account for good. Rejects with `account_closed`, `account_frozen` whatever the scope, `balance_not_zero` or
 * `holds_open`.
 */
export function closeAccount(state: BankAccount, reason: string): Decision<BankAccountEvent[]> {
  if (state.status === 'CLOSED') return closedAlready();
  if (state.frozen !== null) return frozenFor(state.frozen);
  const balance = toDecimal(state.balance, state.currency);
  if (state.balance !== 0n) {
    return reject(
      'balance_not_zero',
      `The balance is ${balance} ${state.currency}; it must be zero to close.`,
      {
        facts: { balance, currency: state.currency },
      },
    );
  }
  const holds = Object.keys(state.holds).length;
  if (holds > 0) {
    const held = toDecimal(state.held, state.currency);
    return reject('holds_open', `${held} ${state.currency} is held; release it or capture it to close.`, {
      facts: { holds, held, currency: state.currency },
    });
  }
  return accept([{ type: 'BankAccountClosedDomainEventV1', data: { reason, final_balance: balance } }]);
}
