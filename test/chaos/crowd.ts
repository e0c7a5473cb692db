/** Many customers at once, who go on until they are told to stop. */
import { type Acknowledged, type Alive, Customer, type Favourite, type Outcome } from './customers.ts';
import type { Accounts } from './orders.ts';

export class Crowd {
  /** What they ask for most, from now on. */
  favourite: Favourite = 'anything';
  readonly #customers: readonly Customer[];
  readonly #busy: Promise<unknown>[];
  readonly #failed = Promise.withResolvers<never>();
  #stopping = false;

  constructor(bank: Alive, accounts: Accounts, owner: string, size: number, seed: number) {
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

  get acknowledged(): Acknowledged[] {
    return this.outcomes.filter((outcome) => outcome.kind === 'acknowledged');
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
