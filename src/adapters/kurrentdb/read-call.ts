/** One read or subscription under way: takes messages as they come, up to a bound, and hands them over in order. */
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { StoreError } from '../../event-sourcing/store-error.ts';
import type { KurrentDbClient, ReadCallStream } from './client.ts';
import { toStoreError } from './errors.ts';

export interface ReadCallLimits {
  /** Messages and bytes that may wait for the consumer; then the server is made to wait. */
  readonly messages: number;
  readonly bytes: number;
}

/** Something that ends the call: the caller's wish, or the closing of the store. */
export type Endings = readonly AbortSignal[];

export class ReadCall {
  readonly #stream: ReadCallStream;
  readonly #limits: ReadCallLimits;
  readonly #endings: Endings;
  #waiting: ReadResp[] = [];
  #bytes = 0;
  #isFull = false;
  #ended = false;
  #failure: StoreError | undefined;
  #wake: (() => void) | undefined;

  /** @throws StoreError when the call cannot be opened; it may still fail later */
  static async open(
    client: KurrentDbClient,
    request: ReadReq,
    limits: ReadCallLimits,
    endings: Endings,
  ): Promise<ReadCall> {
    const stream = await client.openRead(request).catch((error: unknown) => {
      throw toStoreError(client.store, error);
    });
    return new ReadCall(client.store, stream, limits, endings);
  }

  private constructor(store: string, stream: ReadCallStream, limits: ReadCallLimits, endings: Endings) {
    this.#stream = stream;
    this.#limits = limits;
    this.#endings = endings;
    stream.on('error', (error: Error) => this.#end(toStoreError(store, error)));
    stream.on('end', () => this.#end());
    stream.on('data', (message: ReadResp) => this.#receive(message));
    for (const ending of endings) {
      if (ending.aborted) this.cancel();
      else ending.addEventListener('abort', this.cancel, { once: true });
    }
  }

  /**
   * Everything that has arrived, at least one message unless `silenceMs` pass without any.
   * @param lingerMs how long to gather more after the first one: until the limits, or until the server has caught up
   * @returns `undefined` when the call has ended
   * @throws StoreError that the call failed with, after all that had come before
   */
  async take(silenceMs: number, lingerMs = 0): Promise<readonly ReadResp[] | undefined> {
    if (this.#waiting.length === 0) await this.#woken(silenceMs, () => this.#waiting.length > 0);
    if (lingerMs > 0 && this.#waiting.length > 0 && !this.#isUrgent) {
      await this.#woken(lingerMs, () => this.#isUrgent);
    }
    if (this.#waiting.length === 0 && this.#ended) {
      if (this.#failure) throw this.#failure;
      return undefined;
    }
    const taken = this.#waiting;
    this.#isFull = this.#mustPause;
    this.#waiting = [];
    this.#bytes = 0;
    if (!this.#ended) this.#stream.resume();
    return taken;
  }

  /** Whether what was taken last had reached a limit, so that more may wait behind it. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Ends the call on the server too; what waits is dropped. */
  readonly cancel = (): void => {
    this.#waiting = [];
    this.#end();
    this.#stream.cancel();
  };

  #receive(message: ReadResp): void {
    if (this.#ended) return;
    this.#waiting.push(message);
    this.#bytes += sizeOf(message);
    if (this.#mustPause) this.#stream.pause();
    this.#wake?.();
  }

  get #mustPause(): boolean {
    return this.#waiting.length >= this.#limits.messages || this.#bytes >= this.#limits.bytes;
  }

  #end(failure?: StoreError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const ending of this.#endings) ending.removeEventListener('abort', this.cancel);
    this.#wake?.();
  }

  /** Whether nobody should wait for more: no more may come, or the server says that this is all for now. */
  get #isUrgent(): boolean {
    return this.#mustPause || this.#waiting.at(-1)?.hasCaughtUp() === true;
  }

  /** Waits until something holds or the call has ended, but not longer than `milliseconds`. */
  #woken(milliseconds: number, holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#wake = () => {
        if (holds() || this.#ended) done();
      };
      this.#wake();
    });
  }
}

function sizeOf(message: ReadResp): number {
  const event = message.getEvent()?.getEvent();
  return event ? event.getData_asU8().length + event.getCustomMetadata_asU8().length : 0;
}
