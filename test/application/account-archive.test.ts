/** Runs of the archive: which accounts they take, what they tell, and what stops them. */
import { expect, it, onTestFinished } from 'vitest';
import { fileArchive } from '../../src/adapters/files/archive/file-archive.ts';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { AccountArchive, type AccountArchiveOptions } from '../../src/application/account-archive.ts';
import type { ArchiveRequest } from '../../src/application/archive-runs.ts';
import { bankAccountType } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { closeBooksOf } from '../../src/application/close-books.ts';
import { type BankAccount, type BankAccountEvent, bankAccountStream } from '../../src/domain/bank-account.ts';
import type { Rejection } from '../../src/domain/decision.ts';
import { ArchiveCatalogue } from '../../src/event-sourcing/archive/archive-catalogue.ts';
import type { DomainEvent, EventCodec } from '../../src/event-sourcing/codec.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { SnapshotKeeper } from '../../src/event-sourcing/snapshots/snapshot-keeper.ts';
import { snapshotStream } from '../../src/event-sourcing/snapshots/snapshot-streams.ts';
import { newId } from '../../src/new-id.ts';
import { booksClosed } from '../support/account-history.ts';
import { created, posted, usd } from '../support/bank-events.ts';
import { collect, mustAppend, newEvent, newMetadata } from '../support/event-builders.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const REQUEST: ArchiveRequest = {
  upTo: '2026-06-30T00:00:00.000Z',
  minEvents: 4,
  accountsMax: 100,
  dryRun: false,
};

async function benchWith(more: Partial<AccountArchiveOptions> = {}) {
  const directory = temporaryDirectory();
  const live = openSqliteEventStore({ kind: 'memory' });
  onTestFinished(async () => {
    await live.close();
    directory.remove();
  });
  const codec = createBankCodec('USD');
  const accountCodec = codec as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;
  const now = () => new Date('2026-07-01T00:00:00.000Z');
  const snapshots = new SnapshotKeeper<BankAccount>({
    store: live,
    aggregate: bankAccountType,
    fold: (state, event) =>
      bankAccountType.evolve(state, accountCodec.decode(event), event.metadata.timestamp),
    policy: {},
    retention: { newest: 1 },
    newId,
    now,
  });
  const options = { store: live, newId, now, snapshots };
  const accounts = new Repository<BankAccount, BankAccountEvent, Rejection>(
    bankAccountType,
    accountCodec,
    options,
  );
  const storage = fileArchive(directory.file('archive'));
  const documents: { id: string; revision: number }[] = [];
  const failures: unknown[] = [];
  const archive = new AccountArchive({
    accounts,
    // As a read model lists them.
    readModels: {
      find: async () =>
        documents.map((document, index) => ({ document, key: document.id, sequence: BigInt(index) })),
    } as unknown as AccountArchiveOptions['readModels'],
    codec,
    live,
    catalogue: new ArchiveCatalogue(live, storage),
    storage,
    newId,
    now,
    onFailure: (error) => failures.push(error),
    ...more,
  });
  /** An account with so many events, a day apart from the first of a month on. */
  const account = async (month: string, events: number, odd?: string): Promise<string> => {
    const id = newId();
    const history = Array.from({ length: events }, (_, day) => {
      const timestamp = `2026-${month}-${String(day + 1).padStart(2, '0')}T00:00:00.000Z`;
      const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id, timestamp });
      const event = day === 0 ? created(newId()) : posted(newId(), usd('CREDIT', '1.00', `${day}.00`));
      return newEvent({ type: odd && day === 2 ? odd : event.type, data: event.data, metadata });
    });
    await mustAppend(live, bankAccountStream(id), history, 'no_stream');
    documents.push({ id, revision: events - 1 });
    return id;
  };
  const run = async (request: Partial<ArchiveRequest> = {}) => {
    const started = archive.start({ ...REQUEST, ...request }, newMetadata());
    if (!started.ok) throw new Error(started.rejection.detail);
    await eventually('the end of the run', () => archive.run?.state !== 'RUNNING');
    return archive.run;
  };
  const typesOf = async (id: string) =>
    (await collect(live.readStream(bankAccountStream(id)))).map(({ type }) => type);
  const append = async (id: string, { type, data }: BankAccountEvent) => {
    const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id });
    await mustAppend(live, bankAccountStream(id), [newEvent({ type, data, metadata })], 'stream_exists');
  };
  const closeBooks = (id: string) =>
    closeBooksOf({ accounts, reader: live, codec }, id, REQUEST.upTo, newMetadata());
  /** The newest event. */
  const booksOf = async (id: string) => (await collect(live.readStream(bankAccountStream(id)))).at(-1);
  const snapshotsOf = async (id: string) =>
    (await collect(live.readStream(snapshotStream(bankAccountStream(id))))).map(({ data }) => data);
  return { archive, account, append, closeBooks, booksOf, run, typesOf, snapshotsOf, failures };
}

const BOOKS = 'BankAccountBooksClosedDomainEventV1';

it('takes accounts that had enough events by the end of the period', async () => {
  const { account, run, typesOf } = await benchWith();
  const [old, small, young] = [await account('01', 6), await account('01', 3), await account('06', 9)];
  expect(await run({ upTo: '2026-06-03T12:00:00.000Z', dryRun: true })).toMatchObject({
    accounts: 1,
    events: 6,
  });
  expect(await typesOf(old)).toHaveLength(6);
  const ended = await run({ upTo: '2026-06-03T12:00:00.000Z' });
  expect(ended).toMatchObject({
    state: 'FINISHED',
    examined: 3,
    accounts: 1,
    events: 6,
    skipped: 0,
    more: false,
  });
  expect(await typesOf(old)).toEqual([BOOKS]);
  expect([(await typesOf(small)).length, (await typesOf(young)).length]).toEqual([3, 9]);
});

it('closes books anew that do not tell what the events before them make, as in a log that was rewritten', async () => {
  const { account, run, typesOf, booksOf, append } = await benchWith();
  const rewritten = await account('01', 6);
  await append(rewritten, booksClosed);
  expect(await run()).toMatchObject({ state: 'FINISHED', accounts: 1, events: 7, skipped: 0 });
  expect(await typesOf(rewritten)).toEqual([BOOKS]);
  expect(await booksOf(rewritten)).toMatchObject({
    revision: 7,
    data: { balance: '5.00', totals: { transactions: 5 } },
  });
});

it('does not close books again that tell all', async () => {
  const { account, run, closeBooks, booksOf } = await benchWith();
  const id = await account('01', 6);
  await closeBooks(id);
  expect(await run()).toMatchObject({ state: 'FINISHED', accounts: 1, events: 6 });
  expect(await booksOf(id)).toMatchObject({ revision: 6, data: { balance: '5.00' } });
});

it('tells metrics what is in the archive, and how its last run ended', async () => {
  let fails: string | undefined;
  const failpoint = (step: string) => {
    if (step === fails) throw new Error('the power goes');
  };
  const { archive, account, run } = await benchWith({ failpoint });
  const nothing = { volumes: 0, unfinishedVolumes: 0, events: 0, bytes: 0 };
  await account('03', 5);
  await run({ dryRun: true });
  expect(await archive.figures()).toEqual(nothing);
  fails = 'written';
  await run();
  const endedAt = '2026-07-01T00:00:00.000Z';
  expect(await archive.figures()).toEqual({ ...nothing, lastRun: { endedAt, failed: true, events: 0 } });
  fails = undefined;
  await run();
  const filled = { volumes: 1, unfinishedVolumes: 0, events: 5, bytes: expect.any(Number) };
  const lastRun = { endedAt, failed: false, events: 5 };
  expect(await archive.figures()).toEqual({ ...filled, lastRun });
  await run({ dryRun: true });
  expect(await archive.figures()).toEqual({ ...filled, lastRun });
  await account('04', 5);
  fails = 'cut';
  await run();
  expect(await archive.figures()).toMatchObject({
    volumes: 2,
    unfinishedVolumes: 1,
    events: 10,
    lastRun: { failed: true },
  });
});

it('goes on in another run where it has taken all that one takes', async () => {
  const { account, run } = await benchWith();
  for (let count = 0; count < 3; count += 1) await account('02', 5);
  expect(await run({ accountsMax: 2 })).toMatchObject({ accounts: 2, more: true });
  expect(await run({ accountsMax: 2 })).toMatchObject({ accounts: 1, more: false });
  expect(await run({ accountsMax: 2 })).toMatchObject({ accounts: 0, volume: null });
});

it('closes books once, also where a run came to nothing behind them', async () => {
  let fails = true;
  const failpoint = () => {
    if (fails) throw new Error('the power goes');
  };
  const { account, run, typesOf } = await benchWith({ failpoint });
  const id = await account('03', 5);
  expect(await run()).toMatchObject({ state: 'FAILED' });
  expect((await typesOf(id)).filter((type) => type === BOOKS)).toHaveLength(1);
  fails = false;
  expect(await run()).toMatchObject({ state: 'FINISHED', accounts: 1, events: 5 });
  expect(await typesOf(id)).toEqual([BOOKS]);
});

it('leaves a snapshot of the closed books, which no event that is cut off is needed for', async () => {
  const { account, run, snapshotsOf } = await benchWith();
  const id = await account('03', 5);
  await run({ dryRun: true });
  expect(await snapshotsOf(id)).toEqual([]);
  await run();
  expect(await snapshotsOf(id)).toMatchObject([{ revision: 5 }]);
});

it('leaves an account alone that it cannot read, and takes the others', async () => {
  const { account, run, typesOf, failures } = await benchWith();
  const [odd, well] = [await account('03', 5, 'FromTheFuture'), await account('03', 5)];
  expect(await run()).toMatchObject({ state: 'FINISHED', accounts: 1, skipped: 1 });
  expect(failures).toMatchObject([{ code: 'corrupt' }]);
  expect([(await typesOf(odd)).length, await typesOf(well)]).toEqual([5, [BOOKS]]);
});

it('runs once at a time, and says what made it fail', async () => {
  const held = Promise.withResolvers<void>();
  const failpoint = async () => {
    await held.promise;
    throw new Error('secret');
  };
  const { archive, account, run, typesOf } = await benchWith({ failpoint });
  const id = await account('04', 5);
  expect(archive.start(REQUEST, newMetadata())).toMatchObject({ ok: true });
  const second = archive.start(REQUEST, newMetadata());
  expect(second).toMatchObject({ ok: false, rejection: { code: 'archive_run_in_progress' } });
  held.resolve();
  await eventually('the end of the run', () => archive.run?.state === 'FAILED');
  expect(archive.run?.error).toEqual({ code: 'internal_error', detail: 'The run failed; the log says why.' });
  expect(await typesOf(id)).toHaveLength(6);
  await expect(run()).resolves.toMatchObject({ state: 'FAILED' });
});

it('is not for a store without a place for it', async () => {
  const { archive } = await benchWith({ storage: undefined });
  expect(archive.start(REQUEST, newMetadata())).toMatchObject({
    ok: false,
    rejection: { code: 'not_supported' },
  });
});
