/** What a decision needs to know of an account: its state, in minor units of its currency. */
import type { AccountStatus, AccountType, FreezeScope } from './events.ts';
import type { Accrual, Terms } from './interest.ts';

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
  readonly limits: DebitLimits;
  readonly debited: Debited;
  /** By the id of the posting that was undone; forgotten once it is too old to be reversed again. */
  readonly reversed: Readonly<Record<string, Reversed>>;
  /** Null until the account gets interest or a fee for the first time, and so is the accrual. */
  readonly terms: Terms | null;
  readonly accrual: Accrual | null;
}

/** In minor units; null is no limit. */
export interface DebitLimits {
  readonly transaction: bigint | null;
  readonly daily: bigint | null;
}

/** What customers took out, and what was set aside for it, on the newest day on which they did: `YYYY-MM-DD`, UTC. */
export interface Debited {
  readonly day: string;
  readonly amount: bigint;
}

/** How much of a posting was undone, and when that happened last. */
export interface Reversed {
  readonly amount: bigint;
  readonly at: string;
}

export interface OpenHold {
  readonly amount: bigint;
  readonly description: string;
  readonly expires_at?: string;
  /** UTC, `YYYY-MM-DD`. */
  readonly placed_on: string;
}
