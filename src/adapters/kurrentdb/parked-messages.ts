/** The messages that a group has set aside: links in a stream of the server's, the oldest first. */
import type { ParkedMessage } from '../../event-sourcing/consumer-groups.ts';
import {
  type EventMetadata,
  type RecordedEvent,
  UNREADABLE_EVENT_TYPE,
} from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { KurrentDbClient } from './client.ts';
import { toStoreError } from './errors.ts';
import { parsed, recordedAt, toReadableEvent, type WireEvent } from './event-mapping.ts';
import { pause, retrying } from './retry.ts';
import type { StreamReader } from './stream-reader.ts';
import type { StreamSettings } from './stream-settings.ts';

/** What the server puts before the reason that a consumer gave. */
const CLIENT_REASON = /^Client explicitly NAK'ed message\.\n/;
const TRIES = 4;
/** Looks, with growing pauses between them, that a replay gets to take its messages out of the parked ones. */
const REPLAY_LOOKS_MAX = 12;

export class ParkedMessages {
  readonly #client: KurrentDbClient;
  readonly #reader: StreamReader;
  readonly #settings: StreamSettings;
  readonly #closing: AbortSignal;

  constructor(client: KurrentDbClient, reader: StreamReader, settings: StreamSettings, closing: AbortSignal) {
    this.#client = client;
    this.#reader = reader;
    this.#settings = settings;
    this.#closing = closing;
  }

  /** Counted in the stream itself: what the server keeps in memory is not always right. */
  async count(group: string): Promise<number> {
    const edges = await this.#edges(group);
    return edges ? edges.newest - edges.oldest + 1 : 0;
  }

  async list(group: string, limit: number): Promise<ParkedMessage[]> {
    const listed: ParkedMessage[] = [];
    for await (const read of this.#reader.readLinks(parkedStream(group), limit)) {
      const link = read.getLink() ?? read.getEvent();
      if (link) listed.push(parkedMessage(link, read.getLink() ? read.getEvent() : undefined));
    }
    return listed;
  }

  async replay(group: string, limit: number): Promise<number> {
    const chosen = await this.#oldest(group, limit);
    if (!chosen) return 0;
    await retrying(TRIES, this.#closing, async () => {
      await this.#client
        .replayParkedMessagesToAll(group, { stopAt: chosen.end })
        .catch((error: unknown) => Promise.reject(toStoreError(this.#client.store, error)));
    });
    for (let looks = 1; looks <= REPLAY_LOOKS_MAX; looks += 1) {
      const edges = await this.#edges(group);
      if (!edges || edges.oldest >= chosen.end) return chosen.count;
      await pause(looks, this.#closing);
    }
    throw new StoreError(
      'unavailable',
      `${this.#client.store} has not replayed the parked messages of ${group}.`,
    );
  }

  /** Cuts the stream off, as the server does after a replay. */
  async discard(group: string, limit: number): Promise<number> {
    const chosen = await this.#oldest(group, limit);
    if (!chosen) return 0;
    await this.#settings.change(parkedStream(group), (whole) => ({
      ...whole,
      $tb: Math.max(chosen.end, whole.$tb ?? 0),
      $acl: whole.$acl ?? ADMINISTRATORS_ONLY,
    }));
    return chosen.count;
  }

  async #oldest(group: string, limit: number): Promise<{ end: number; count: number } | undefined> {
    const edges = await this.#edges(group);
    if (!edges || limit <= 0) return undefined;
    const end = Math.min(edges.newest + 1, edges.oldest + limit);
    return { end, count: end - edges.oldest };
  }

  async #edges(group: string): Promise<{ oldest: number; newest: number } | undefined> {
    const stream = parkedStream(group);
    const newest = await this.#reader.edge(stream, 'backwards');
    const oldest = newest === undefined ? undefined : await this.#reader.edge(stream, 'forwards');
    return newest === undefined || oldest === undefined ? undefined : { oldest, newest };
  }
}

/** What the server itself writes for streams of parked messages. */
const ADMINISTRATORS_ONLY = { $r: '$admins', $w: '$admins', $d: '$admins', $mr: '$admins', $mw: '$admins' };

function parkedStream(group: string): string {
  return `$persistentsubscription-$all::${group}-parked`;
}

function parkedMessage(link: WireEvent, event: WireEvent | undefined): ParkedMessage {
  const { reason } = (parsed(link.getCustomMetadata_asU8()) ?? {}) as { reason?: unknown };
  return {
    event: event ? toReadableEvent(event) : unreadable(link),
    ...(typeof reason === 'string' ? { reason: reason.replace(CLIENT_REASON, '') } : {}),
    parkedAt: recordedAt(link),
  };
}

/** The event is gone: its stream was deleted or cut off after the message had been parked. The link says where it was. */
function unreadable(link: WireEvent): RecordedEvent {
  const [, revision = '0', stream = ''] =
    /^(\d+)@(.*)$/s.exec(Buffer.from(link.getData_asU8()).toString()) ?? [];
  return {
    id: link.getId()?.getString() ?? '',
    type: UNREADABLE_EVENT_TYPE,
    data: {},
    metadata: {} as EventMetadata,
    stream,
    revision: Number(revision),
    position: BigInt(link.getCommitPosition()),
    recordedAt: recordedAt(link),
  };
}
