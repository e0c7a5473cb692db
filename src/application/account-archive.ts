/**
 * Archives accounts: closes the books of those with many events, and moves what came before into the archive. One run at a
 * time, in the background of the process that was asked; another one of the same period finds little left to do.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bankAccountStream } from '../domain/bank-account.ts';
import { accept, type Decision, reject } from '../domain/decision.ts';
import type { ArchiveCatalogue } from '../event-sourcing/archive/archive-catalogue.ts';
import {
  type ArchiveStep,
  archiveStreams,
  finishCuts,
  type StreamCut,
} from '../event-sourcing/archive/archive-run.ts';
import type { ArchiveStorage } from '../event-sourcing/archive/archive-storage.ts';
import type { EventStore, RecordedEvent } from '../event-sourcing/event-store.ts';
import type { CommandContext } from '../event-sourcing/repository.ts';
import { StoreError, type StoreErrorCode } from '../event-sourcing/store-error.ts';
import { type AccountDocument, accounts as accountsProjection } from '../projections/accounts.ts';
import {
  type AccountArchiving,
  type ArchiveFigures,
  type ArchiveRequest,
  type ArchiveRun,
  notArchiving,
} from './archive-runs.ts';
import type { Bank } from './bank.ts';
import { areBooksTrue, closeBooksOf } from './close-books.ts';

export interface AccountArchiveOptions
  extends Pick<Bank, 'accounts' | 'readModels' | 'codec' | 'newId' | 'now'> {
  /** Without its archive. */
  readonly live: EventStore;
  readonly catalogue: ArchiveCatalogue;
  /** Missing where nothing can be archived. */
  readonly storage?: ArchiveStorage | undefined;
  /** Hears what made a run fail. */
  readonly onFailure: (error: unknown) => void;
  /** Called after each step of a run; what it throws interrupts the run there. */
  readonly failpoint?: ((step: ArchiveStep) => void | Promise<void>) | undefined;
}

const PAGE_ACCOUNTS = 200;
/** What a store says of one account alone: it never stands still, has events that cannot be read, or too large a state. */
const OWN_TROUBLE: readonly StoreErrorCode[] = ['busy', 'corrupt', 'invalid_request'];

/** A stream that is worth it, before its books are closed. */
interface Candidate {
  readonly id: string;
  readonly first: RecordedEvent;
  readonly last: RecordedEvent;
}

export class AccountArchive implements AccountArchiving {
  readonly #options: AccountArchiveOptions;
  readonly #stopping = new AbortController();
  #run: ArchiveRun | undefined;
  /** The newest one that has ended and did not only count. */
  #lastDone: ArchiveRun | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: AccountArchiveOptions) {
    this.#options = options;
  }

  get run(): ArchiveRun | undefined {
    return this.#run;
  }

  get catalogue(): ArchiveCatalogue {
    return this.#options.catalogue;
  }

  get place(): string | undefined {
    return this.#options.storage?.name;
  }

  async figures(): Promise<ArchiveFigures> {
    const { catalogue } = this.#options;
    await catalogue.refresh();
    const { volumes } = catalogue;
    const sum = (field: 'events' | 'bytes') =>
      volumes.reduce((total, { record }) => total + record[field], 0);
    const last = this.#lastDone;
    const written = volumes.find(({ record }) => record.volume === last?.volume);
    return {
      volumes: volumes.length,
      unfinishedVolumes: volumes.filter(({ cut }) => !cut).length,
      events: sum('events'),
      bytes: sum('bytes'),
      ...(last?.finished_at && {
        lastRun: {
          endedAt: last.finished_at,
          failed: last.state === 'FAILED',
          events: written?.record.events ?? 0,
        },
      }),
    };
  }

  start(request: ArchiveRequest, context: CommandContext): Decision<ArchiveRun> {
    const { storage, newId, now } = this.#options;
    if (!storage) return notArchiving();
    if (this.#run?.state === 'RUNNING') {
      return reject('archive_run_in_progress', `Run ${this.#run.run_id} has not ended yet.`);
    }
    const run: ArchiveRun = {
      run_id: newId(),
      state: 'RUNNING',
      dry_run: request.dryRun,
      up_to: request.upTo,
      min_events: request.minEvents,
      started_at: now().toISOString(),
      finished_at: null,
      examined: 0,
      accounts: 0,
      events: 0,
      skipped: 0,
      more: false,
      volume: null,
      error: null,
    };
    this.#run = run;
    this.#running = this.#work(storage, request, context);
    return accept(run);
  }

  /** Ends a run behind its present step; the next one goes on. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #work(storage: ArchiveStorage, request: ArchiveRequest, context: CommandContext): Promise<void> {
    const finished_at = () => this.#options.now().toISOString();
    try {
      await this.#archive(storage, request, context);
      this.#note({ state: 'FINISHED', finished_at: finished_at() });
    } catch (error) {
      this.#options.onFailure(error);
      const code = error instanceof StoreError ? error.code : 'internal_error';
      const detail = error instanceof StoreError ? error.message : 'The run failed; the log says why.';
      this.#note({ state: 'FAILED', finished_at: finished_at(), error: { code, detail } });
    }
    if (!request.dryRun) this.#lastDone = this.#run;
  }

  async #archive(storage: ArchiveStorage, request: ArchiveRequest, context: CommandContext): Promise<void> {
    const { live, catalogue, newId, now, failpoint } = this.#options;
    const { signal } = this.#stopping;
    const options = { live, storage, catalogue, newId, now, signal, ...(failpoint && { onStep: failpoint }) };
    if (!request.dryRun) await finishCuts(options);
    const cuts = new Map<string, StreamCut>();
    for await (const candidate of this.#candidates(request)) {
      const cut = request.dryRun ? cutOf(candidate) : await this.#tryToClose(candidate, request, context);
      if (!cut) continue;
      const { accounts, events } = this.#run as ArchiveRun;
      this.#note({ accounts: accounts + 1, events: events + cut.cutBefore - cut.first });
      if (!request.dryRun) cuts.set(bankAccountStream(candidate.id), cut);
      if (accounts + 1 < request.accountsMax) continue;
      this.#note({ more: true });
      break;
    }
    if (cuts.size > 0) this.#note({ volume: (await archiveStreams(options, cuts)).volume });
  }

  /** Accounts with so many events in the store itself, recorded by the end of the period. */
  async *#candidates({ upTo, minEvents }: ArchiveRequest): AsyncGenerator<Candidate> {
    for await (const { id, revision } of this.#accounts()) {
      if (this.#stopping.signal.aborted) throw new StoreError('closed', 'The run was ended.');
      this.#note({ examined: (this.#run as ArchiveRun).examined + 1 });
      if (revision + 1 < minEvents) continue;
      const stream = bankAccountStream(id);
      const first = await this.#eventOf(stream, { limit: 1 });
      if (!first) continue;
      const enough = await this.#eventOf(stream, { from: first.revision + minEvents - 1, limit: 1 });
      if (!enough || enough.metadata.timestamp > upTo) continue;
      const last = await this.#eventOf(stream, { direction: 'backwards', limit: 1 });
      if (last) yield { id, first, last };
    }
  }

  /** Of customers and of the bank, oldest first. */
  async *#accounts(): AsyncGenerator<AccountDocument> {
    let after: { sequence: bigint; key: string } | undefined;
    for (;;) {
      const page = await this.#options.readModels.find<AccountDocument>(accountsProjection, {
        order: 'oldest_first',
        limit: PAGE_ACCOUNTS,
        ...(after ? { after } : {}),
      });
      for (const { document } of page) if (document) yield document;
      const last = page.at(-1);
      if (!last || page.length < PAGE_ACCOUNTS) return;
      after = { sequence: last.sequence, key: last.key };
      // An embedded store answers at once: requests must get their turn all the same.
      await nextTurn();
    }
  }

  /** One account that cannot be archived keeps no other from it; a store that fails ends the run. */
  async #tryToClose(
    candidate: Candidate,
    request: ArchiveRequest,
    context: CommandContext,
  ): Promise<StreamCut | undefined> {
    try {
      return await this.#closeBooks(candidate, request, context);
    } catch (error) {
      if (error instanceof StoreError && !OWN_TROUBLE.includes(error.code)) throw error;
      this.#options.onFailure(error);
      this.#note({ skipped: (this.#run as ArchiveRun).skipped + 1 });
      return undefined;
    }
  }

  /** Closes them, unless a run before this one did and nothing has happened since. */
  async #closeBooks(
    candidate: Candidate,
    { upTo }: ArchiveRequest,
    context: CommandContext,
  ): Promise<StreamCut> {
    const { accounts, live: reader, codec } = this.#options;
    const { id } = candidate;
    if (isClosed(candidate) && (await areBooksTrue({ reader, codec }, id))) return cutOf(candidate);
    const closed = await closeBooksOf({ accounts, reader, codec }, id, upTo, context);
    if (!closed.ok) throw new Error(closed.rejection.detail);
    // Or the newest snapshot would stand on an event that the store soon has no more.
    await accounts.takeSnapshot(id);
    return { ...cutOf(candidate), cutBefore: closed.value.revision };
  }

  async #eventOf(
    stream: string,
    options: Parameters<EventStore['readStream']>[1],
  ): Promise<RecordedEvent | undefined> {
    for await (const event of this.#options.live.readStream(stream, options)) return event;
    return undefined;
  }

  #note(change: Partial<ArchiveRun>): void {
    this.#run = { ...(this.#run as ArchiveRun), ...change };
  }
}

function isClosed({ last }: Candidate): boolean {
  return last.type === 'BankAccountBooksClosedDomainEventV1';
}

/** Before the event of its closed books, or where that is going to be if nothing happens meanwhile. */
function cutOf(candidate: Candidate): StreamCut {
  const { first, last } = candidate;
  const cutBefore = isClosed(candidate) ? last.revision : last.revision + 1;
  return { first: first.revision, cutBefore, firstPosition: first.position };
}
