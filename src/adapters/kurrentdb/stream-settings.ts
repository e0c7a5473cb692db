/** Metadata of streams, and their deletion. What others keep in a stream's metadata stays there. */
import { StreamDeletedError, WrongExpectedVersionError } from '@eventstore/db-client';
import type { StreamMetadata } from '../../event-sourcing/event-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { type Appends, refuseUnusableName } from './appends.ts';
import type { KurrentDbClient } from './client.ts';
import { toStoreError } from './errors.ts';
import { parsed, toSystemMessage } from './event-mapping.ts';
import { pauseAfter, type StreamReader } from './stream-reader.ts';

const METADATA_TYPE = '$metadata';
/** Others may write at the same time; then it is read again, so often at most. */
const RACES_MAX = 10;

interface WireMetadata {
  readonly $maxCount?: number;
  readonly $maxAge?: number;
  readonly $tb?: number;
  readonly $acl?: unknown;
}

interface CurrentMetadata {
  readonly revision: number | 'no_stream';
  readonly whole: WireMetadata;
}

export class StreamSettings {
  readonly #client: KurrentDbClient;
  readonly #reader: StreamReader;
  readonly #appends: Appends;
  readonly #closing: AbortSignal;

  constructor(client: KurrentDbClient, reader: StreamReader, appends: Appends, closing: AbortSignal) {
    this.#client = client;
    this.#reader = reader;
    this.#appends = appends;
    this.#closing = closing;
  }

  async get(stream: string): Promise<StreamMetadata> {
    const { $maxCount, $maxAge, $tb } = (await this.#current(stream)).whole;
    return {
      ...($maxCount === undefined ? {} : { maxCount: $maxCount }),
      ...($maxAge === undefined ? {} : { maxAge: $maxAge }),
      ...($tb === undefined || isDeletion($tb) ? {} : { truncateBefore: $tb }),
    };
  }

  /** @throws StoreError `invalid_request` for values that make no sense */
  async set(stream: string, metadata: StreamMetadata): Promise<void> {
    refuseUnusableName(stream);
    if (!isUsable(metadata)) {
      throw new StoreError(
        'invalid_request',
        'maxCount and maxAge are whole numbers from 1, truncateBefore from 0.',
      );
    }
    await this.change(stream, ({ $maxCount: _count, $maxAge: _age, $tb: _before, ...others }) => ({
      ...others,
      ...(metadata.maxCount === undefined ? {} : { $maxCount: metadata.maxCount }),
      ...(metadata.maxAge === undefined ? {} : { $maxAge: metadata.maxAge }),
      ...(metadata.truncateBefore === undefined ? {} : { $tb: metadata.truncateBefore }),
    }));
  }

  /** Rewrites the metadata of any stream, the server's too. A deleted stream counts as existing then, but stays empty. */
  async change(stream: string, rewrite: (whole: WireMetadata) => object): Promise<void> {
    for (let races = 0; races < RACES_MAX; races += 1) {
      const { revision, whole } = await this.#current(stream);
      const message = toSystemMessage(METADATA_TYPE, JSON.stringify(rewrite(whole)));
      if (await this.#appends.replaceNewest(`$$${stream}`, message, revision)) return;
    }
    throw new StoreError('unavailable', `Others keep changing the metadata of ${stream}.`);
  }

  /** Deletes what there is now; what others write meanwhile stays, even when the answer got lost and it is tried again. */
  async delete(stream: string): Promise<void> {
    refuseUnusableName(stream);
    let failures = 0;
    for (let races = 0; races < RACES_MAX; ) {
      if (!(await this.#reader.exists(stream))) return;
      const last = await this.#reader.edge(stream, 'backwards');
      try {
        const expectedRevision = last === undefined ? 'any' : BigInt(last);
        await this.#client.deleteStream(stream, { expectedRevision });
        return;
      } catch (error) {
        if (error instanceof StreamDeletedError) return;
        if (error instanceof WrongExpectedVersionError) {
          const oldest = await this.#reader.edge(stream, 'forwards');
          if (failures > 0 && last !== undefined && (oldest ?? 0) > last) return;
          races += 1;
          continue;
        }
        failures += 1;
        await pauseAfter(toStoreError(this.#client.store, error), failures, this.#closing);
      }
    }
    throw new StoreError('unavailable', `Others keep writing to ${stream}.`);
  }

  async #current(stream: string): Promise<CurrentMetadata> {
    const newest = await this.#reader.edgeData(`$$${stream}`, 'backwards');
    if (!newest) return { revision: 'no_stream', whole: {} };
    return { revision: newest.revision, whole: (parsed(newest.data) ?? {}) as WireMetadata };
  }
}

/** The server marks a deleted stream by cutting off all that could ever be. */
function isDeletion(truncateBefore: number | undefined): boolean {
  return truncateBefore !== undefined && truncateBefore > Number.MAX_SAFE_INTEGER;
}

function isUsable({ maxCount = 1, maxAge = 1, truncateBefore = 0 }: StreamMetadata): boolean {
  return [maxCount - 1, maxAge - 1, truncateBefore].every(
    (value) => Number.isSafeInteger(value) && value >= 0,
  );
}
