/** Stores in memory, both watched, with wallets in them: what the projector's tests start from. */
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import type { NewEvent } from '../../src/event-sourcing/event-store.ts';
import type { AnyProjection } from '../../src/event-sourcing/projection.ts';
import type { ProjectorOptions } from '../../src/event-sourcing/projector.ts';
import type { Collection, Document } from '../../src/event-sourcing/read-model-store.ts';
import { mustAppend } from '../support/event-builders.ts';
import { checkpoint, commit } from '../support/read-model-builders.ts';
import { RunningProjector } from '../support/running-projector.ts';
import {
  WALLET_STREAM_PREFIX,
  type WalletEvent,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { WALLET_PROJECTIONS, wallets } from '../support/wallet-projections.ts';
import { WatchedEventStore } from '../support/watched-event-store.ts';
import { WatchedReadModels } from '../support/watched-read-models.ts';

type Settings = Partial<
  Pick<
    ProjectorOptions<WalletEvent>,
    'commitEvents' | 'intervalMs' | 'fence' | 'fullBatchEvents' | 'pace' | 'patienceMs' | 'retryDelayMs'
  >
> & {
  readonly projections?: readonly AnyProjection<WalletEvent>[];
};

export class ProjectorFixture {
  readonly events = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  readonly readModels = new WatchedReadModels(openSqliteReadModelStore({ kind: 'memory' }));
  readonly #running: RunningProjector<WalletEvent>[] = [];

  /** Starts a projector over the stores; a second one stands for the worker after a restart. */
  async start({ projections = WALLET_PROJECTIONS, ...settings }: Settings = {}) {
    await this.readModels.prepare(projections, this.events.storeId);
    const running = new RunningProjector<WalletEvent>({
      reader: this.events,
      store: this.readModels,
      codec: walletCodec,
      projections,
      streamPrefixes: [WALLET_STREAM_PREFIX],
      ...settings,
    });
    this.#running.push(running);
    return running;
  }

  /** Projects all that is in the log, then stops. */
  async project(settings: Settings = {}): Promise<RunningProjector<WalletEvent>> {
    const running = await this.start(settings);
    await running.caughtUp();
    await running.stop();
    return running;
  }

  /** Makes the log come in batches of so many events, as a long one does. */
  inBatchesOf(size: number): void {
    this.events.onSubscribe = async function* (batches, signal) {
      for await (const { events, position, caughtUp } of batches) {
        for (let start = 0; start + size < events.length; start += size) {
          const part = events.slice(start, start + size);
          yield { events: part, position: part.at(-1)?.position ?? position, caughtUp: false };
          if (signal.aborted) return;
        }
        yield { events: events.slice(Math.floor((events.length - 1) / size) * size), position, caughtUp };
      }
    };
  }

  /** Appends to a wallet's stream, wherever it stands. */
  async record(id: string, ...events: readonly WalletEvent[]): Promise<NewEvent[]> {
    const recorded = walletEvents(id, ...events);
    await mustAppend(this.events, walletType.stream(id), recorded, 'any');
    return recorded;
  }

  async document<D extends Document>(collection: Collection, key: string): Promise<D | undefined> {
    return (await this.readModels.get<D>(collection, key))?.document;
  }

  /** The balance that the read model shows, and how many events were folded into it. */
  async wallet(id: string): Promise<[balance: number, changes: number] | undefined> {
    const document = await this.document<{ balance: number; changes: number }>(wallets, id);
    return document && [document.balance, document.changes];
  }

  /** All documents of a collection, by key. */
  async documents(collection: Collection): Promise<Record<string, Document | undefined>> {
    const found = await this.readModels.find(collection, { order: 'oldest_first', limit: 10_000 });
    return Object.fromEntries(found.map(({ key, document }) => [key, document]));
  }

  async checkpoints(): Promise<Record<string, bigint>> {
    const found = await this.readModels.checkpoints();
    return Object.fromEntries(found.map((one) => [`${one.projection} v${one.version}`, one.position]));
  }

  /** Dead letters in short. */
  async deadLetters() {
    const found = await this.readModels.listDeadLetters({ limit: 1_000 });
    return found.map(({ projection, documentKey, revision, cause, attempts }) => ({
      projection,
      documentKey,
      revision,
      cause,
      attempts,
    }));
  }

  /** Loses the documents of a collection, as a damaged store does, and keeps its checkpoint. */
  async loseDocuments(collection: Collection): Promise<void> {
    const kept = (await this.checkpoints())[`${collection.name} v${collection.version}`] ?? 0n;
    await this.readModels.inner.clear(collection);
    await commit(this.readModels.inner, { checkpoints: [checkpoint(collection, kept)] });
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop()));
    await this.readModels.close();
    await this.events.close();
  }
}
