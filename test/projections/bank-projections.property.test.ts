/**
 * Random histories of the bank: the read models are what an independent count of the same events says, and it does not
 * matter into which batches the history was cut, or where the worker was restarted.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import type { Document, ReadModelStore, StoredDocument } from '../../src/event-sourcing/read-model-store.ts';
import { awaitedProjections, projections } from '../../src/projections/index.ts';
import { settings } from '../domain/property-settings.ts';
import { ALICE, BankLog, created, posted, timeOf } from '../support/bank-events.ts';
import { HistoryReader } from '../support/history-reader.ts';
import { RunningProjector } from '../support/running-projector.ts';

const DECIMALS = { USD: 2, JPY: 0, BHD: 3 } as const;
type Currency = keyof typeof DECIMALS;
const DEFAULT_CURRENCY = 'USD';
const PERSONS = ['p-1', 'p-2', 'p-3'] as const;
const ACCOUNTS = ['a-1', 'a-2', 'a-3', 'a-4'] as const;

/** Something that happens to an account or a person. What it needs and is not there yet comes into being first. */
interface Happening {
  readonly does: 'credit' | 'debit' | 'limit' | 'hold' | 'capture' | 'release' | 'close';
  readonly account: (typeof ACCOUNTS)[number];
  readonly owner: (typeof PERSONS)[number];
  readonly currency: Currency;
  readonly firstVersion: boolean;
  readonly registered: boolean;
  /** Minor units. */
  readonly amount: bigint;
}

const happenings = fc.array(
  fc.record<Happening>({
    does: fc.oneof(
      { weight: 5, arbitrary: fc.constant<Happening['does']>('credit') },
      { weight: 4, arbitrary: fc.constant<Happening['does']>('debit') },
      { weight: 2, arbitrary: fc.constant<Happening['does']>('limit') },
      { weight: 3, arbitrary: fc.constant<Happening['does']>('hold') },
      { weight: 2, arbitrary: fc.constantFrom<Happening['does'][]>('capture', 'release') },
      { weight: 1, arbitrary: fc.constant<Happening['does']>('close') },
    ),
    account: fc.constantFrom(...ACCOUNTS),
    owner: fc.constantFrom(...PERSONS),
    currency: fc.constantFrom('USD', 'JPY', 'BHD'),
    firstVersion: fc.boolean(),
    registered: fc.boolean(),
    amount: fc.oneof(fc.bigInt({ min: 1n, max: 999n }), fc.bigInt({ min: 1n, max: 10n ** 15n - 1n })),
  }),
  { minLength: 1, maxLength: 30, size: 'max' },
);

/** Decimal text, written here once more: the program's own way of writing amounts is under test too. */
function decimal(minor: bigint, currency: Currency): string {
  const decimals = DECIMALS[currency];
  const digits = String(minor < 0n ? -minor : minor).padStart(decimals + 1, '0');
  const sign = minor < 0n ? '-' : '';
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

interface CountedAccount {
  readonly owner: string;
  readonly ownerName: string;
  readonly currency: Currency;
  readonly createdAt: string;
  limit: bigint;
  readonly amounts: bigint[];
  /** Open holds, oldest first. */
  readonly holds: { id: string; amount: bigint }[];
  closed: boolean;
  events: number;
  lastPosting: string | null;
  lastEvent: string;
}

/** Writes the log, and keeps its own count of what it wrote. */
class CountedBank {
  readonly log = new BankLog();
  readonly persons = new Map<string, string>();
  readonly accounts = new Map<string, CountedAccount>();
  readonly transactions: Record<string, Document> = {};
  readonly holds: Record<string, Document> = {};
  readonly activity = new Map<string, string>();

  happen(happening: Happening): void {
    if (happening.registered) this.#register(happening.owner);
    const account = this.accounts.get(happening.account) ?? this.#open(happening);
    if (account.closed) return;
    if (happening.does === 'limit') this.#changeLimit(happening, account);
    else if (happening.does === 'close') this.#close(happening, account);
    else if (happening.does === 'hold') this.#hold(happening, account);
    else if (happening.does === 'credit' || happening.does === 'debit') this.#post(happening, account);
    else this.#endHold(happening, account);
  }

  #now(): string {
    return timeOf(this.log.events.length);
  }

  #register(id: string): void {
    if (this.persons.has(id)) return;
    this.persons.set(id, this.#now());
    this.log.registered(id, { ...ALICE, last_name: `Smith of ${id}` });
  }

  #open(happening: Happening): CountedAccount {
    const { account: id, owner, firstVersion, amount } = happening;
    const currency = firstVersion ? DEFAULT_CURRENCY : happening.currency;
    const now = this.#now();
    const account: CountedAccount = {
      owner,
      ownerName: this.persons.has(owner) ? `Alice Smith of ${owner}` : '',
      currency,
      createdAt: now,
      limit: amount,
      amounts: [],
      holds: [],
      closed: false,
      events: 1,
      lastPosting: null,
      lastEvent: now,
    };
    this.accounts.set(id, account);
    this.activity.set(owner, now);
    const overdraft_limit = decimal(amount, currency);
    if (firstVersion) this.log.accountV1(id, owner, overdraft_limit);
    else this.log.account(id, created(owner, { currency, overdraft_limit }));
    return account;
  }

  #changeLimit({ account: id, amount }: Happening, account: CountedAccount): void {
    const [old_limit, new_limit] = [
      decimal(account.limit, account.currency),
      decimal(amount, account.currency),
    ];
    account.limit = amount;
    account.events += 1;
    account.lastEvent = this.#now();
    this.log.account(id, {
      type: 'BankAccountOverdraftLimitChangedDomainEventV1',
      data: { old_limit, new_limit },
    });
  }

  #close({ account: id }: Happening, account: CountedAccount): void {
    account.closed = true;
    account.events += 1;
    account.lastEvent = this.#now();
    this.activity.set(account.owner, this.#now());
    this.log.account(id, {
      type: 'BankAccountClosedDomainEventV1',
      data: { reason: 'moved', final_balance: decimal(sum(account.amounts), account.currency) },
    });
  }

  #post({ account: id, does, amount }: Happening, account: CountedAccount): void {
    const now = this.#now();
    account.amounts.push(does === 'credit' ? amount : -amount);
    account.events += 1;
    account.lastEvent = now;
    account.lastPosting = now;
    this.activity.set(account.owner, now);
    const { currency } = account;
    const transaction = `t-${this.log.events.length}`;
    const posting = posted(transaction, {
      direction: does === 'credit' ? 'CREDIT' : 'DEBIT',
      amount: decimal(amount, currency),
      balance: decimal(sum(account.amounts), currency),
      currency,
    });
    this.transactions[transaction] = {
      account_id: id,
      ...posting.data,
      recorded_at: now,
      revision: account.events - 1,
    };
    this.log.account(id, posting);
  }

  #hold({ account: account_id, amount }: Happening, account: CountedAccount): void {
    const hold_id = `h-${this.log.events.length}`;
    const hold = {
      amount: decimal(amount, account.currency),
      currency: account.currency,
      description: 'car',
    };
    const at = this.#now();
    this.holds[hold_id] = {
      id: hold_id,
      account_id,
      status: 'OPEN',
      ...hold,
      expires_at: null,
      captured_amount: decimal(0n, account.currency),
      released_amount: decimal(0n, account.currency),
      transaction_id: null,
      placed_at: at,
      closed_at: null,
      revision: account.events,
    };
    account.holds.push({ id: hold_id, amount });
    account.events += 1;
    account.lastEvent = at;
    this.log.account(account_id, {
      type: 'BankAccountHoldPlacedDomainEventV1',
      data: { hold_id, ...hold },
    });
  }

  /** Ends the oldest hold: all of it is released, or as much as fits is captured; its posting is another happening. */
  #endHold({ account: account_id, does, amount }: Happening, account: CountedAccount): void {
    const { id: hold_id = '', amount: held = 0n } = account.holds.shift() ?? {};
    if (hold_id === '') return;
    const { currency } = account;
    const at = this.#now();
    const taken = does === 'release' ? 0n : amount < held ? amount : held;
    const captured_amount = decimal(taken, currency);
    const released_amount = decimal(held - taken, currency);
    const transaction_id = `of-${hold_id}`;
    this.holds[hold_id] = {
      ...this.holds[hold_id],
      status: does === 'release' ? 'RELEASED' : 'CAPTURED',
      captured_amount,
      released_amount,
      transaction_id: does === 'release' ? null : transaction_id,
      closed_at: at,
      revision: account.events,
    };
    account.events += 1;
    account.lastEvent = at;
    const data = { hold_id, currency };
    this.log.account(
      account_id,
      does === 'release'
        ? {
            type: 'BankAccountHoldReleasedDomainEventV1',
            data: { ...data, amount: released_amount, reason: 'RELEASED' },
          }
        : {
            type: 'BankAccountHoldCapturedDomainEventV1',
            data: { ...data, transaction_id, captured_amount, released_amount },
          },
    );
  }

  tables(): Record<string, Record<string, Document>> {
    return {
      persons: this.#personDocuments(),
      bank_accounts: this.#accountDocuments(),
      transactions: this.transactions,
      external_references: {},
      holds: this.holds,
      owner_summaries: this.#summaryDocuments(),
      account_days: this.#accountDayDocuments(),
      bank_days: this.#bankDayDocuments(),
      // Nothing in these histories was asked for by key, or transferred.
      operations: {},
      transfers: {},
    };
  }

  #personDocuments(): Record<string, Document> {
    const documents = [...this.persons].map(([id, at]) => {
      return [id, { id, ...ALICE, last_name: `Smith of ${id}`, created_at: at, revision: 0 }];
    });
    return Object.fromEntries(documents);
  }

  #accountDocuments(): Record<string, Document> {
    const documents = [...this.accounts].map(([id, account]) => {
      const { amounts, currency, limit } = account;
      const text = (minor: bigint) => decimal(minor, currency);
      const held = sum(account.holds.map(({ amount }) => amount));
      const sizes = amounts.map((amount) => (amount < 0n ? -amount : amount));
      const document = {
        id,
        owner_id: account.owner,
        owner: account.ownerName,
        account_type: 'CHECKING',
        status: account.closed ? 'CLOSED' : 'ACTIVE',
        frozen: null,
        currency,
        balance: text(sum(amounts)),
        available_balance: text(sum(amounts) + limit - held),
        held: text(held),
        overdraft_limit: text(limit),
        transaction_limit: null,
        daily_limit: null,
        credit_rate: null,
        overdraft_rate: null,
        monthly_fee: null,
        transaction_count: amounts.length,
        total_credits: text(sum(amounts.filter((amount) => amount > 0n))),
        total_debits: text(-sum(amounts.filter((amount) => amount < 0n))),
        largest_transaction: text(sizes.reduce((most, size) => (size > most ? size : most), 0n)),
        last_transaction_at: account.lastPosting,
        created_at: account.createdAt,
        last_modified: account.lastEvent,
        revision: account.events - 1,
        holder: 'CUSTOMER',
      };
      return [id, document];
    });
    return Object.fromEntries(documents);
  }

  #accountDayDocuments(): Record<string, Document> {
    const days = Map.groupBy(this.#postings(), ({ account_id, day }) => `${day}/${account_id}`);
    const documents = [...days].map(([key, postings]) => {
      const { account_id, day, currency } = postings[0] as CountedPosting;
      return [key, { account_id, day, currency, ...sidesOf(postings) }];
    });
    return Object.fromEntries(documents);
  }

  #bankDayDocuments(): Record<string, Document> {
    const days = Map.groupBy(this.#postings(), ({ day }) => day);
    const documents = [...days].map(([day, all]) => {
      const currencies = [...Map.groupBy(all, ({ currency }) => currency)];
      const figures = currencies.map(([currency, postings]) => [currency, sidesOf(postings)]);
      return [day, { day, currencies: Object.fromEntries(figures) }];
    });
    return Object.fromEntries(documents);
  }

  /** In the order of the log. */
  #postings(): CountedPosting[] {
    return Object.values(this.transactions).map((posting) => {
      const [day = ''] = String(posting.recorded_at).split('T');
      return { ...posting, day } as unknown as CountedPosting;
    });
  }

  #summaryDocuments(): Record<string, Document> {
    const owners = new Set([
      ...this.persons.keys(),
      ...[...this.accounts.values()].map(({ owner }) => owner),
    ]);
    const documents = [...owners].map((owner) => {
      const own = [...this.accounts.values()].filter((account) => account.owner === owner);
      const currencies = new Set(own.map(({ currency }) => currency));
      const totals = [...currencies].map((currency) => {
        const amounts = own
          .filter((account) => account.currency === currency)
          .flatMap(({ amounts }) => amounts);
        return [currency, decimal(sum(amounts), currency)];
      });
      const closed = own.filter((account) => account.closed).length;
      const document = {
        owner_id: owner,
        total_accounts: own.length,
        active_accounts: own.length - closed,
        closed_accounts: closed,
        total_balance: Object.fromEntries(totals),
        last_activity: this.activity.get(owner) ?? null,
      };
      return [owner, document];
    });
    return Object.fromEntries(documents);
  }
}

interface CountedPosting {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly day: string;
  readonly direction: 'CREDIT' | 'DEBIT';
  readonly currency: Currency;
  readonly amount: string;
}

function sidesOf(postings: readonly CountedPosting[]): Document {
  const side = (wanted: CountedPosting['direction']) => {
    const own = postings.filter(({ direction }) => direction === wanted);
    const [first] = own;
    if (!first) return null;
    const sizes = own.map(({ amount }) => BigInt(amount.replace('.', '')));
    const most = sizes.reduce((largest, size) => (size > largest ? size : largest));
    const largest = own[sizes.indexOf(most)] ?? first;
    const total = decimal(sum(sizes), first.currency);
    return { count: own.length, total, largest: largest.amount, largest_id: largest.transaction_id };
  };
  return { credits: side('CREDIT'), debits: side('DEBIT') };
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

/** Where a history is cut into batches, where the worker is restarted, and how many events go into a commit. */
interface Course {
  readonly cuts: readonly number[];
  readonly restarts: readonly number[];
  readonly commitEvents: number;
}

async function project(store: ReadModelStore, events: readonly RecordedEvent[], course: Course) {
  const { cuts, commitEvents } = course;
  const running = new RunningProjector({
    reader: new HistoryReader(events, cuts),
    store,
    codec: createBankCodec(DEFAULT_CURRENCY),
    projections,
    streamPrefixes: [''],
    commitEvents,
  });
  await running.caughtUp();
  await running.stop();
  expect(running.problems).toEqual([]);
}

/** Projects a history into a new store: up to each of the restarts, and then to the end. */
async function documentsAfter(events: readonly RecordedEvent[], course: Course) {
  const store = openSqliteReadModelStore({ kind: 'memory' });
  try {
    const everything = projections.map((projection) => ({ ...projection, listed: true }));
    await store.prepare(everything, 'history');
    for (const end of course.restarts) await project(store, events.slice(0, end), course);
    await project(store, events, course);
    const tables = everything.map(async (collection) => {
      const found = await store.find(collection, { order: 'oldest_first', limit: 10_000 });
      return [collection.name, found];
    });
    return Object.fromEntries(await Promise.all(tables)) as Record<string, StoredDocument[]>;
  } finally {
    await store.close();
  }
}

function bankAfter(history: readonly Happening[]): CountedBank {
  const bank = new CountedBank();
  for (const happening of history) bank.happen(happening);
  return bank;
}

const places = fc.array(fc.nat(90), { maxLength: 8 });
const courses = fc.record<Course>({
  cuts: places,
  restarts: fc.array(fc.nat(90), { maxLength: 2 }).map((ends) => ends.sort((a, b) => a - b)),
  commitEvents: fc.constantFrom(1, 5, 20, 1_000),
});
const AT_ONCE: Course = { cuts: [], restarts: [], commitEvents: 1_000 };

it('are what an independent count of the events says', async () => {
  const property = fc.asyncProperty(happenings, courses, async (history, course) => {
    const bank = bankAfter(history);
    const documents = await documentsAfter(bank.log.events, course);
    // How the streams are has a count of its own.
    const tables = awaitedProjections.map(({ name }) => [
      name,
      Object.fromEntries((documents[name] ?? []).map(({ key, document }) => [key, document])),
    ]);
    expect(Object.fromEntries(tables)).toEqual(bank.tables());
  });
  await fc.assert(property, settings(15, 400));
});

it('are the same documents, in the same order, wherever the history was cut and the worker restarted', async () => {
  const property = fc.asyncProperty(happenings, courses, async (history, course) => {
    const { events } = bankAfter(history).log;
    expect(await documentsAfter(events, course)).toEqual(await documentsAfter(events, AT_ONCE));
  });
  await fc.assert(property, settings(15, 400));
});
