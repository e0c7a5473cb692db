/** What customers ask for, at random: every kind of command, on hot accounts and on others, in several currencies. */
import type { BankClient, CallOptions, OperationId } from '../support/bank-client.ts';
import { openAccount } from '../support/customers.ts';
import { decimalText } from './amounts.ts';

/** Decimals of the currencies in use (ISO 4217). */
export const DECIMALS = { USD: 2, EUR: 2, JPY: 0, KWD: 3 } as const;
export type Currency = keyof typeof DECIMALS;
/** Most orders are in dollars. */
const USUAL: readonly Currency[] = ['USD', 'USD', 'USD', 'EUR', 'JPY', 'KWD'];

export interface KnownAccount {
  readonly id: string;
  readonly currency: Currency;
}

/** One request of a customer. Its key is its description too, so that the log shows what came of it. */
export interface Order {
  readonly operation: OperationId;
  readonly key: string;
  readonly options: CallOptions;
}

/** Accounts of one currency; half of all orders go to the first. */
export type Accounts = Readonly<Record<Currency, readonly KnownAccount[]>>;

/** With the first of each currency, which is the hot one. */
const ACCOUNTS_OF_EACH = 6;

/** Opens the accounts that all customers share; some may be overdrawn. */
export async function openAccounts(client: BankClient, owner_id: string): Promise<Accounts> {
  const open = async (currency: Currency) => {
    const accounts: KnownAccount[] = [];
    for (let number = 0; number < ACCOUNTS_OF_EACH; number += 1) {
      const overdraft_limit = number % 2 === 0 ? '100' : '0';
      const id = await openAccount(client, { owner_id, currency, overdraft_limit, initial_balance: '500' });
      accounts.push({ id, currency });
    }
    return accounts;
  };
  return { USD: await open('USD'), EUR: await open('EUR'), JPY: await open('JPY'), KWD: await open('KWD') };
}

export interface OpenHold {
  readonly account_id: string;
  readonly hold_id: string;
}

export class OrderBook {
  readonly #accounts: Accounts;
  readonly #random: () => number;

  constructor(accounts: Accounts, random: () => number) {
    this.#accounts = accounts;
    this.#random = random;
  }

  posting(operation: 'deposit' | 'withdrawal' | 'interest', key: string): Order {
    const { id, currency } = this.#account(this.#currency());
    return this.#order(operation, key, { account_id: id, amount: this.#amount(currency), description: key });
  }

  transfer(key: string): Order {
    const currency = this.#currency();
    const from = this.#account(currency);
    const others = this.#accounts[currency].filter(({ id }) => id !== from.id);
    return this.transferBetween(from, pick(others, this.#random), key, this.#amount(currency));
  }

  transferBetween(from: KnownAccount, to: KnownAccount, key: string, amount: string): Order {
    const accounts = { from_account_id: from.id, to_account_id: to.id };
    return this.#order('transfer', key, { ...accounts, amount, description: key });
  }

  hold(key: string): Order {
    const { id, currency } = this.#account(this.#currency());
    // Some are over before anybody comes back to them.
    const expires = this.#random() < 0.3 ? { expires_at: soon(this.#random) } : {};
    return this.#order(
      'placeHold',
      key,
      { amount: this.#amount(currency), description: key, ...expires },
      { id },
    );
  }

  capture({ account_id, hold_id }: OpenHold, key: string): Order {
    return this.#order('captureHold', key, { description: key }, { id: account_id, hold_id });
  }

  release({ account_id, hold_id }: OpenHold, key: string): Order {
    return this.#order('releaseHold', key, undefined, { id: account_id, hold_id });
  }

  /** @param token that of the posting, so that the answer knows it */
  reversal(transaction_id: string, token: string, key: string): Order {
    const order = this.#order('reverseTransaction', key, { reason: key }, { id: transaction_id });
    return { ...order, options: { ...order.options, token } };
  }

  opening(owner_id: string, currency: Currency, initial_balance: string, key: string): Order {
    return this.#order('createAccount', key, { owner_id, currency, initial_balance });
  }

  #order(
    operation: OperationId,
    key: string,
    body?: object,
    params?: Readonly<Record<string, string>>,
  ): Order {
    const headers = { 'idempotency-key': key };
    return {
      operation,
      key,
      options: { headers, ...(body ? { body } : {}), ...(params ? { params } : {}) },
    };
  }

  #currency(): Currency {
    return pick(USUAL, this.#random);
  }

  #account(currency: Currency): KnownAccount {
    const [hot, ...others] = this.#accounts[currency];
    return hot && this.#random() < 0.5 ? hot : pick(others, this.#random);
  }

  /** Often more than there is, so that some are refused. */
  #amount(currency: Currency): string {
    return decimalText(1n + BigInt(Math.floor(this.#random() ** 3 * 50_000)), DECIMALS[currency]);
  }
}

/** Of those that expire at all in a test. */
export const HOLDS_EXPIRE_WITHIN_MS = 2_200;
const HOLDS_LAST_MS = 200;

function soon(random: () => number): string {
  const lasts = HOLDS_LAST_MS + random() * (HOLDS_EXPIRE_WITHIN_MS - HOLDS_LAST_MS);
  return new Date(Date.now() + Math.floor(lasts)).toISOString();
}

export function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}
