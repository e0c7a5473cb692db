/** Customers of a bank that dies: each asks for one thing after the other, with a key, until it gets an answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Answer, BankClient, Refusal } from '../support/bank-client.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { type Accounts, type KnownAccount, type OpenHold, type Order, OrderBook, pick } from './orders.ts';

/** What became of an order. Nobody knows of one that was given up after its answer was lost. */
export type Outcome =
  | { readonly kind: 'acknowledged'; readonly order: Order; readonly lost: number; readonly answer: Done }
  | { readonly kind: 'refused'; readonly order: Order; readonly code: string }
  | { readonly kind: 'given_up'; readonly order: Order };

type Done = Answer<Record<string, unknown>>;
export type Acknowledged = Extract<Outcome, { kind: 'acknowledged' }>;

/** Whoever answers just now. */
export interface Alive {
  alive(): Promise<BankClient>;
}

/** What customers ask for most. */
export type Favourite = 'anything' | 'refunds' | 'suspense' | 'transfers' | 'returns' | 'deposits';

const TRIES_MAX = 1_000;
const BEFORE_RETRY_MS = 10;
/** Things of its own that a customer remembers, to come back to them. */
const REMEMBERED_MAX = 20;
/** Share of lost transfers that nobody asks for again. */
const GIVEN_UP = 0.3;
/** Share of answered orders that are sent once more at once. */
const DOUBTED = 0.05;
/** Deposits that a customer sends at once when it is about load. */
const BURST = 8;

export class Customer {
  readonly outcomes: Outcome[] = [];
  readonly #bank: Alive;
  readonly #book: OrderBook;
  readonly #owner: string;
  readonly #random: () => number;
  readonly #name: string;
  readonly #holds: OpenHold[] = [];
  readonly #postings: { readonly id: string; readonly token: string }[] = [];
  readonly #transfers: Done[] = [];
  #orders = 0;

  /** @param name one that no other customer has: keys begin with it */
  constructor(bank: Alive, accounts: Accounts, owner: string, name: string, seed: number) {
    this.#bank = bank;
    this.#random = randomNumbers(seed);
    this.#book = new OrderBook(accounts, this.#random);
    this.#owner = owner;
    this.#name = name;
  }

  /** One more thing, whatever comes to mind. @throws Error when an answer is not what the API promises */
  async ask(favourite: Favourite): Promise<void> {
    const chance = this.#random();
    if (favourite === 'deposits') {
      await Promise.all(
        Array.from({ length: BURST }, () => this.#place(this.#book.posting('deposit', this.#key()))),
      );
    } else if (favourite !== 'anything' && chance < 0.5) await this.#favour(favourite);
    else if (chance < 0.03) await this.#transferToFrozen('frozen');
    else if (chance < 0.06) await this.#transferToFrozen('closed');
    else await this.#anything();
  }

  #favour(favourite: Favourite): Promise<unknown> {
    if (favourite === 'transfers') return this.#transfer(this.#key());
    if (favourite === 'returns') return this.#return();
    return this.#transferToFrozen(favourite === 'refunds' ? 'frozen' : 'closed');
  }

  async #anything(): Promise<void> {
    const key = this.#key();
    const chance = this.#random();
    if (chance < 0.25) await this.#posting(this.#book.posting('deposit', key));
    else if (chance < 0.4) await this.#posting(this.#book.posting('withdrawal', key));
    else if (chance < 0.45) await this.#posting(this.#book.posting('interest', key));
    else if (chance < 0.65) await this.#transfer(key);
    else if (chance < 0.7) await this.#return();
    else if (chance < 0.8) await this.#hold(key);
    else if (chance < 0.9) await this.#endHold(key);
    else await this.#reverse(key);
  }

  async #posting(order: Order): Promise<void> {
    const done = await this.#place(order);
    if (!done) return;
    this.#postings.push({ id: String(done.body.transaction_id), token: done.token });
    if (this.#postings.length > REMEMBERED_MAX) this.#postings.shift();
  }

  async #transfer(key: string): Promise<Done | undefined> {
    const done = await this.#place(this.#book.transfer(key));
    if (done?.body.status === 'COMPLETED') this.#transfers.push(done);
    if (this.#transfers.length > REMEMBERED_MAX) this.#transfers.shift();
    return done;
  }

  /** A transfer is taken back, which either of its legs may name. */
  async #return(): Promise<void> {
    const done = this.#transfers.shift() ?? (await this.#transfer(this.#key()));
    const steps = (done?.body.steps ?? []) as { readonly transaction_id?: string }[];
    const legs = steps.flatMap(({ transaction_id }) => transaction_id ?? []);
    if (!done || legs.length === 0) return;
    await this.#place(this.#book.reversal(pick(legs, this.#random), done.token, this.#key()));
  }

  async #hold(key: string): Promise<void> {
    const done = await this.#place(this.#book.hold(key));
    if (!done) return;
    this.#holds.push({ account_id: String(done.body.account_id), hold_id: String(done.body.id) });
    if (this.#holds.length > REMEMBERED_MAX) this.#holds.shift();
  }

  async #endHold(key: string): Promise<void> {
    if (this.#holds.length === 0) return;
    const hold = pick(this.#holds, this.#random);
    await this.#place(this.#random() < 0.5 ? this.#book.capture(hold, key) : this.#book.release(hold, key));
  }

  async #reverse(key: string): Promise<void> {
    if (this.#postings.length === 0) return;
    const { id, token } = pick(this.#postings, this.#random);
    await this.#place(this.#book.reversal(id, token, key));
  }

  /** All that a new account holds goes to another new one, which is frozen meanwhile if the service plays along. */
  async #transferToFrozen(meanwhile: 'frozen' | 'closed'): Promise<void> {
    const from = await this.#place(this.#book.opening(this.#owner, 'EUR', '12.34', this.#key()));
    const to = await this.#place(this.#book.opening(this.#owner, 'EUR', '0.00', this.#key()));
    if (!from || !to) return;
    const [source, target] = [from, to].map(
      ({ body }): KnownAccount => ({ id: String(body.id), currency: 'EUR' }),
    );
    if (!source || !target) return;
    await this.#place(this.#book.transferBetween(source, target, `${this.#key()}:${meanwhile}`, '12.34'));
  }

  #key(): string {
    this.#orders += 1;
    return `${this.#name}-${this.#orders}`;
  }

  /** Sends an order until it is answered, or given up. */
  async #place(order: Order): Promise<Done | undefined> {
    const outcome = await this.#untilAnswered(order);
    this.outcomes.push(outcome);
    if (outcome.kind !== 'acknowledged') return undefined;
    if (this.#random() < DOUBTED) await askAgain(this.#bank, outcome);
    return outcome.answer;
  }

  async #untilAnswered(order: Order): Promise<Outcome> {
    const givesUp = order.operation === 'transfer' && this.#random() < GIVEN_UP;
    const { answer, lost } = await send(this.#bank, order, givesUp);
    if (!answer) return { kind: 'given_up', order };
    if (answer.ok) return { kind: 'acknowledged', order, lost, answer: answer as Done };
    return { kind: 'refused', order, code: answer.problem.code };
  }
}

/** Asks once more for what was done: it must be the first answer, and say that it is. */
export async function askAgain(bank: Alive, { order, answer: first }: Acknowledged): Promise<void> {
  const { answer } = await send(bank, order, false);
  expect(answer?.ok ? answer.body : answer?.problem, `${order.key} asked for again`).toEqual(first.body);
  expect(answer?.headers.get('idempotent-replayed'), `${order.key} asked for again`).toBe('true');
}

/** @returns the answer, and how many were lost before it; no answer when the first was lost and `givesUp` */
async function send(bank: Alive, order: Order, givesUp: boolean) {
  let lost = 0;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const answer = await tried(await bank.alive(), order);
    if (answer !== undefined && isFinal(answer)) return { answer, lost };
    if (answer === undefined) {
      lost += 1;
      if (givesUp) return { lost };
    }
    await sleep(BEFORE_RETRY_MS);
  }
  throw new Error(`${order.key} was never answered.`);
}

/** Nothing when the answer was lost. */
async function tried(client: BankClient, order: Order) {
  try {
    return await client.try(order.operation, order.options);
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}

/** The connection broke before the answer was complete, or nothing came for too long. */
function isLost(error: unknown): boolean {
  if (error instanceof DOMException) return error.name === 'TimeoutError';
  return error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message);
}

/** 503 says to try again, and so does 202: the transfer is on record, but has not ended. */
function isFinal({ status }: Answer<unknown> | Refusal): boolean {
  return status !== 503 && status !== 202;
}
