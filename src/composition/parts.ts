/** What a service was put together from: opened with patience, closed in reverse order. */
import type { Logger } from 'pino';
import { ConfigError, type EventStoreLocation, type ReadModelLocation } from '../config.ts';
import { Signal } from '../event-sourcing/signal.ts';
import { StoreError } from '../event-sourcing/store-error.ts';

const FIRST_DELAY_MS = 500;
const DELAY_MS_MAX = 10_000;

type StoreLocation = EventStoreLocation | ReadModelLocation;

interface Part {
  close(): PromiseLike<unknown>;
}

export class Parts {
  readonly #logger: Logger;
  readonly #opened: Part[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Opens a store. While a server does not answer it tries again: in a cluster everything starts at once.
   * @param setting the variable that names the store, for messages
   * @throws StoreError or ConfigError when waiting would not help
   */
  async open<T>(setting: string, location: StoreLocation, open: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await open();
      } catch (error) {
        if (!(error instanceof StoreError) || !isOnServer(location)) throw error;
        if (error.code === 'invalid_request')
          throw new ConfigError(`${setting} is not usable: ${error.message}`);
        if (error.code !== 'unavailable') throw namingSetting(setting, error);
        const delay_ms = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), DELAY_MS_MAX);
        this.#logger.warn({ setting, reason: error.message, failures, delay_ms }, 'waiting for a store');
        await new Signal().wait(delay_ms);
      }
    }
  }

  closeLater(part: Part): void {
    this.#opened.push(part);
  }

  /** Closes all of them, the newest first, even when one fails; then says what failed first. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#opened.splice(0).reverse()) {
      await part.close().then(undefined, (error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

function isOnServer({ kind }: StoreLocation): boolean {
  return kind === 'kurrentdb' || kind === 'mongodb';
}

function namingSetting(setting: string, error: StoreError): StoreError {
  return new StoreError(error.code, `${setting} is not usable: ${error.message}`, { cause: error });
}
