/** Many customers at once, who go on until they are told to stop. */
import type { LedgerProof } from '../model/ledger-proof.ts';
import { type Alive, askAgain, Customer, type Favourite, type Outcome } from './customers.ts';
import type { Accounts } from './orders.ts';

/** Answers that are asked for once more, beside those that were lost. */
const ASKED_AGAIN = 500;

export class Crowd {
  /** What they ask for most, from now on. */
  favourite: Favourite = 'anything';
  readonly #bank: Alive;
  readonly #customers: readonly Customer[];
  readonly #busy: Promise<unknown>[];
  readonly #failed = Promise.withResolvers<never>();
  #stopping = false;

  constructor(bank: Alive, accounts: Accounts, owner: string, size: number, seed: number) {
    this.#bank = bank;
    this.#customers = Array.from(
      { length: size },
      (_, index) => new Customer(bank, accounts, owner, `${seed}-${index}`, seed + index),
    );
    // Whoever looks at it hears of it; nobody has to.
    this.#failed.promise.catch(() => undefined);
    this.#busy = this.#customers.map((customer) => this.#keepBusy(customer));
  }

  get answered(): number {
    return this.#customers.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
  }

  get outcomes(): Outcome[] {
    return this.#customers.flatMap(({ outcomes }) => outcomes);
  }

  /** Asks once more for everything whose answer was lost at first, and for some of the rest. */
  async askAgain(): Promise<void> {
    const acknowledged = this.outcomes.filter((outcome) => outcome.kind === 'acknowledged');
    const every = Math.ceil(acknowledged.length / ASKED_AGAIN);
    for (const [index, one] of acknowledged.entries()) {
      if (one.lost > 0 || index % every === 0) await askAgain(this.#bank, one);
    }
  }

  /** @throws what `work` does, or before that what a customer met that the API does not promise */
  during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#failed.promise, work]);
  }

  /** Resolves when every one has its last answer. @throws as `during` */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.during(Promise.all(this.#busy));
  }

  async #keepBusy(customer: Customer): Promise<void> {
    try {
      while (!this.#stopping) await customer.ask(this.favourite);
    } catch (error) {
      this.#failed.reject(error);
    }
  }
}

/** What happened, in one line. */
export function summary(outcomes: readonly Outcome[], { events }: LedgerProof): string {
  const count = (kind: Outcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind).length;
  const lost = outcomes.filter((outcome) => outcome.kind === 'acknowledged' && outcome.lost > 0).length;
  return (
    `${events} events; of ${outcomes.length} orders ${count('acknowledged')} were acknowledged ` +
    `(${lost} after a lost answer), ${count('refused')} refused, ${count('given_up')} given up.`
  );
}
