/** Reads one stream; a read that breaks goes on behind the last event that it gave. */
import { StreamDeletedError } from '@eventstore/db-client';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type {
  Position,
  ReadDirection,
  ReadStreamOptions,
  RecordedEvent,
} from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { KurrentDbClient } from './client.ts';
import { placeOf, toReadableEvent, toRecordedEvent } from './event-mapping.ts';
import { ReadCall, type ReadCallLimits } from './read-call.ts';
import { streamRequest } from './read-request.ts';
import { pause } from './retry.ts';

/** Enough to hide the network, few enough to keep memory flat. */
export const READ_LIMITS: ReadCallLimits = { messages: 512, bytes: 1024 * 1024 };
/** Tries in a row that bring nothing before a read gives up. */
const FRUITLESS_TRIES_MAX = 5;

type WireRead = NonNullable<ReturnType<ReadResp['getEvent']>>;

export class StreamReader {
  readonly #client: KurrentDbClient;
  readonly #closing: AbortSignal;

  constructor(client: KurrentDbClient, closing: AbortSignal) {
    this.#client = client;
    this.#closing = closing;
  }

  async *read(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    const toEvent = options.unreadable ? toReadableEvent : toRecordedEvent;
    for await (const { read, revision } of this.#follow(stream, options)) {
      const event = read.getEvent();
      if (!event) {
        const place = { stream, revision };
        throw new StoreError('corrupt', `Revision ${revision} of ${stream} holds no event.`, { place });
      }
      // Links and the like, which a projection of the server may write anywhere, are no events of the bank.
      if (!event.getMetadataMap().get('type')?.startsWith('$')) yield toEvent(event);
    }
  }

  /** The events of a stream of the server's, with what their links lead to. */
  async *readLinks(stream: string, limit: number): AsyncGenerator<WireRead> {
    for await (const { read } of this.#follow(stream, { limit }, true)) yield read;
  }

  /** Ids and places of the first events that a stream still has. */
  async *ids(
    stream: string,
    limit: number,
  ): AsyncGenerator<Pick<RecordedEvent, 'id' | 'revision' | 'position'>> {
    for await (const { read } of this.#follow(stream, { limit })) {
      const event = read.getEvent();
      if (event) yield { id: event.getId()?.getString().toLowerCase() ?? '', ...placeOf(event) };
    }
  }

  async positionOf(stream: string, revision: number): Promise<Position | undefined> {
    for await (const { read } of this.#follow(stream, { from: revision, limit: 1 })) {
      const event = read.getEvent();
      if (event && Number(event.getStreamRevision()) === revision) return BigInt(event.getCommitPosition());
    }
    return undefined;
  }

  /** The oldest or newest revision that a stream still has. */
  async edge(stream: string, direction: ReadDirection): Promise<number | undefined> {
    for await (const { revision } of this.#follow(stream, { direction, limit: 1 })) return revision;
    return undefined;
  }

  /** The data of a stream's oldest or newest event, as bytes. */
  async edgeData(
    stream: string,
    direction: ReadDirection,
  ): Promise<{ revision: number; data: Uint8Array } | undefined> {
    for await (const { read, revision } of this.#follow(stream, { direction, limit: 1 })) {
      const event = read.getEvent();
      if (event) return { revision, data: event.getData_asU8() };
    }
    return undefined;
  }

  /** Whether the stream was written and not deleted since, even when all its events have been cut off. */
  async exists(stream: string): Promise<boolean> {
    let missing = false;
    const newest = this.#follow(stream, { direction: 'backwards', limit: 1 }, false, () => {
      missing = true;
    });
    for await (const _ of newest) return true;
    return !missing;
  }

  /** @param onMissing is told when the server says that there is no such stream */
  async *#follow(
    stream: string,
    options: ReadStreamOptions,
    resolveLinks = false,
    onMissing?: () => void,
  ): AsyncGenerator<{ read: WireRead; revision: number }> {
    const direction = options.direction ?? 'forwards';
    let from = options.from;
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    let fruitless = 0;
    while (left > 0 && (from === undefined || from >= 0)) {
      const limit = Number.isFinite(left) ? left : undefined;
      const request = streamRequest(stream, { direction, from, limit, resolveLinks });
      try {
        for await (const message of messagesOf(this.#client, request, [this.#closing])) {
          if (message.hasStreamNotFound()) return onMissing?.();
          const read = message.getEvent();
          const original = read?.getLink() ?? read?.getEvent();
          if (!read || !original) continue;
          const revision = Number(original.getStreamRevision());
          from = direction === 'forwards' ? revision + 1 : revision - 1;
          left -= 1;
          fruitless = 0;
          yield { read, revision };
        }
        return;
      } catch (error) {
        if (isTombstone(error)) return onMissing?.();
        fruitless += 1;
        await pauseAfter(error, fruitless, this.#closing);
      }
    }
  }
}

/**
 * The messages of one read, in order; leaving early ends the call.
 * @throws StoreError when the call breaks, when the server falls silent, or when the store is closed
 */
export async function* messagesOf(
  client: KurrentDbClient,
  request: Parameters<KurrentDbClient['openRead']>[0],
  endings: readonly [closing: AbortSignal, ...others: AbortSignal[]],
): AsyncGenerator<ReadResp> {
  const [closing] = endings;
  refuseWhenClosed(client.store, closing);
  const call = await ReadCall.open(client, request, READ_LIMITS, endings);
  try {
    for (;;) {
      const taken = await call.take(client.deadlineMs);
      refuseWhenClosed(client.store, closing);
      if (!taken) return;
      if (taken.length === 0) {
        throw new StoreError('unavailable', `${client.store} was silent for ${client.deadlineMs} ms.`);
      }
      yield* taken;
    }
  } finally {
    call.cancel();
  }
}

/**
 * Waits before a broken read is tried again.
 * @throws the error when it is final, or when too many tries brought nothing
 */
export async function pauseAfter(error: unknown, fruitless: number, closing: AbortSignal): Promise<void> {
  const again = error instanceof StoreError && error.code === 'unavailable';
  if (!again || fruitless >= FRUITLESS_TRIES_MAX) throw error;
  await pause(fruitless, closing);
}

/** @throws StoreError `closed` */
export function refuseWhenClosed(store: string, closing: AbortSignal): void {
  if (closing.aborted) throw new StoreError('closed', `${store} is closed.`);
}

function isTombstone(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof StreamDeletedError;
}
