/** Two accounts, a store that a test can break, and any number of drivers that know nothing of each other. */
import { randomUUID } from 'node:crypto';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { bankAccountType } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { suspenseAccountId } from '../../src/application/suspense.ts';
import { TransferLegs } from '../../src/application/transfer-legs.ts';
import {
  type TransferFailpoint,
  TransferProcess,
  transferType,
} from '../../src/application/transfer-process.ts';
import {
  type BankAccount,
  type BankAccountEvent,
  bankAccountStream,
  closeAccount,
  deposit,
  freezeAccount,
  openAccount,
  unfreezeAccount,
  withdraw,
} from '../../src/domain/bank-account.ts';
import type { BankEvent } from '../../src/domain/bank-event.ts';
import type { Decision, Rejection } from '../../src/domain/decision.ts';
import { requestTransfer, type Transfer } from '../../src/domain/transfer.ts';
import { requestReversal } from '../../src/domain/transfer-reversal.ts';
import type { DomainEvent, EventCodec } from '../../src/event-sourcing/codec.ts';
import type { EventStore } from '../../src/event-sourcing/event-store.ts';
import { type AggregateType, Repository } from '../../src/event-sourcing/repository.ts';
import { collect } from './event-builders.ts';
import { WatchedEventStore } from './watched-event-store.ts';

export const SOMEONE = { correlation_id: 'correlation', causation_id: 'causation' };

export class TransferBench {
  readonly store: WatchedEventStore;
  readonly from = randomUUID();
  readonly to = randomUUID();
  readonly suspense = suspenseAccountId('USD');
  readonly #codec = createBankCodec('USD');
  readonly #accounts: Repository<BankAccount, BankAccountEvent, Rejection>;

  /** @param store a test that needs more of it than this does keeps it */
  constructor(store: EventStore = openSqliteEventStore({ kind: 'memory' })) {
    this.store = new WatchedEventStore(store);
    this.#accounts = this.#repository(bankAccountType);
  }

  /** Opens both accounts, the first with that much in it. */
  async open(balance: string): Promise<void> {
    await this.#openAccount(this.from, balance);
    await this.#openAccount(this.to, '0');
  }

  /** A process of its own: it shares nothing with the others but the store. */
  driver(failpoint?: TransferFailpoint): TransferProcess {
    const legs = new TransferLegs({
      accounts: this.#repository(bankAccountType),
      events: this.store,
      codec: this.#codec,
    });
    return new TransferProcess(this.#repository(transferType), legs, failpoint);
  }

  /** Puts a request on record, and does no more. */
  async request(amount: string, id: string = randomUUID()): Promise<string> {
    const request = {
      from_account_id: this.from,
      to_account_id: this.to,
      amount,
      currency: 'USD',
      description: 'Rent',
    };
    const transfers = this.#repository(transferType);
    const outcome = await transfers.execute(id, (state) => requestTransfer(state, request), SOMEONE);
    if (!outcome.ok) throw new Error(outcome.rejection.code);
    return id;
  }

  /** Puts the request to take a transfer back on record, and does no more. */
  async requestReversal(transfer_id: string, amount: string, id: string = randomUUID()): Promise<string> {
    const transfer = await this.transfer(transfer_id);
    const request = { transfer_id, transfer, amount, reason: 'Goods returned' };
    const transfers = this.#repository(transferType);
    const outcome = await transfers.execute(id, (state) => requestReversal(state, request), SOMEONE);
    if (!outcome.ok) throw new Error(outcome.rejection.code);
    return id;
  }

  async transfer(id: string): Promise<Transfer> {
    const found = await this.#repository(transferType).load(id);
    if (!found) throw new Error(`there is no transfer ${id}`);
    return found.state;
  }

  /** Balances in minor units; the suspense account has none before it is needed. */
  async balances(): Promise<{ from: bigint; to: bigint; suspense: bigint }> {
    const balance = async (id: string) => (await this.#accounts.load(id))?.state.balance ?? 0n;
    return {
      from: await balance(this.from),
      to: await balance(this.to),
      suspense: await balance(this.suspense),
    };
  }

  /** What the accounts' streams say of a transfer. */
  async legs(transferId: string): Promise<BankAccountEvent[]> {
    const found: BankAccountEvent[] = [];
    for (const account of [this.from, this.to, this.suspense]) {
      for (const recorded of await collect(this.store.inner.readStream(bankAccountStream(account)))) {
        const event = this.#codec.decode(recorded) as BankAccountEvent;
        if ('transfer_id' in event.data && event.data.transfer_id === transferId) found.push(event);
      }
    }
    return found;
  }

  freeze(account: string, scope: 'CREDITS' | 'DEBITS' | 'ALL' = 'CREDITS') {
    return this.change(account, (state) => freezeAccount(state, scope, 'Court order'));
  }

  unfreeze(account: string) {
    return this.change(account, (state) => unfreezeAccount(state, 'It was lifted'));
  }

  close(account: string) {
    return this.change(account, (state) => closeAccount(state, 'Moved abroad'));
  }

  deposit(account_id: string, amount: string) {
    const posting = { account_id, amount, transaction_id: randomUUID(), description: 'Salary' };
    return this.change(account_id, (state) => deposit(state, posting));
  }

  /** Deposits that are each an operation of its own, which the account remembers. */
  async depositByOperations(account_id: string, amount: string, count: number): Promise<void> {
    const one = (_: unknown, number: number) => {
      const operation = { id: `operation ${number}`, contentHash: 'hash' };
      const posting = { account_id, amount, transaction_id: randomUUID(), description: 'Salary' };
      const decide = (state: BankAccount | undefined) => deposit(state as BankAccount, posting);
      return this.#accounts.execute(account_id, decide, { ...SOMEONE, operation });
    };
    await Promise.all(Array.from({ length: count }, one));
  }

  withdraw(account_id: string, amount: string) {
    const posting = { account_id, amount, transaction_id: randomUUID(), description: 'Rent' };
    return this.change(account_id, (state) => withdraw(state, posting, new Date().toISOString()));
  }

  async change(id: string, decide: (state: BankAccount) => Decision<BankAccountEvent[]>): Promise<void> {
    const outcome = await this.#accounts.execute(id, (state) => decide(state as BankAccount), SOMEONE);
    if (!outcome.ok) throw new Error(outcome.rejection.code);
  }

  async #openAccount(account_id: string, initial_balance: string): Promise<void> {
    const opening = {
      account_id,
      owner_id: randomUUID(),
      account_type: 'CHECKING',
      currency: 'USD',
      overdraft_limit: '0',
      initial_balance,
      transaction_id: randomUUID(),
    } as const;
    await this.#accounts.execute(account_id, (state) => openAccount(state, opening), SOMEONE);
  }

  #repository<S, E extends BankEvent>(type: AggregateType<S, E>) {
    return new Repository<S, E, Rejection>(type, this.#codec as EventCodec<DomainEvent> as EventCodec<E>, {
      store: this.store,
      newId: randomUUID,
      now: () => new Date(),
    });
  }
}
