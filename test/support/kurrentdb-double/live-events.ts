/**
 * What a live subscription has yet to send. It holds few events and drops the oldest, so that a slow reader falls behind and
 * goes back to reading the log. Server: src/EventStore.Core/Services/Transport/Enumerators/Enumerator.cs (LiveChannelOptions)
 */
const CAPACITY = 32;

/** `item` is nothing where events were lost on purpose. A gap in `sequence` says that some were. */
export interface LiveItem<T> {
  readonly sequence: number;
  readonly item: T | undefined;
}

export class LiveEvents<T> {
  readonly #items: LiveItem<T>[] = [];
  #sequence = 0;
  #wake: () => void = () => undefined;

  push(item: T): void {
    this.#items.push({ sequence: ++this.#sequence, item });
    if (this.#items.length > CAPACITY) this.#items.shift();
    this.#wake();
  }

  /** Loses what is waiting, as if too much had come at once. */
  lose(): void {
    this.#items.length = 0;
    this.#sequence += 2;
    this.#items.push({ sequence: this.#sequence, item: undefined });
    this.#wake();
  }

  /** Waits for the next one. @returns nothing when `signal` aborts */
  async take(signal: AbortSignal): Promise<LiveItem<T> | undefined> {
    while (this.#items.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return signal.aborted ? undefined : this.#items.shift();
  }
}
