/** The whole bank as plain data: what a clerk with a notebook would know. It imports nothing of the program. */
import type { ModelAccrual, ModelTerms } from './model-interest.ts';
import type { Currency } from './model-money.ts';

/** A command as it was sent. */
export interface Asked {
  /** Name of the message. */
  readonly message: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The client's Idempotency-Key. */
  readonly key?: string;
  /** The revision that the client saw. */
  readonly ifMatch?: number;
  /** Where the driver of the transfer dies. */
  readonly dieAt?: string;
}

/** What the bank answered. */
export type Told =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly rejection: { readonly code: string; readonly field?: string } };

/** What was done under a name: a key, or an external reference. */
export interface DoneBefore {
  readonly content: string;
  readonly told: Extract<Told, { ok: true }>['value'];
}

export interface ModelHold {
  readonly minor: bigint;
  readonly description: string;
  readonly expiresAt: string | null;
  readonly placedOn: string;
}

export interface ModelAccount {
  readonly id: string;
  /** Nothing where it is the bank itself. */
  readonly owner: string | undefined;
  readonly type: string;
  readonly currency: Currency;
  revision: number;
  balance: bigint;
  overdraft: bigint;
  frozen: 'DEBITS' | 'CREDITS' | 'ALL' | null;
  closed: boolean;
  once: bigint | null;
  daily: bigint | null;
  /** What customers took out or set aside on the newest day on which they did. */
  debited: { day: string; minor: bigint };
  /** Open holds; one whose time is over stays until something else happens on the account. */
  readonly holds: Map<string, ModelHold>;
  readonly endedHolds: Set<string>;
  /** How much of a posting was reversed, by its id. */
  readonly reversed: Map<string, bigint>;
  terms: ModelTerms | null;
  accrual: ModelAccrual | null;
  readonly done: Map<string, DoneBefore>;
}

/** A posting as the log shows it; commands refer to it. */
export interface ModelPosting {
  readonly id: string;
  readonly accountId: string;
  readonly type: string;
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly minor: bigint;
  readonly at: string;
  /** The transfer that it is a leg of. */
  readonly transferId?: string | undefined;
}

/** A completed transfer, as one that takes it back knows it. */
export interface ModelReversed {
  readonly id: string;
  readonly minor: bigint;
  /** Its two postings. */
  readonly debitId: string;
  readonly creditId: string;
  readonly completedAt: string;
}

export type Leg = 'DEBIT' | 'CREDIT' | 'REFUND' | 'SUSPENSE';

export interface ModelTransfer {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly minor: bigint;
  readonly currency: Currency;
  readonly description: string;
  readonly content: string;
  /** REQUESTED, DEBITED, COMPLETED… */
  status: string;
  revision: number;
  readonly completedAt?: string;
  /** Of a reversal: what it takes back. */
  readonly reverses?: ModelReversed;
  /** Ids of reversals that have given money back, and how much. */
  readonly reversals: ReadonlyMap<string, bigint>;
  /** Legs that an account has settled, and the code of those that it refused. */
  readonly legs: Map<Leg, { readonly code?: string }>;
}

export interface ModelBank {
  /** RFC 3339 UTC. */
  now: string;
  /** Whether another node writes too, so that this one's memory may be behind. */
  readonly severalNodes: boolean;
  readonly persons: Map<string, DoneBefore>;
  readonly accounts: Map<string, ModelAccount>;
  readonly transfers: Map<string, ModelTransfer>;
  readonly postings: Map<string, ModelPosting>;
  /** What a key has created, by kind and key. */
  readonly created: Map<string, string>;
  /** The ids of the bank's own accounts, for money that nobody could take. */
  readonly suspense: Readonly<Record<Currency, string>>;
}

export function newModelBank(now: string, severalNodes: boolean, suspense: ModelBank['suspense']): ModelBank {
  return {
    now,
    severalNodes,
    persons: new Map(),
    accounts: new Map(),
    transfers: new Map(),
    postings: new Map(),
    created: new Map(),
    suspense,
  };
}

export function newModelAccount(
  facts: Pick<ModelAccount, 'id' | 'owner' | 'type' | 'currency' | 'overdraft'>,
): ModelAccount {
  return {
    ...facts,
    revision: 0,
    balance: 0n,
    frozen: null,
    closed: false,
    once: null,
    daily: null,
    debited: { day: '', minor: 0n },
    holds: new Map(),
    endedHolds: new Set(),
    reversed: new Map(),
    terms: null,
    accrual: null,
    done: new Map(),
  };
}

/** An account that may be changed while somebody else still looks at the one before. */
export function copyAccount({ done, ...rest }: ModelAccount): ModelAccount {
  return { ...structuredClone(rest), done: new Map(done) };
}

/** A bank that may be changed while somebody else still looks at the one before: what is in the maps is never changed. */
export function copyBank(bank: ModelBank): ModelBank {
  return {
    ...bank,
    persons: new Map(bank.persons),
    accounts: new Map(bank.accounts),
    transfers: new Map(bank.transfers),
    created: new Map(bank.created),
  };
}

export function heldOn({ holds }: ModelAccount): bigint {
  return [...holds.values()].reduce((total, { minor }) => total + minor, 0n);
}

export function availableOn(account: ModelAccount): bigint {
  return account.balance - heldOn(account) + account.overdraft;
}

export function accountStreamOf(id: string): string {
  return `bank-account-${id.replaceAll('-', '')}`;
}

export function transferStreamOf(id: string): string {
  return `transfer-${id.replaceAll('-', '')}`;
}

export function personStreamOf(id: string): string {
  return `person-${id.replaceAll('-', '')}`;
}
