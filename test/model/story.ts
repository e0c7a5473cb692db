/** Plays a random sequence on the real bank and in the model, and compares them after every turn. */
import { BankUnderTest } from './bank-under-test.ts';
import { type Known, person, resolve } from './commands.ts';
import { LedgerProver } from './ledger-proof.ts';
import {
  type Asked,
  availableOn,
  copyAccount,
  heldOn,
  type ModelAccount,
  type ModelBank,
  type ModelTransfer,
  newModelBank,
} from './model-bank.ts';
import { oneByOne } from './model-batch.ts';
import { expireHolds } from './model-holds.ts';
import { type Currency, decimal } from './model-money.ts';
import { unfinishedTransfers } from './model-transfer-drive.ts';
import type { RawPosting } from './raw-event.ts';
import { contains, Mismatch, type Running, running, show } from './running.ts';
import { type Happened, inSomeOrder } from './serial-order.ts';
import type { Turn } from './turns.ts';

/** Shortly before the end of a month, so that days and months begin soon. */
const START = '2026-01-30T22:00:00.000Z';
/** No later than this: a run posts the charges of a bounded number of months. */
const END = '2028-06-30T00:00:00.000Z';
const DAY_MS = 86_400_000;

/** Commands that look into read models, which must have caught up for the answer to be known. */
const READERS: ReadonlySet<string> = new Set([
  'ReverseTransaction',
  'CaptureHold',
  'ReleaseHold',
  'PostInterestForPeriod',
  'ExpireHolds',
]);

export interface StoryOptions {
  /** Processes over one store, each with a memory of its own. */
  readonly nodes: number;
  readonly currencies: readonly Currency[];
}

/**
 * Plays all turns, and then finishes what was left over.
 * @throws Mismatch when the bank did what the model does not allow, or its log does not prove
 */
export async function play(turns: readonly Turn[], { nodes, currencies }: StoryOptions): Promise<void> {
  const story = new Story(await BankUnderTest.open(Date.parse(START), nodes), nodes > 1);
  try {
    await story.begin(currencies);
    for (const turn of turns) await story.take(turn);
    await story.end();
  } finally {
    await story.close();
  }
}

class Story {
  readonly #bank: BankUnderTest;
  readonly #prover = new LedgerProver();
  readonly #keyed: Asked[] = [];
  #model: ModelBank;

  constructor(bank: BankUnderTest, severalNodes: boolean) {
    this.#bank = bank;
    this.#model = newModelBank(START, severalNodes, bank.suspense());
  }

  /** A person, and an account in each currency with a little in it. */
  async begin(currencies: readonly Currency[]): Promise<void> {
    await this.#send([{ message: 'RegisterPerson', input: person('Alice', '1990-05-15') }]);
    const [owner_id] = this.#model.persons.keys();
    for (const currency of currencies) {
      const initial_balance = decimal(3_000n, currency);
      const overdraft_limit = decimal(0n, currency);
      const input = { owner_id, account_type: 'CHECKING', currency, overdraft_limit, initial_balance };
      await this.#send([{ message: 'CreateBankAccount', input }]);
    }
  }

  async take(turn: Turn): Promise<void> {
    if (turn.kind === 'time') return this.#pass(turn.passes);
    const alone = turn.kind === 'commands' && turn.draws.length === 1;
    // A batch is played by itself only.
    const keyed = alone ? this.#keyed : this.#keyed.filter(({ message }) => message !== 'PostBatch');
    const known: Known = { bank: this.#model, keyed };
    const asked = turn.draws.flatMap((draw) => resolve(draw, known));
    const [first] = asked;
    const commands = turn.kind === 'twice' && first ? this.#twice(first, asked.slice(1)) : asked;
    await this.#send(commands);
    const isKept = ({ message, key }: Asked) => key !== undefined || message === 'PostBatch';
    this.#keyed.push(...commands.filter(isKept));
  }

  #twice(first: Asked, beside: readonly Asked[]): Asked[] {
    const keyed = { ...first, key: `twice-${this.#keyed.length}` };
    return [keyed, keyed, ...beside];
  }

  /** What was left over ends, and all that can be seen says the same. */
  async end(): Promise<void> {
    for (const id of unfinishedTransfers(this.#model)) {
      await this.#send([{ message: 'ResumeTransfer', input: { id } }]);
    }
    const { unfinishedTransfers: unfinished, unknownTypes } = this.#prover.proof();
    if (unfinished.length > 0) throw new Mismatch(`transfers have not ended: ${unfinished}`);
    if (unknownTypes.size > 0) throw new Mismatch(`nothing is proven about ${[...unknownTypes]}`);
    await this.#bank.settle();
    for (const account of this.#model.accounts.values()) await this.#compareAccount(account);
    for (const transfer of this.#model.transfers.values()) await this.#compareTransfer(transfer);
  }

  close(): Promise<void> {
    return this.#bank.close();
  }

  async #send(commands: readonly Asked[]): Promise<void> {
    if (commands.length === 0) return;
    const raced = commands.length > 1;
    if (commands.some(({ message }) => READERS.has(message))) await this.#bank.settle();
    const told = await this.#bank.send(commands);
    const runnings = commands.map((asked, index) =>
      running(asked, told[index] as (typeof told)[number], raced),
    );
    const news = await this.#bank.news();
    for (const { event } of news) this.#prover.observe(event);
    this.#learn(news);
    this.#model = this.#explained(runnings, news);
    const { violations } = this.#prover.proof();
    if (violations.length > 0) throw new Mismatch(violations.join('\n'));
  }

  /** The model after what the bank has done. @throws Mismatch when it cannot have done that */
  #explained(runnings: readonly Running[], news: readonly Happened[]): ModelBank {
    const [first] = runnings;
    if (first?.asked.message !== 'PostBatch') return inSomeOrder(this.#model, runnings, news);
    const log = news.map(({ event }) => event);
    return oneByOne(this.#model, first.asked, first.told, log);
  }

  /** Postings can be named from now on. The reversal of a transfer that has just ended names those of that. */
  #learn(news: readonly Happened[]): void {
    for (const { event } of news) {
      if (event.type !== 'BankAccountTransactionRecordedDomainEventV1') continue;
      const {
        transaction_id: id,
        type,
        direction,
        amount,
        transfer_id: transferId,
      } = event.data as RawPosting;
      const minor = BigInt(amount.replace('.', ''));
      const { aggregate_id: accountId, timestamp: at } = event.metadata;
      this.#model.postings.set(id, { id, accountId, type, direction, minor, at, transferId });
    }
  }

  #pass(passes: Extract<Turn, { kind: 'time' }>['passes']): void {
    const now = Math.min(this.#timeAfter(passes), Date.parse(END));
    this.#bank.now = now;
    this.#model.now = new Date(now).toISOString();
  }

  #timeAfter(passes: Extract<Turn, { kind: 'time' }>['passes']): number {
    const now = this.#bank.now;
    const midnight = now - (now % DAY_MS) + DAY_MS;
    switch (passes) {
      case 'hour':
        return now + 3_600_000;
      case 'to_midnight':
        // First the last moment of the day, and then the first one of the next.
        return now < midnight - 1 ? midnight - 1 : midnight;
      case 'to_expiry': {
        const holds = [...this.#model.accounts.values()].flatMap((account) => [...account.holds.values()]);
        const times = holds.map(({ expiresAt }) => Date.parse(expiresAt ?? '')).filter((time) => time > now);
        return times.length > 0 ? Math.min(...times) : now + 1;
      }
      case 'day':
        return now + DAY_MS;
      case 'month':
        return now + 31 * DAY_MS;
      case 'year':
        return now + 401 * DAY_MS;
    }
  }

  async #compareAccount(account: ModelAccount): Promise<void> {
    const { id, currency, revision, frozen } = account;
    const raw = this.#prover.proof().accounts.get(id);
    const figures = { balance: account.balance, held: heldOn(account), available: availableOn(account) };
    compare(
      { balance: raw?.balance, held: raw?.held, available: raw?.available, closed: raw?.closed },
      { ...figures, closed: account.closed },
    );
    const now = copyAccount(account);
    const settled = expireHolds(now, this.#model.now).length === 0;
    const shown = {
      id,
      currency,
      revision,
      frozen,
      balance: decimal(figures.balance, currency),
      held: decimal(heldOn(now), currency),
      available_balance: decimal(availableOn(now), currency),
      overdraft_limit: decimal(account.overdraft, currency),
      status: account.closed ? 'CLOSED' : frozen === null ? 'ACTIVE' : 'SUSPENDED',
    };
    compare(await this.#bank.account(id), { account: shown, settled });
    for (const [holdId, { minor }] of account.holds) {
      const isOpen = now.holds.has(holdId);
      const hold = { status: isOpen ? 'OPEN' : 'EXPIRED', amount: decimal(minor, currency) };
      compare(await this.#bank.hold(id, holdId), { hold, settled: isOpen });
    }
  }

  async #compareTransfer(transfer: ModelTransfer): Promise<void> {
    const { id, status, revision, currency, reverses, reversals } = transfer;
    const reversed = [...reversals.values()].reduce((total, minor) => total + minor, 0n);
    compare(await this.#bank.transfer(id), {
      id,
      status,
      revision,
      ...(reverses ? { reverses: { transfer_id: reverses.id } } : {}),
      ...(reversals.size > 0 ? { reversed_amount: decimal(reversed, currency) } : {}),
    });
  }
}

function compare(actual: unknown, expected: object): void {
  if (!contains(actual, expected)) throw new Mismatch(`${show(expected)} is due, not ${show(actual)}`);
}
