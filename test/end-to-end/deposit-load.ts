/** Many clients that deposit without a pause, and remember exactly what they were told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BankClient } from '../support/bank-client.ts';

export interface Acknowledged {
  readonly transaction_id: string;
  readonly account_id: string;
  /** Minor units. */
  readonly cents: bigint;
}

/** How long a client that goes on after a failure waits, in milliseconds. */
const PATIENCE_MS = 50;

export class DepositLoad {
  /** Deposits that were answered with 201. */
  readonly acknowledged: Acknowledged[] = [];
  /** Requests that were sent, answered or not. */
  sent = 0;
  readonly #client: BankClient;
  readonly #accounts: readonly string[];
  readonly #goesOn: boolean;
  readonly #connections: Promise<void>[];
  #stopping = false;

  /**
   * @param random decides on accounts and amounts
   * @param goesOn whether a client tries another deposit after one that failed, or leaves
   */
  constructor(
    client: BankClient,
    accounts: readonly string[],
    connections: number,
    random: () => number,
    goesOn = false,
  ) {
    this.#client = client;
    this.#accounts = accounts;
    this.#goesOn = goesOn;
    this.#connections = Array.from({ length: connections }, () => this.#depositAway(random));
  }

  /** Resolves when every client has seen its last answer, or that there will be none. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#connections);
  }

  async #depositAway(random: () => number): Promise<void> {
    while (!this.#stopping) {
      const account_id = String(this.#accounts[Math.floor(random() * this.#accounts.length)]);
      const cents = 1n + BigInt(Math.floor(random() * 100_000));
      try {
        await this.#deposit(account_id, cents);
      } catch {
        // A broken connection says nothing about the deposit: it counts as never acknowledged.
        if (!this.#goesOn) return;
        await sleep(PATIENCE_MS);
      }
    }
  }

  async #deposit(account_id: string, cents: bigint): Promise<void> {
    this.sent += 1;
    const amount = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
    const body = { account_id, amount, description: 'Load' };
    const response = await this.#client.fetch('POST', '/api/v1/transactions/deposit', { body });
    if (response.status !== 201) throw new Error(`deposit answered ${response.status}`);
    // The answer's head alone is an acknowledgement; only its body says which transaction it was.
    const { transaction_id } = (await response.json()) as { transaction_id: string };
    this.acknowledged.push({ transaction_id, account_id, cents });
  }
}
