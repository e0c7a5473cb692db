/** The EventStore port on KurrentDB (formerly EventStoreDB). Everything about the protocol is in the modules beside it. */
import type { ConsumerGroups } from '../../event-sourcing/consumer-groups.ts';
import type {
  AppendResult,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  StreamMetadata,
  SubscribeOptions,
  SubscriptionBatch,
} from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { AppendCalls } from './append-calls.ts';
import { Appends } from './appends.ts';
import { KurrentDbClient } from './client.ts';
import { parseConnectionString } from './connection-string.ts';
import { KurrentDbConsumerGroups } from './consumer-groups.ts';
import { LogReader } from './log-reader.ts';
import { ParkedMessages } from './parked-messages.ts';
import { retrying } from './retry.ts';
import { type ConfirmLog, confirming, identify } from './store-identity.ts';
import { StreamReader } from './stream-reader.ts';
import { StreamSettings } from './stream-settings.ts';
import { Subscription } from './subscription.ts';

/** Tries to reach the server; between them the client finds the leader, or the server gets ready. */
const TRIES = 3;

/**
 * Connects, makes sure that the server is new enough, and learns the identity of its log, or gives it one.
 * @param url a connection string: `esdb://…` or `kurrentdb://…`, also with `+discover`
 * @throws StoreError `invalid_request` for a wrong connection string, `unavailable`, `access_denied` or `unsupported`
 */
export async function openKurrentDbEventStore(url: string): Promise<KurrentDbEventStore> {
  const settings = parseConnectionString(url);
  // A new client for each try: this one remembers that it could not ask the server what it can do.
  return retrying(TRIES, new AbortController().signal, () => open(new KurrentDbClient(settings)));
}

async function open(client: KurrentDbClient): Promise<KurrentDbEventStore> {
  const closing = new AbortController();
  const reader = new StreamReader(client, closing.signal);
  const appendsOver = (calls: AppendCalls) => new Appends(client.store, calls, reader, closing.signal);
  try {
    await client.checkServer();
    const storeId = await identify(reader, appendsOver(new AppendCalls(client, async () => {})));
    const confirm = confirming(client, storeId, closing.signal);
    const appends = appendsOver(new AppendCalls(client, confirm));
    return new KurrentDbEventStore({ client, closing, reader, appends, confirm, storeId });
  } catch (error) {
    closing.abort();
    await client.close();
    throw error;
  }
}

/** What an open store is made of. */
export interface OpenParts {
  readonly client: KurrentDbClient;
  readonly closing: AbortController;
  readonly reader: StreamReader;
  readonly appends: Appends;
  readonly confirm: ConfirmLog;
  readonly storeId: string;
}

export class KurrentDbEventStore implements EventStore {
  readonly storeId: string;
  /** Competing consumers on this log. */
  readonly consumerGroups: ConsumerGroups;
  readonly #client: KurrentDbClient;
  readonly #closing: AbortController;
  readonly #reader: StreamReader;
  readonly #log: LogReader;
  readonly #appends: Appends;
  readonly #settings: StreamSettings;
  readonly #confirm: ConfirmLog;
  #isClosed = false;

  constructor({ client, closing, reader, appends, confirm, storeId }: OpenParts) {
    this.storeId = storeId;
    this.#confirm = confirm;
    this.#client = client;
    this.#closing = closing;
    this.#reader = reader;
    this.#log = new LogReader(client, closing.signal);
    this.#appends = appends;
    this.#settings = new StreamSettings(client, reader, appends, closing.signal);
    const parked = new ParkedMessages(client, reader, this.#settings, closing.signal);
    this.consumerGroups = new KurrentDbConsumerGroups({
      client,
      closing: closing.signal,
      reader,
      appends,
      parked,
    });
  }

  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    this.#refuseWhenClosed();
    return this.#appends.append(stream, events, expected);
  }

  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    return this.#reader.read(stream, options);
  }

  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent> {
    return this.#log.read(options);
  }

  subscribeToAll(options: SubscribeOptions): AsyncIterable<SubscriptionBatch> {
    return new Subscription(
      { client: this.#client, log: this.#log, confirm: this.#confirm, closing: this.#closing.signal },
      options,
    ).batches();
  }

  async headPosition(): Promise<Position | undefined> {
    this.#refuseWhenClosed();
    return retrying(TRIES, this.#closing.signal, async () => {
      await this.#confirm();
      return this.#log.head();
    });
  }

  async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    this.#refuseWhenClosed();
    return this.#settings.get(stream);
  }

  async setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    this.#refuseWhenClosed();
    return this.#settings.set(stream, metadata);
  }

  async deleteStream(stream: string): Promise<void> {
    this.#refuseWhenClosed();
    return this.#settings.delete(stream);
  }

  /** Waits for the appends that were accepted, for as long as one answer may take, then ends everything. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#appends.settled(this.#client.deadlineMs);
    this.#closing.abort();
    await this.#client.close();
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new StoreError('closed', `${this.#client.store} is closed.`);
  }
}
