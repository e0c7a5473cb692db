/** The demo's own books: it knows every balance before the bank says it, and so which withdrawal must be refused. */
import { toDecimal } from '../../domain/money.ts';

/** An account as `POST /accounts` wants it, without its owner. */
export interface AccountPlan {
  readonly account_type: 'CHECKING' | 'SAVINGS';
  readonly currency: string;
  readonly overdraft_limit: string;
  readonly initial_balance: string;
}

/** One thing that happens on one account. `account` is the place in the customer's list of accounts. */
export type Step =
  | {
      readonly kind: 'deposit' | 'withdrawal' | 'interest';
      readonly account: number;
      readonly amount: string;
      readonly description: string;
      /** What the bank must answer: the new balance, or that there is too little money. */
      readonly expect: { readonly balance: string } | 'insufficient_funds';
    }
  | { readonly kind: 'overdraft'; readonly account: number; readonly limit: string }
  | { readonly kind: 'close'; readonly account: number; readonly reason: string };

interface Book {
  readonly plan: AccountPlan;
  balance: number;
  limit: number;
}

/** Opens accounts and notes steps for one customer. All amounts are minor units of the one currency. */
export class Ledger {
  readonly steps: Step[] = [];
  readonly #books: Book[] = [];
  readonly #currency: string;

  constructor(currency: string) {
    this.#currency = currency;
  }

  get accounts(): readonly AccountPlan[] {
    return this.#books.map(({ plan }) => plan);
  }

  /** Opens an account and gives its place in the list. */
  open(account_type: AccountPlan['account_type'], balance: number, limit: number): number {
    const plan = {
      account_type,
      currency: this.#currency,
      overdraft_limit: this.#decimal(limit),
      initial_balance: this.#decimal(balance),
    };
    return this.#books.push({ plan, balance, limit }) - 1;
  }

  balance(account: number): number {
    return this.#book(account).balance;
  }

  available(account: number): number {
    const { balance, limit } = this.#book(account);
    return balance + limit;
  }

  credit(kind: 'deposit' | 'interest', account: number, amount: number, description: string): void {
    if (amount > 0) this.#post(kind, account, amount, amount, description);
  }

  /** Takes money out; gives whether there is enough. */
  withdraw(account: number, amount: number, description: string): boolean {
    if (amount <= this.available(account)) {
      this.#post('withdrawal', account, amount, -amount, description);
      return true;
    }
    const text = this.#decimal(amount);
    this.steps.push({ kind: 'withdrawal', account, amount: text, description, expect: 'insufficient_funds' });
    return false;
  }

  changeLimit(account: number, limit: number): void {
    this.#book(account).limit = limit;
    this.steps.push({ kind: 'overdraft', account, limit: this.#decimal(limit) });
  }

  close(account: number, reason: string): void {
    this.steps.push({ kind: 'close', account, reason });
  }

  #post(
    kind: 'deposit' | 'withdrawal' | 'interest',
    account: number,
    amount: number,
    change: number,
    description: string,
  ) {
    const book = this.#book(account);
    book.balance += change;
    const expect = { balance: this.#decimal(book.balance) };
    this.steps.push({ kind, account, amount: this.#decimal(amount), description, expect });
  }

  #decimal(minor: number): string {
    return toDecimal(BigInt(minor), this.#currency);
  }

  #book(account: number): Book {
    const book = this.#books[account];
    if (!book) throw new RangeError(`there is no account ${account}`);
    return book;
  }
}
