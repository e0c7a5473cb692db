/** Puts the publisher of CloudEvents together: a reactor, what it remembers, and the sink. */
import { HttpSink } from '../adapters/cloudevents/http-sink.ts';
import { createBankCodec } from '../application/bank-codec.ts';
import {
  CLOUD_EVENT_PUBLISHER,
  deliverAsCloudEvent,
  PUBLISHED_STREAM_PREFIXES,
} from '../application/cloud-event-publisher.ts';
import type { CloudEventSettings, Config } from '../config.ts';
import type { EventReader } from '../event-sourcing/event-store.ts';
import { Reactor, type ReactorOptions, type ReactorProblem } from '../event-sourcing/reactor.ts';
import { reactorCollection } from '../event-sourcing/reactor-journal.ts';
import type { ReadModelReader, ReadModelStore } from '../event-sourcing/read-model-store.ts';
import { openReadModelStore } from './open-stores.ts';
import type { Parts } from './parts.ts';

/** Told apart from the projections' problems, which have the same kinds. */
export interface PublisherProblem {
  readonly kind: 'publisher';
  readonly problem: ReactorProblem;
}

/** @throws StoreError when what is there belongs to other events, and these have none: they may be lost */
export async function preparePublisher(store: ReadModelStore, reader: EventReader): Promise<void> {
  const mayReplace = (await reader.headPosition()) !== undefined;
  await store.prepare([reactorCollection(CLOUD_EVENT_PUBLISHER)], reader.storeId, mayReplace);
}

/** The publisher over any pair of stores; one at a time, led by whoever holds the fence. */
export function composeCloudEventPublisher(
  settings: CloudEventSettings,
  stores: { reader: EventReader; store: ReadModelStore; defaultCurrency: string },
  options: Pick<ReactorOptions, 'fence' | 'onProblem'> = {},
): Reactor {
  const { reader, store, defaultCurrency } = stores;
  const sink = new HttpSink({ url: settings.sink, mode: settings.mode });
  const deliver = deliverAsCloudEvent({
    reader,
    codec: createBankCodec(defaultCurrency),
    names: settings,
    send: (event, signal) => sink.send(event, signal),
  });
  return new Reactor({
    name: CLOUD_EVENT_PUBLISHER,
    reader,
    store,
    streamPrefixes: PUBLISHED_STREAM_PREFIXES,
    deliver,
    ...options,
  });
}

/**
 * Publishes beside embedded stores, when there is a sink. It waits for the sink and computes little, so it needs no
 * thread of its own.
 * @returns what the publisher remembers; `undefined` when nothing is published
 */
export async function startPublisher(
  config: Config,
  reader: EventReader,
  report: (problem: PublisherProblem) => void,
  parts: Parts,
): Promise<ReadModelReader | undefined> {
  const { cloudEvents, defaultCurrency, publisherState: location } = config;
  if (!cloudEvents) return undefined;
  const store = await openReadModelStore(location);
  parts.closeLater(store);
  await preparePublisher(store, reader);
  const stopping = new AbortController();
  const publisher = composeCloudEventPublisher(
    cloudEvents,
    { reader, store, defaultCurrency },
    { onProblem: (problem) => report({ kind: 'publisher', problem }) },
  );
  const running = publisher.run(stopping.signal);
  parts.closeLater({
    close() {
      stopping.abort();
      return running;
    },
  });
  return store;
}

/** Parked events that are counted one by one; more show as so many. */
const PARKED_COUNTED_MAX = 10_000;

/** How many events the publisher has parked, for the metrics. */
export async function parkedCloudEvents(state: ReadModelReader) {
  const letters = await state.listDeadLetters({
    projection: CLOUD_EVENT_PUBLISHER,
    limit: PARKED_COUNTED_MAX,
  });
  return [{ consumer: CLOUD_EVENT_PUBLISHER, count: letters.length }];
}

/** How far the publisher is, for the metrics. */
export async function publishedCloudEvents(state: ReadModelReader) {
  const checkpoints = await state.checkpoints();
  const position = checkpoints.find((one) => one.projection === CLOUD_EVENT_PUBLISHER)?.position ?? 0n;
  return [{ name: CLOUD_EVENT_PUBLISHER, position }];
}
