/** The steps from a recorded event to one try of its delivery: decode, map, send. */
import type { CloudEventV1 } from 'cloudevents';
import { BANK_ACCOUNT_STREAM_PREFIX } from '../domain/bank-account.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { PERSON_STREAM_PREFIX } from '../domain/person.ts';
import { TRANSFER_STREAM_PREFIX } from '../domain/transfer.ts';
import type { EventCodec } from '../event-sourcing/codec.ts';
import type { EventReader, RecordedEvent } from '../event-sourcing/event-store.ts';
import type { Deliver, DeliveryOutcome } from '../event-sourcing/reactor-delivery.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { type CloudEventNames, needsCurrency, toCloudEvent } from './cloud-events.ts';

/** Names the publisher's checkpoint, its dead letters, and it itself in what operators ask. */
export const CLOUD_EVENT_PUBLISHER = 'cloudevents';

/** The streams whose events are published. */
export const PUBLISHED_STREAM_PREFIXES = [
  PERSON_STREAM_PREFIX,
  BANK_ACCOUNT_STREAM_PREFIX,
  TRANSFER_STREAM_PREFIX,
] as const;

/** Takes one CloudEvent to the sink once. */
export type SendCloudEvent = (event: CloudEventV1<object>, signal: AbortSignal) => Promise<DeliveryOutcome>;

export interface CloudEventDeliveryOptions {
  readonly reader: EventReader;
  readonly codec: EventCodec<BankEvent>;
  readonly names: CloudEventNames;
  readonly send: SendCloudEvent;
}

/** What cannot be read or mapped is `unpublishable`: parked where operators see it, never passed over. */
export function deliverAsCloudEvent(options: CloudEventDeliveryOptions): Deliver {
  return async (recorded, signal) => {
    let event: CloudEventV1<object>;
    try {
      event = await mapped(recorded, options);
    } catch (error) {
      // A store that does not answer now will answer later; everything else stays as it is.
      const kind = error instanceof StoreError && error.code !== 'corrupt' ? 'busy' : 'unpublishable';
      return { kind, reason: error instanceof Error ? error.message : String(error) };
    }
    return options.send(event, signal);
  };
}

async function mapped(
  recorded: RecordedEvent,
  { reader, codec, names }: CloudEventDeliveryOptions,
): Promise<CloudEventV1<object>> {
  const event = codec.decode(recorded);
  if (!needsCurrency(event)) return toCloudEvent(event, names);
  return toCloudEvent(event, names, await currencyOf(event.stream, reader, codec));
}

/** An account's first event says its currency. */
async function currencyOf(
  stream: string,
  reader: EventReader,
  codec: EventCodec<BankEvent>,
): Promise<string> {
  for await (const first of reader.readStream(stream, { limit: 1 })) {
    const event = codec.decode(first);
    if ('currency' in event.data) return event.data.currency;
  }
  throw new Error(`The currency of ${stream} is not known, because its first event is gone.`);
}
