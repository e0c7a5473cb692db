/** The real bank as the model meets it: one or two nodes over one store in memory, with a clock that the test turns. */
import pino from 'pino';
import type { Bank } from '../../src/application/bank.ts';
import { CaptureHold } from '../../src/application/commands/capture-hold.ts';
import { ChangeLimits } from '../../src/application/commands/change-limits.ts';
import { ChangeOverdraftLimit } from '../../src/application/commands/change-overdraft-limit.ts';
import { ChangeTerms } from '../../src/application/commands/change-terms.ts';
import { CloseBankAccount } from '../../src/application/commands/close-bank-account.ts';
import { CreateBankAccount } from '../../src/application/commands/create-bank-account.ts';
import { CreateDeposit } from '../../src/application/commands/create-deposit.ts';
import { CreateWithdrawal } from '../../src/application/commands/create-withdrawal.ts';
import { ExpireHolds } from '../../src/application/commands/expire-holds.ts';
import { FreezeAccount } from '../../src/application/commands/freeze-account.ts';
import { PlaceHold } from '../../src/application/commands/place-hold.ts';
import { PostBatch } from '../../src/application/commands/post-batch.ts';
import { PostInterest } from '../../src/application/commands/post-interest.ts';
import { PostInterestForPeriod } from '../../src/application/commands/post-interest-for-period.ts';
import { RegisterPerson } from '../../src/application/commands/register-person.ts';
import { ReleaseHold } from '../../src/application/commands/release-hold.ts';
import { RequestTransfer } from '../../src/application/commands/request-transfer.ts';
import { ReverseTransaction } from '../../src/application/commands/reverse-transaction.ts';
import { UnfreezeAccount } from '../../src/application/commands/unfreeze-account.ts';
import { createMediator } from '../../src/application/create-mediator.ts';
import type { Mediator, Message } from '../../src/application/mediator.ts';
import { operationArchive } from '../../src/application/operation-archive.ts';
import { pastAccounts } from '../../src/application/past-accounts.ts';
import { GetAccount } from '../../src/application/queries/accounts.ts';
import { GetHold } from '../../src/application/queries/holds.ts';
import { GetTransfer } from '../../src/application/queries/transfers.ts';
import { suspenseAccountId } from '../../src/application/suspense.ts';
import { composeWriteSide } from '../../src/composition/compose-transfers.ts';
import { composeWorker, prepareReadModels } from '../../src/composition/compose-worker.ts';
import {
  type OpenedEventStore,
  openEventStore,
  openReadModelStore,
} from '../../src/composition/open-stores.ts';
import { OperatorRequests } from '../../src/event-sourcing/operator-requests.ts';
import type { ReadModelStore } from '../../src/event-sourcing/read-model-store.ts';
import { ReadYourWrites } from '../../src/event-sourcing/read-your-writes.ts';
import { StoreError } from '../../src/event-sourcing/store-error.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { newId } from '../../src/new-id.ts';
import { projections } from '../../src/projections/index.ts';
import { runInThisThread, type WorkerRunner } from '../../src/threads/worker-runner.ts';
import type { Asked, ModelBank, Told } from './model-bank.ts';
import type { RawEvent } from './raw-event.ts';
import type { Happened } from './serial-order.ts';

const MEMORY = {
  readModels: { kind: 'memory' },
  defaultCurrency: 'USD',
  // None are taken: the raw log holds the events of the bank alone.
  snapshots: { policy: {}, retention: { newest: 10 } },
} as const;
const SETTLE_MS_MAX = 10_000;

const COMMANDS: readonly Message<unknown, unknown>[] = [
  CaptureHold,
  ChangeLimits,
  ChangeOverdraftLimit,
  ChangeTerms,
  CloseBankAccount,
  CreateBankAccount,
  CreateDeposit,
  CreateWithdrawal,
  ExpireHolds,
  FreezeAccount,
  PlaceHold,
  PostBatch,
  PostInterest,
  PostInterestForPeriod,
  RegisterPerson,
  ReleaseHold,
  RequestTransfer,
  ReverseTransaction,
  UnfreezeAccount,
];
const MESSAGES = new Map(COMMANDS.map((message) => [message.name, message]));
const QUIET = pino({ level: 'silent' });

/** What a node keeps in memory, over stores that it shares with others. */
interface Node {
  readonly bank: Bank;
  readonly mediator: Mediator;
  /** Where the driver of the transfer dies that is asked for next. */
  dieAt: string | undefined;
}

export class BankUnderTest {
  /** The business time of all nodes, in milliseconds since 1970. */
  now: number;
  readonly #stores: OpenedEventStore;
  readonly #readModels: ReadModelStore;
  readonly #worker: WorkerRunner;
  readonly #readYourWrites: ReadYourWrites;
  readonly #nodes: readonly Node[];
  readonly #problems: unknown[] = [];
  #readUpTo = 0n;

  private constructor(now: number, nodes: number, stores: OpenedEventStore, readModels: ReadModelStore) {
    this.now = now;
    this.#stores = stores;
    this.#readModels = readModels;
    const { events: reader, appended } = stores;
    const onProblem = (problem: unknown) => this.#problems.push(problem);
    this.#worker = runInThisThread(
      (onProjected) => composeWorker({ reader, readModels, config: MEMORY, onProjected, onProblem }),
      appended,
    );
    this.#readYourWrites = new ReadYourWrites({
      storeId: reader.storeId,
      readModels,
      projections,
      headPosition: () => reader.headPosition(),
      projected: this.#worker.projected,
      wakeProjector: () => this.#worker.wake(),
    });
    this.#nodes = Array.from({ length: nodes }, () => this.#composeNode());
  }

  static async open(now: number, nodes: number): Promise<BankUnderTest> {
    const stores = await openEventStore({ eventStore: { kind: 'memory' }, archiveDir: undefined });
    const readModels = await openReadModelStore(MEMORY.readModels);
    await prepareReadModels(readModels, stores.events);
    return new BankUnderTest(now, nodes, stores, readModels);
  }

  #composeNode(): Node {
    const { events } = this.#stores;
    const now = () => new Date(this.now);
    const metrics = new ServiceMetrics({ version: 'test', role: 'all', node: 'test' });
    const archive = operationArchive(this.#readModels, () => this.#worker.wake());
    const node = { dieAt: undefined as string | undefined };
    const transferFailpoint = (moment: string) => {
      if (moment !== node.dieAt) return;
      throw new StoreError('unavailable', `The driver dies at ${moment}.`);
    };
    const writeSide = composeWriteSide(MEMORY, events, metrics, archive, { transferFailpoint, now });
    const bank: Bank = {
      ...writeSide,
      pastAccounts: pastAccounts(events, writeSide.codec),
      events,
      operatorRequests: new OperatorRequests({ store: events, newId, now }),
      readModels: this.#readModels,
      newId,
      now,
      defaultCurrency: MEMORY.defaultCurrency,
    };
    return Object.assign(node, { bank, mediator: createMediator(bank, QUIET, metrics.messages) });
  }

  /** Where money goes that nobody could take: the names of its accounts are the bank's own affair. */
  suspense(): ModelBank['suspense'] {
    return { USD: suspenseAccountId('USD'), JPY: suspenseAccountId('JPY'), BHD: suspenseAccountId('BHD') };
  }

  /** Sends commands at the same time, to one node after the other; they are known in the log by their place. */
  async send(commands: readonly Asked[]): Promise<Told[]> {
    return Promise.all(
      commands.map((asked, index) =>
        this.#ask(asked, this.#nodes[index % this.#nodes.length] as Node, index),
      ),
    );
  }

  async #ask({ message, input, key, ifMatch, dieAt }: Asked, node: Node, index: number): Promise<Told> {
    const context = {
      correlation_id: String(index),
      causation_id: newId(),
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(ifMatch === undefined ? {} : { expectedRevision: ifMatch }),
    };
    if (message === 'ResumeTransfer') {
      const { state, revision } = await node.bank.transferProcess.resume(String(input.id), context);
      return { ok: true, value: { transfer: { ...state, id: input.id, revision }, finished: true } };
    }
    const command = MESSAGES.get(message);
    if (!command) throw new Error(`the bank has no ${message}`);
    node.dieAt = dieAt;
    try {
      return (await node.mediator.send(command, input, context)) as Told;
    } finally {
      node.dieAt = undefined;
    }
  }

  /** Waits until the read models show all that has happened. */
  async settle(): Promise<void> {
    const head = await this.#stores.events.headPosition();
    const seen = head === undefined || (await this.#readYourWrites.waitFor(head, SETTLE_MS_MAX));
    if (!seen || this.#problems.length > 0) {
      throw new Error('the read models do not follow', { cause: this.#problems });
    }
  }

  /** What has come into the log since this was asked last. */
  async news(): Promise<Happened[]> {
    const news: Happened[] = [];
    for await (const event of this.#stores.events.readAll({ from: this.#readUpTo })) {
      if (event.position < this.#readUpTo) continue;
      news.push({ event, by: Number(event.metadata.correlation_id) });
      this.#readUpTo = event.position + 1n;
    }
    return news;
  }

  /** The whole log. */
  log(): AsyncIterable<RawEvent> {
    return this.#stores.events.readAll();
  }

  /** An account, a hold or a transfer as the read models show it, through the node that was asked last. */
  account(id: string): Promise<unknown> {
    return this.#query(GetAccount, { id });
  }

  hold(id: string, hold_id: string): Promise<unknown> {
    return this.#query(GetHold, { id, hold_id });
  }

  transfer(id: string): Promise<unknown> {
    return this.#query(GetTransfer, { id });
  }

  async #query<I extends { readonly id: string }>(message: Message<I, unknown>, input: I): Promise<unknown> {
    const [node] = this.#nodes;
    const context = { correlation_id: newId(), causation_id: newId() };
    const found = await node?.mediator.send(message, input, context);
    if (found?.ok) return found.value;
    throw new Error(`${message.name} of ${input.id} was refused`);
  }

  async close(): Promise<void> {
    await this.#worker.stop();
    await this.#readModels.close();
    await this.#stores.events.close();
  }
}
